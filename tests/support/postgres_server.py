"""A real PostgreSQL server for the tests, from the first of these that is there.

1. ``DATABASE_URL``: a server that somebody else runs, with a user who may create databases.
2. A Docker engine: the ``postgres`` image through testcontainers.
3. Debian's ``postgresql`` programs, on a free loopback port.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, make_url
from testcontainers.community.postgres import PostgresContainer

from tests.support.docker import engine_answers
from tests.support.processes import free_ports, running, tail, wait_until

START_SECONDS = 60.0
IMAGE = "postgres:17-alpine"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a real server, for SQLAlchemy. Tests want ``postgres_database`` instead."""
    given = os.environ.get("DATABASE_URL")
    with contextlib.ExitStack() as stack:
        if given:
            yield _for_sqlalchemy(make_url(given))
        elif engine_answers():
            container = stack.enter_context(PostgresContainer(IMAGE, driver="psycopg"))
            yield container.get_connection_url()
        elif postgres_can():
            yield stack.enter_context(postgres_server()).url
        else:
            pytest.skip(
                "no PostgreSQL: neither DATABASE_URL, nor a Docker engine, nor Debian's "
                "postgresql (.ci/debian-packages installs it)"
            )


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The URL, for SQLAlchemy, of a fresh empty database that is dropped after the test."""
    server = make_url(postgres_url)
    name = f"triage_{secrets.token_hex(6)}"
    with psycopg.connect(_for_psycopg(server), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        yield _for_sqlalchemy(server.set(database=name))
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _for_sqlalchemy(url: URL) -> str:
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _for_psycopg(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _programs() -> Path | None:
    """The folder with ``initdb`` and ``postgres`` of the newest version; None when absent."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return found[-1].parent if found else None


def postgres_can() -> bool:
    """Tell whether a server can be started with the programs that are here."""
    return _programs() is not None


class PostgresServer:
    """A server of Debian's programs in ``folder`` that can be stopped at once and started again."""

    def __init__(self, programs: Path, folder: Path) -> None:
        (port,) = free_ports(1)
        password = secrets.token_urlsafe(16)
        self._user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
        self._log = folder / "server.log"
        secret = folder / "password"
        secret.write_text(password)
        if self._user:
            for path in (folder, secret):
                shutil.chown(path, self._user, self._user)
        _make_cluster(programs, folder, secret, self._user)
        self._command: list[str | Path] = [
            programs / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder,
            "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off",
        ]  # fmt: skip
        self._address = URL.create(
            "postgresql", "postgres", password, "127.0.0.1", port, "postgres"
        )
        self.url = _for_sqlalchemy(self._address)
        self._process = contextlib.ExitStack()
        self._signal: Callable[[int], None] = lambda number: None

    def start(self) -> None:
        """Start it and wait until it answers."""
        process = self._process.enter_context(
            running(self._command, log=self._log, user=self._user)
        )
        self._signal = process.send_signal
        try:
            wait_until(
                lambda: _answers(self._address),
                seconds=START_SECONDS,
                what="PostgreSQL",
                process=process,
            )
        except RuntimeError as error:
            error.add_note(tail(self._log))
            raise

    def stop_at_once(self) -> None:
        """End it without a checkpoint and without waiting for anybody ("immediate")."""
        self._signal(signal.SIGQUIT)
        self._process.close()

    def stop(self) -> None:
        """End it in order."""
        self._process.close()


@contextlib.contextmanager
def postgres_server(folder: Path | None = None) -> Iterator[PostgresServer]:
    """A running server of Debian's programs, in ``folder`` or one of its own; ends with the block.

    Where ``folder`` has a folder ``data`` it must be empty and the user's who runs the server.
    """
    programs = _programs()
    if programs is None:
        raise RuntimeError("no PostgreSQL: .ci/debian-packages installs it")
    with tempfile.TemporaryDirectory(prefix="triage-postgres-") as name:
        server = PostgresServer(programs, folder or Path(name))
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _make_cluster(programs: Path, folder: Path, secret: Path, user: str | None) -> None:
    subprocess.run(
        [programs / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "scram-sha-256",
         f"--pwfile={secret}", "-E", "UTF8", "--locale=C", "--no-sync"],
        capture_output=True, check=True, timeout=START_SECONDS, cwd=folder,
        user=user, group=user, extra_groups=[] if user else None,
    )  # fmt: skip


def _answers(url: URL) -> bool:
    try:
        psycopg.connect(_for_psycopg(url), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
