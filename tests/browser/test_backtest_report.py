"""The report of ``triage backtest`` as a browser shows it."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from streaming.backtest.report import page as report

HOSTILE = "</td></table><script>document.title = 'owned'</script><img src=x onerror=alert(1)>"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]}


def side(candidates: int) -> dict[str, object]:
    return {
        "version": "0123456789abcdef",
        "candidates": candidates,
        "share": 0.001,
        "per_day": 12.5,
        "judged": 4,
        "precision": 0.5,
        "precision_95": [0.15, 0.85],
        "held_back": 0,
        "dead_letters": 0,
        "cpu_us_per_event": 20.0,
        "hash": "0123456789abcdef",
    }


FOUND = {"partition": 0, "offset": 7, "time": 1.7e9, "margin": 0.1, "title": HOSTILE}
RESULT = {
    "stream": HOSTILE,
    "source": HOSTILE,
    "events": 9_000,
    "days": 0.5,
    "sampled_keys": "all",
    "new": side(3),
    "old": side(4),
    "verified_real": 1,
    "missed_by_old": 0,
    "volume": [{"from": 1.7e9 + 60 * i, "new": i % 3, "old": i % 5} for i in range(48)],
    "both": 2,
    "only_new": 1,
    "only_old": 2,
    "lost": [{**FOUND, "finding": HOSTILE}] * 3,
    "top_only_new": [{**FOUND, "verdict": None}],
    "top_only_old": [{**FOUND, "verdict": "real"}],
    "fails": ["3 verified findings would be lost"],
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_readable_in_both_schemes_and_fits_a_narrow_screen(
    browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    with browser.new_context(
        viewport={"width": 420, "height": 900}, color_scheme=scheme, bypass_csp=True
    ) as context:
        page = context.new_page()
        page.set_content(report(RESULT))
        assert page.evaluate("document.documentElement.scrollWidth") <= 420
        found = Axe().run(page, options=RULES).response["violations"]
        assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []


def test_hostile_text_is_text(browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: asked.append(dialog.message))
        page.set_content(report(RESULT))
        assert page.title() == f"Back-test of {HOSTILE}"
        assert page.locator("script, img").count() == 0
        assert page.get_by_text(HOSTILE).count() >= 7
        assert asked == []
