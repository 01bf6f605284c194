"""The browser of the tests opens pages of this machine."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def test_a_page_opens_and_runs_its_script(page: Page) -> None:
    page.goto(
        "data:text/html,<title>Queue</title><h1 id=a>-</h1><script>a.textContent = 6 * 7</script>"
    )
    expect(page).to_have_title("Queue")
    expect(page.locator("h1")).to_have_text("42")
