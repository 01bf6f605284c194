"""A served board with twelve open clusters, and a page that is signed in to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.support.cases import ANNA
from tests.support.chromium import PATIENCE
from tests.support.processes import free_ports
from tests.unit.triage_ui.serving import Served, serving
from triage.model import Actor
from triage_ui.sessions import CSRF_COOKIE, SESSION_COOKIE, csrf_token

CLUSTERS = 12

SignIn = Callable[[Page, Actor], None]


def fill(board: Served, clusters: int = CLUSTERS) -> list[str]:
    """Make open clusters, the most suspect first; return their ids in the queue's order."""
    return [
        board.desk.cluster(
            3 + number % 3,  # all on the screen, so a verdict leaves no rest
            f"cluster {number}",
            margin=3.0 - 0.4 * number,
            event_time=time.time() - 600 + number,
        )
        for number in range(clusters)
    ]


@pytest.fixture(scope="session")
def port() -> int:
    """A port for one board after the other: what is at one address the browser reads once."""
    return free_ports(1)[0]


@pytest.fixture
def bare(tmp_path: Path, port: int) -> Iterator[Served]:
    """A board with one stream that is warm and nothing in it."""
    with serving(tmp_path, time.time, port) as board:
        yield board


@pytest.fixture
def board(bare: Served) -> Served:
    """A board with twelve open clusters."""
    fill(bare)
    return bare


def sign_in(page: Page, board: Served, actor: Actor = ANNA, path: str = "/") -> None:
    """Give a browser a session, and wait until the page stands.

    The way of a person through the sign-in page is ``sign_in_by_link``'s, and takes another page.
    """
    session = board.store.open_session(actor, board.clock())
    token = csrf_token(session)
    page.context.add_cookies(
        [
            {"name": SESSION_COOKIE, "value": session, "url": board.url, "httpOnly": True},
            {"name": CSRF_COOKIE, "value": token, "url": board.url},
        ]
    )
    page.goto(board.url + path)
    page.wait_for_selector("#main")


def sign_in_by_link(page: Page, board: Served, actor: Actor = ANNA, path: str = "/") -> None:
    """Follow a sign-in link as a person does."""
    page.goto(board.link(actor) + f"&next={path}")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_selector("#main")


@pytest.fixture
def analyst(page: Page, board: Served) -> Iterator[Page]:
    """Anna before the queue, the cursor on its first row and the preview painted."""
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "401" not in message.text:
            said.append(f"{message.text} {message.location.get('url', '')}")

    page.on("console", listen)
    sign_in(page, board)
    page.wait_for_selector("#subject")
    yield page
    assert not said, f"the console said: {said}"


@pytest.fixture
def second(browser: Browser) -> Iterator[Page]:
    """Another person's browser."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    with context:
        yield context.new_page()
