"""A real browser for the tests: the system's Chromium, driven by Playwright.

It reaches nothing but this machine: a page that asks for anything else fails its test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, Page, Request, expect, sync_playwright

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
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
OWN_MACHINE = ("http://127.0.0.1", "http://localhost", "data:", "blob:", "about:")
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


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own, with no cookies, 1440 x 900.

    The test fails if a script raised an error that nobody caught, or asked for another machine.
    """
    errors: list[Error] = []
    outside: list[str] = []

    def note(request: Request) -> None:  # a route would turn the browser's cache off
        if not request.url.startswith(OWN_MACHINE):
            outside.append(request.url)

    def keep_error(error: Error) -> None:
        errors.append(error)

    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="en-GB", timezone_id="UTC"
    )
    context.set_default_timeout(PATIENCE)
    context.on("request", note)
    with context:
        page = context.new_page()
        page.on("pageerror", keep_error)
        yield page
    assert not outside, f"the page asked for other machines: {outside}"
    assert not errors, f"scripts of the page failed: {[one.stack or str(one) for one in errors]}"
