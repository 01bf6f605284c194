"""Pictures of the board for the README: ``python -m tests.browser.screenshots [FOLDER]``.

Draws the queue and a cluster's page in both schemes over an invented store, with a verdict just
learned, and writes ``{queue,cluster}-{light,dark}.png``.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.seeing import toast
from tests.support.seed import plain_message, seed_store
from tests.unit.triage_ui.serving import Running
from triage.handlers import Triage
from triage.model import Actor, Counters, VerdictKind
from triage.queries import QueueFilter
from triage.store.base import PartitionCommit, Store
from triage.store.store import open_store
from triage_ui.server import create_app
from triage_ui.settings import BoardSettings

FOLDER = Path(__file__).parents[2] / "docs" / "images"
SIZE = (1440, 900)
LIMIT = 300_000  # bytes; the README is read over slow lines too
CLUSTERS = 40
POSTERIORS = (0.97, 0.31, 0.93, 0.18, 0.66, 0.09, 0.47)
"""Of the open clusters once the verdict is learned."""
SCHEMES = ("light", "dark")
BEA = Actor("Bea Lindqvist", "analyst")


def invented(folder: Path, now: float) -> Store:
    """Return a store with clusters of three streams that came one after the other."""
    url = folder / "triage.db"
    store = open_store(f"sqlite:///{url}")
    seed_store(store, CLUSTERS, seed=5, at=now - 60)
    with sqlite3.connect(url) as direct:
        direct.execute("UPDATE clusters SET created_at = last_time + 20")
    direct.close()
    return store


def learn(store: Store, stream: str, now: float) -> None:
    """Let the stream's workers apply all labels; a few clusters move."""
    waiting = store.queue(QueueFilter(stream=stream), 0, 50).rows[1:]
    moved = {
        member.candidate.candidate_id: POSTERIORS[number % len(POSTERIORS)]
        for number, row in enumerate(waiting)
        for member in store.members(row.cluster_id, 0, 500)
    }
    parts = []
    for partition in range(2):
        state = store.own(stream, partition, f"topic-{stream}", "c0ffee12")
        parts.append(
            PartitionCommit(
                partition=partition,
                epoch=state.epoch,
                config_version=state.config_version,
                next_offset=state.next_offset,
                label_position=store.label_position(stream),
                counters=Counters(),
                rescored=moved if partition == 0 else {},
            )
        )
    store.commit(stream, parts, now)


def photograph(browser: Browser, url: str, store: Store, scheme: str, folder: Path) -> None:
    """Take both pictures in one scheme."""
    context = browser.new_context(
        viewport={"width": SIZE[0], "height": SIZE[1]},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    with context:
        page = context.new_page()
        token = store.new_sign_in(BEA, time.time(), 600)
        page.goto(f"{url}/sign-in?token={token}")
        page.get_by_role("button", name="Continue").click()
        page.wait_for_selector("#preview-when .dot")
        decide_and_learn(page, store)
        save(page, folder / f"queue-{scheme}.png")
        largest = store.queue(QueueFilter(stream="payments", order="largest"), 0, 50).rows
        shown = next(row for row in largest if row.suggested is VerdictKind.REAL)
        page.goto(f"{url}/cluster/{shown.cluster_id}")
        page.wait_for_selector("#when-chart .point")
        page.wait_for_timeout(800)
        save(page, folder / f"cluster-{scheme}.png")


def decide_and_learn(page: Page, store: Store) -> None:
    """Give a verdict and wait until the board says what it changed."""
    first = store.queue(QueueFilter(viewer=BEA.name), 0, 1).rows[0]
    stream = first.stream
    page.keyboard.press("r")
    expect(toast(page)).to_contain_text("learning")
    learn(store, stream, time.time())
    expect(toast(page)).to_contain_text("learned by model")
    page.wait_for_timeout(1500)  # the new order, the preview's drawing


def save(page: Page, path: Path) -> None:
    """Write a picture and say how large it is."""
    page.mouse.move(0, 0)
    page.screenshot(path=path)
    size = path.stat().st_size
    sys.stdout.write(f"{path.name}: {size:,} bytes\n")
    if size > LIMIT:
        raise SystemExit(f"{path} is larger than {LIMIT:,} bytes: show less")


def browser_path() -> str:
    """Return where the browser is."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if found is None:
        raise SystemExit("no browser: install chromium or set CHROMIUM")
    return found


def main(folder: Path) -> None:
    """Take all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        for scheme in SCHEMES:
            place = Path(scratch) / scheme
            place.mkdir()
            store = invented(place, time.time())
            settings = BoardSettings(clock=time.time, environment="prod")
            app = create_app(Triage(store, plain_message), store, store, settings)
            board = Running(app)
            photograph(browser, board.url, store, scheme, folder)
            board.stop()
            store.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
