"""A board process over a store, and what its requests cost."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import sqlalchemy as sa

from benchmarks.processes import end, ended, start, tree, wait_for
from tests.support.processes import free_ports
from triage.model import Actor
from triage.store.base import Store
from triage.store.database import Database
from triage.store.store import open_store

START_S = 90.0


@dataclass(frozen=True, slots=True)
class Board:
    """A board that answers. ``pids``: its process, those of the database."""

    store: Store
    address: str
    pids: tuple[int, ...]

    def link(self) -> str:
        """Return a fresh sign-in link of somebody new."""
        return f"{self.address}/sign-in?token={self.token(somebody('analyst'))}"

    def token(self, actor: Actor) -> str:
        """Return a fresh token to sign in with."""
        return self.store.new_sign_in(actor, time.time(), 3600)

    @contextmanager
    def client(self, actor: Actor) -> Iterator[httpx.Client]:
        """A signed-in client over HTTP."""
        with httpx.Client(base_url=self.address, timeout=30) as client:
            answer = client.post("/sign-in", data={"token": self.token(actor)})
            assert answer.status_code == 303, answer.text
            client.headers["x-csrftoken"] = client.cookies["_csrf_token"]
            yield client

    def processor_ms(self) -> float:
        """Return the processor time that board and database have used so far.

        Without the board's advisor, which works by itself at a steady rate.
        """
        own, *database = self.pids
        return 1000 * (_spent(own) + sum(_spent(pid) for one in database for pid in tree(one)))


def somebody(name: str) -> Actor:
    """Return an analyst who never decided anything: one's own verdicts are for others to audit."""
    return Actor(f"{name}-{secrets.token_hex(3)}", "analyst")


@contextmanager
def board(folder: Path, url: str) -> Iterator[Board]:
    """Serve the store in a process of its own."""
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    output = folder / f"board-{port}.txt"
    given = ("--store", url, "--data", str(folder), "--port", str(port))
    with ExitStack() as stack:
        process = stack.enter_context(ended(start("board", *given, output=output)))
        store = stack.enter_context(closing(open_store(url, migrate=False)))
        wait_for(lambda: _answers(address), START_S, f"board (see {output})")
        yield Board(store, address, (process.pid, *_server(url)))
        end(process)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", timeout=2).is_success
    except httpx.TransportError:
        return False


def _server(url: str) -> Sequence[int]:
    """Return PostgreSQL's first process if it runs on this machine; of SQLite there is none."""
    with closing(Database(url)) as database:
        if database.is_sqlite:
            return []
        with database.read() as connection:
            backend = connection.scalar(sa.text("SELECT pg_backend_pid()"))
        parent = Path(f"/proc/{backend}/stat")
        return [int(_fields(parent)[1])] if parent.exists() else []


def _spent(pid: int) -> float:
    """Return the seconds of processor that a process and its children that have ended used."""
    try:
        used = _fields(Path(f"/proc/{pid}/stat"))[11:15]
    except OSError:
        return 0.0
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


def _fields(stat: Path) -> Sequence[str]:
    """Return what stands behind the name of the program, which may have spaces."""
    return stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
