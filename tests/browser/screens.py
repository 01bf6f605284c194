"""Pictures of every screen to look at: ``make screenshots`` (FOLDER=..., else ``screens/``).

Each in both schemes at 1280 and 1920 px and at 200 % zoom, over the invented store of
``tests.browser.screenshots``, which draws the few that README and docs show.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.browser import screenshots
from tests.support.seed import plain_message
from tests.unit.triage_ui.serving import Running
from triage.commands import DisputeVerdict
from triage.handlers import Triage
from triage.model import Actor, ClusterStatus, VerdictKind
from triage.queries import QueueFilter
from triage.store.base import Store
from triage_ui.server import create_app
from triage_ui.settings import BoardSettings

SIZES: Mapping[str, tuple[ViewportSize, float]] = {
    "1280": ({"width": 1280, "height": 800}, 1.0),
    "1920": ({"width": 1920, "height": 1080}, 1.0),
    "zoom200": ({"width": 640, "height": 400}, 2.0),
}
"""Name -> viewport in CSS pixels, device pixels per CSS pixel; zoom halves the first."""

LEAD = Actor("Lea Brandt", "lead")
SETTLE_MS = 1000  # charts and grids come after the page


def addresses(store: Store) -> Mapping[str, str]:
    """Return the address of each screen by its name."""
    rows = store.queue(QueueFilter(stream="payments", order="largest"), 0, 50).rows
    cluster = next(row for row in rows if row.suggested is VerdictKind.REAL).cluster_id
    (member, *_) = store.members(cluster, 0, 1)
    name, value = next(iter(member.candidate.entities.items()))
    tabs = ("members", "record", "past_cases", "history")
    return {
        "queue": "/",
        "queue-all": "/?status=all&order=newest",
        "queue-empty": "/?text=nothing-like-it",
        "queue-disputed": "/?status=disputed",
        "queue-feature": "/?feature=failed%20logins",
        **{f"cluster-{tab}": f"/cluster/{cluster}?tab={tab}" for tab in tabs},
        "entity": f"/entity/{name}/{value}",
        "suppressions": "/suppressions",
        "analysts": "/analysts",
        "detectors": "/detectors",
        "figures": "/figures",
    }


def disagree(triage: Triage, store: Store) -> None:
    """Let a second reader disagree with a verdict."""
    row = store.queue(QueueFilter(status=ClusterStatus.DECIDED), 0, 1).rows[0]
    detail = store.cluster(row.cluster_id, 1)
    if detail is None:
        raise SystemExit(f"no cluster {row.cluster_id}")
    (verdict, *_), (member, *_) = detail.verdicts, detail.members
    real = verdict.kind is VerdictKind.REAL
    other = VerdictKind.SPURIOUS if real else VerdictKind.REAL
    read = (member.candidate.candidate_id,)
    command = DisputeVerdict(verdict.verdict_id, other, read, "screens", "Seen twice last week.")
    triage.dispute(command, Actor("Cy Marlow", "analyst"), time.time() - 60)


SHEETS: Mapping[str, tuple[str, ...]] = {
    "palette": ("Control+k",),
    "keys": ("?",),
    "expected": ("x",),
    "bulk": ("Shift+J", "s"),
}
"""What stands above the queue -> the keys that bring it."""


def draw(browser: Browser, url: str, store: Store, scheme: str, size: str, folder: Path) -> None:
    """Draw every screen in one scheme and size."""
    viewport, scale = SIZES[size]
    context = browser.new_context(
        viewport=viewport,
        device_scale_factor=scale,
        color_scheme="dark" if scheme == "dark" else "light",
    )
    with context:
        page = context.new_page()
        page.goto(f"{url}/sign-in")
        shoot(page, folder / f"sign-in-{scheme}-{size}.png")
        page.goto(f"{url}/sign-in?token={store.new_sign_in(LEAD, time.time(), 600)}")
        page.get_by_role("button", name="Continue").click()
        page.wait_for_selector("#main")
        for name, address in addresses(store).items():
            page.goto(url + address)
            page.wait_for_selector("#main")
            shoot(page, folder / f"{name}-{scheme}-{size}.png")
        for name, keys in SHEETS.items():
            page.goto(url)
            page.wait_for_selector("#subject")
            for key in keys:
                page.keyboard.press(key)
            shoot(page, folder / f"{name}-{scheme}-{size}.png")


def shoot(page: Page, path: Path) -> None:
    """Draw what stands there once it has come to rest."""
    page.mouse.move(0, 0)
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=path)


def main(folder: Path) -> None:
    """Draw all screens."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        store = screenshots.invented(Path(scratch), time.time())
        settings = BoardSettings(clock=time.time, environment="prod")
        triage = Triage(store, plain_message)
        disagree(triage, store)
        board = Running(create_app(triage, store, store, settings))
        browser = playwright.chromium.launch(
            executable_path=screenshots.browser_path(), args=["--no-sandbox"]
        )
        for scheme in screenshots.SCHEMES:
            for size in SIZES:
                draw(browser, board.url, store, scheme, size, folder)
        browser.close()
        board.stop()
        store.close()
    count = len(list(folder.glob("*.png")))
    sys.stdout.write(f"{count} pictures in {folder}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("screens"))
