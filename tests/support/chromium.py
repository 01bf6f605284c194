"""A real browser for the tests: the system's Chromium, driven by Playwright.

It reaches nothing but this machine: a page that asks for anything else fails its test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Page,
    Request,
    Route,
    expect,
    sync_playwright,
)

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-features=MediaRouter,OptimizationHints,Translate",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-first-run",
    "--process-per-site",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
OWN_MACHINE = ("http://127.0.0.1", "http://localhost", "data:", "blob:", "about:")
NOBODY = "http://127.0.0.1:1/"  # an address where nobody listens; of one site with all boards
PATIENCE = 60_000  # milliseconds an action or an expectation may wait; this machine may be busy


def program() -> str | None:
    """Return the browser's path, None if there is none."""
    given = os.environ.get("CHROMIUM")
    return given or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium, one for all tests."""
    path = program()
    if path is None:
        pytest.skip("no browser: neither CHROMIUM nor chromium (.ci/debian-packages installs it)")
    expect.set_options(timeout=PATIENCE)
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=[*QUIET, *as_root])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """What the pages of all tests share: a cache, and a process that has compiled the scripts.

    A page of its own that shows nothing keeps the process alive. In a profile of its own each page
    would read and compile three megabytes of scripts anew, in twice the time.
    """

    def nothing(route: Route) -> None:
        route.fulfill(body="", content_type="text/html")

    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="en-GB", timezone_id="UTC"
    )
    context.set_default_timeout(PATIENCE)
    with context:
        kept = context.new_page()
        kept.route(NOBODY, nothing)
        kept.goto(NOBODY)
        yield context


@pytest.fixture
def page(profile: BrowserContext) -> Iterator[Page]:
    """A page of its own, with no cookies and nothing stored, 1440 x 900.

    The test fails if a script raised an error that nobody caught, or asked for another machine.
    """
    errors: list[Error] = []
    outside: list[str] = []
    origins: set[str] = set()

    def note(request: Request) -> None:  # a route would turn the browser's cache off
        if not request.url.startswith(OWN_MACHINE):
            outside.append(request.url)
        origins.add("/".join(request.url.split("/", 3)[:3]))

    def keep_error(error: Error) -> None:
        errors.append(error)

    others = set(profile.pages)
    profile.on("request", note)
    page = profile.new_page()
    page.on("pageerror", keep_error)
    yield page
    profile.remove_listener("request", note)
    for opened in set(profile.pages) - others:
        opened.close()
    _forget(profile, origins)
    assert not outside, f"the page asked for other machines: {outside}"
    assert not errors, f"scripts of the page failed: {[one.stack or str(one) for one in errors]}"


def _forget(profile: BrowserContext, origins: set[str]) -> None:
    """Remove all that pages of these origins have stored, but not what is in the cache."""
    profile.clear_cookies()
    session = profile.new_cdp_session(profile.pages[0])
    for origin in origins:
        if origin.startswith("http"):
            kinds = {"origin": origin, "storageTypes": "local_storage,indexeddb,service_workers"}
            session.send("Storage.clearDataForOrigin", kinds)
    session.detach()
