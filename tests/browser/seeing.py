"""What a person sees on the board, as functions of a page."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Locator, Page, Route, expect

PATIENCE_S = 60.0
SELECTED = ".ag-center-cols-container .ag-row[aria-selected='true']"


def rows(page: Page) -> list[str]:
    """Return the titles of the rows on the screen, from the top."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('.queue-grid .ag-center-cols-container .ag-row')]
            .sort((a, b) => a.getAttribute('row-index') - b.getAttribute('row-index'))
            .map((row) => row.getAttribute('row-id') || '')"""
    )
    return found


def row(page: Page, cluster: str) -> Locator:
    """Return a cluster's row."""
    return page.locator(f'.queue-grid .ag-center-cols-container .ag-row[row-id="{cluster}"]')


def place(element: Locator) -> object:
    """Return where it stands; the grid may draw a row anew, so wait until it is there."""
    expect(element).to_be_visible()
    return element.bounding_box()


def cursor(page: Page) -> str:
    """Return the cluster under the cursor."""
    return page.locator(SELECTED).get_attribute("row-id") or ""


def at(page: Page, cluster: str) -> None:
    """Wait until the cursor is on a cluster and its preview is painted."""
    expect(page.locator(f'{SELECTED}[row-id="{cluster}"]')).to_be_visible()
    expect(page.locator(f'#subject[data-cluster="{cluster}"]')).to_be_visible()


def scroll_down_to(page: Page, grid: str, row_id: str) -> None:
    """Scroll a grid to its end, again while more rows come, until a row stands there."""
    viewport = f"document.querySelector('.{grid} .ag-body-viewport')"
    found = page.locator(f'.{grid} .ag-row[row-id="{row_id}"]')

    def there() -> bool:
        page.evaluate(f"{viewport}.scrollTop = 1e9")
        return found.count() > 0

    wait_for(page, there, f"the row {row_id}")


def toast(page: Page) -> Locator:
    """Return the line that says what was just done."""
    return page.locator("#toasts .line")


def wait_for(
    page: Page, true: Callable[[], object], what: str, seconds: float = PATIENCE_S
) -> None:
    """Wait for something that the page brings about; its scripts and routes run meanwhile."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"waited in vain for {what}"
        page.wait_for_timeout(20)


def intercept(page: Page, pattern: str, handler: Callable[[Route], None]) -> None:
    """Let a handler answer what a page asks for from now on.

    Chromium tells the process of a standing page by another way than it sends keys, so the request
    of a key pressed at once could be let past. So a probe is asked for until it is caught.
    """
    probe = "**/health?intercepted"
    caught: list[Route] = []

    def answer(route: Route) -> None:
        caught.append(route)
        route.fulfill(body="")

    page.route(pattern, handler)
    if not page.url.startswith("http"):
        return  # nothing stands yet: the page that comes is told before it asks
    page.route(probe, answer)

    def holds() -> bool:
        page.evaluate("async () => { await fetch('/health?intercepted', {cache: 'no-store'}); }")
        return bool(caught)

    wait_for(page, holds, f"the interception of {pattern}")
    page.unroute(probe)
