from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page, Request, expect

from tests.browser.conftest import sign_in
from tests.browser.seeing import at, row, wait_for
from tests.browser.test_queue import order
from tests.support.cases import a_reason
from tests.unit.triage_ui.serving import Served

SCRIPT = "<script>window.hacked = 1</script>"
IMAGE = '<img src=x onerror="window.hacked = 1">'
QUOTES = "\"'`&amp;</td></pre>{{7*7}}${7*7}"
TURNED = "invoice\u202efdp.exe\u2066\u200b"
LONG = "x" * 10_000
HOSTILE = (
    SCRIPT,
    IMAGE,
    QUOTES,
    TURNED,
    LONG,
    "[click](javascript:window.hacked=1)",
    "مرحبا 你好 🙂",
)


def hostile_cluster(board: Served) -> str:
    """Make one cluster with hostile text wherever a stream can put text."""
    reasons = tuple(
        a_reason(text[:60], 2.0 - 0.1 * index, label=text, text=text, usual=text)
        for index, text in enumerate(HOSTILE)
    )
    entities = {text[:40]: text for text in HOSTILE[:3]}
    record = {text: text for text in HOSTILE}
    context = ({"time": 1.0, "fields": {IMAGE: IMAGE, "amount": 3.0}},)
    given: dict[str, Any] = {
        "reasons": reasons,
        "entities": entities,
        "record": {**record, "amount": 412.0},
        "context": context,
        "entity": IMAGE,
        "detector": IMAGE,
        "method": IMAGE,
    }
    members = board.desk.add(3, **given)
    return board.desk.group(members, title=SCRIPT + IMAGE + TURNED, subtitle=QUOTES + IMAGE)


def unharmed(page: Page) -> None:
    assert page.evaluate("() => window.hacked") is None
    assert page.locator("img[src='x']").count() == 0
    text = page.evaluate("() => document.body.innerText")
    assert "\u202e" not in text
    assert "\u200b" not in text


def test_hostile_text_is_only_text_everywhere(page: Page, bare: Served) -> None:
    refused: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            refused.append(message.text)

    page.on("console", listen)
    cluster = hostile_cluster(bare)
    sign_in(page, bare)
    at(page, cluster)
    expect(row(page, cluster)).to_contain_text("<script>")
    expect(row(page, cluster)).to_contain_text("<U+202E>")
    expect(page.locator("#preview")).to_contain_text("<img src=x")
    unharmed(page)
    page.keyboard.press("x")
    expect(page.get_by_label("What is expected?")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_selector(".shap-bars")
    page.get_by_role("tab", name="Record").click()
    expect(page.locator("#record")).to_contain_text("<img src=x")
    expect(page.locator("#record")).to_contain_text("xxxxxxxxxx")
    page.locator("#when-chart .point").first.hover(force=True)
    page.locator(".shap-bar").first.hover(force=True)
    unharmed(page)
    page.keyboard.press("r")
    expect(page.locator("#toasts")).to_contain_text("<script>")
    unharmed(page)
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    assert refused == []


def test_hostile_text_in_the_address_is_only_text(analyst: Page, board: Served) -> None:
    analyst.goto(f"{board.url}/?stream={IMAGE}&text={SCRIPT}&cluster={QUOTES}")
    expect(analyst.locator("[data-empty='filter']")).to_contain_text("<img src=x")
    unharmed(analyst)
    analyst.get_by_role("button", name="Clear filters").click()
    at(analyst, order(board)[0])


def test_no_page_asks_another_host_for_anything(analyst: Page, board: Served) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    analyst.on("request", note)
    analyst.reload()
    at(analyst, order(board)[0])
    analyst.keyboard.press("Enter")
    analyst.wait_for_selector("#when-chart .point")
    analyst.goto(f"{board.url}/sign-in")
    outside = [url for url in asked if not url.startswith((board.url, "data:", "blob:"))]
    assert outside == []
    assert len(asked) > 20


def test_no_chart_offers_to_share_its_data(analyst: Page, board: Served) -> None:
    analyst.keyboard.press("Enter")
    analyst.wait_for_selector(".shap-bars")
    analyst.locator("#when-chart").hover()
    assert analyst.locator(".modebar-btn").count() == 0
    assert analyst.locator("#page").get_by_text("Share", exact=False).count() == 0


def test_inline_script_is_refused_by_the_policy(analyst: Page) -> None:
    analyst.evaluate(
        """() => {
            window.addEventListener('securitypolicyviolation', () => (window.stopped = true));
            const script = document.createElement('script');
            script.textContent = 'window.hacked = 1';
            document.head.append(script);
        }"""
    )
    wait_for(analyst, lambda: analyst.evaluate("() => window.stopped"), "the refusal")
    assert analyst.evaluate("() => window.hacked") is None


@pytest.fixture
def analyst(page: Page, board: Served) -> Page:
    """Anna before the queue; here the console may complain."""
    sign_in(page, board)
    page.wait_for_selector("#subject")
    return page
