from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import sign_in
from tests.browser.seeing import at, row, wait_for
from tests.browser.test_queue import order
from tests.support.cases import ANNA, LEAD
from tests.support.chromium import PATIENCE
from tests.unit.triage_ui.serving import Served
from triage.accounts import Accounts

Scheme = Literal["light", "dark"]
SIZES = ((640, 400), (640, 800), (1024, 800), (1280, 800), (1920, 800))
"""Widths and heights; the first is a small screen at 200 % zoom."""
FITS = "() => document.documentElement.scrollWidth <= window.innerWidth"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> Scheme:
    given: Scheme = request.param
    return given


@pytest.fixture
def seen(browser: Browser, scheme: Scheme) -> Iterator[Page]:
    """A page under one scheme, with motion reduced."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE)
    with context:
        yield context.new_page()


FADING = "() => document.getAnimations().some((each) => each instanceof CSSTransition)"


def clean(page: Page) -> None:
    wait_for(page, lambda: not page.evaluate(FADING), "the end of what fades in")
    found = Axe().run(page, options=RULES)
    broken = [
        (one["id"], [(node["target"], node["failureSummary"][:300]) for node in one["nodes"][:3]])
        for one in found.response["violations"]
    ]
    assert not broken, broken


def test_no_page_breaks_a_rule(seen: Page, board: Served, scheme: Scheme) -> None:
    token = Accounts(board.store).add("zoe", "analyst", LEAD, time.time())
    for path in ("/sign-in", "/sign-in/change", f"/sign-in/password?token={token}"):
        seen.goto(f"{board.url}{path}")
        clean(seen)
    seen.goto(board.link())
    clean(seen)
    sign_in(seen, board)
    first, next_one = order(board)[:2]
    at(seen, first)
    assert seen.evaluate("() => document.documentElement.dataset.theme") == scheme
    clean(seen)
    seen.keyboard.press("x")
    expect(seen.get_by_label("What is expected?")).to_be_focused()
    clean(seen)
    seen.keyboard.press("Escape")
    seen.keyboard.press("s")
    at(seen, next_one)
    clean(seen)
    seen.keyboard.press("Control+k")
    expect(seen.locator("#palette").get_by_role("option").first).to_be_visible()
    clean(seen)
    seen.keyboard.press("Escape")
    seen.keyboard.press("Shift+J")
    seen.keyboard.press("r")
    expect(seen.get_by_role("dialog", name="Real: 2 clusters")).to_be_visible()
    clean(seen)
    seen.keyboard.press("Escape")
    seen.keyboard.press("Escape")
    seen.keyboard.press("?")
    expect(seen.get_by_role("dialog")).to_be_visible()
    clean(seen)
    seen.keyboard.press("Escape")
    expect(seen.get_by_role("dialog")).to_be_hidden()
    seen.keyboard.press("Enter")
    seen.wait_for_selector("#when-chart .point")
    seen.wait_for_selector(".members-grid .ag-row")
    clean(seen)
    seen.get_by_role("button", name="Merge into").click()
    expect(seen.get_by_role("dialog", name="Merge into")).to_be_visible()
    clean(seen)
    seen.keyboard.press("Escape")
    seen.get_by_role("tab", name="Record").click()
    expect(seen.locator("#record")).to_contain_text("terminal")
    clean(seen)
    seen.get_by_role("tab", name="Past cases").click()
    expect(seen.locator("#past-cases")).to_contain_text("cases like it")
    clean(seen)
    seen.get_by_role("tab", name="History").click()
    expect(seen.locator("#history")).to_contain_text("verdict")
    clean(seen)
    seen.goto(f"{board.url}/?text=nothing")
    expect(seen.locator("[data-empty='filter']")).to_be_visible()
    clean(seen)
    seen.goto(f"{board.url}/suppressions")
    expect(seen.locator("#suppressions")).to_contain_text("Nothing is kept out")
    clean(seen)


def test_only_a_lead_is_led_to_the_analysts(seen: Page, second: Page, board: Served) -> None:
    board.desk.decide(order(board)[0])
    sign_in(seen, board, LEAD)
    seen.get_by_role("link", name="Analysts").click()
    expect(seen.locator("#analysts table")).to_contain_text("anna")
    clean(seen)
    sign_in(second, board)
    expect(second.locator("#me-name")).to_have_text(ANNA.name)
    expect(second.get_by_role("link", name="Analysts")).to_be_hidden()


def test_what_is_drawn_can_be_hit_and_told_apart_and_heard(page: Page, board: Served) -> None:
    """Buttons are large enough and wear their keys; a verdict is never by colour alone.

    There is one polite live region for what happens.
    """
    sign_in(page, board)
    at(page, order(board)[0])
    for key, word in (("R", "Real"), ("S", "Spurious"), ("X", "Expected"), ("U", "Unsure")):
        button = page.get_by_role("button", name=f"{key} {word}")
        expect(button.locator(".key")).to_have_text(key)
    for button in page.get_by_role("button").all():
        box = button.bounding_box()
        if box is not None:
            assert box["width"] >= 24, button
            assert box["height"] >= 24, button
    for chip in page.locator(".chip").all():
        assert chip.locator(".shape").count() == 1
        assert (chip.text_content() or "").strip()
    page.keyboard.press("r")
    expect(page.locator("#announcer")).to_contain_text("marked real")
    assert page.locator("[aria-live='assertive'], [role='alert']").count() == 0


def test_the_switch_wins_over_the_system_and_stays(
    seen: Page, board: Served, scheme: Scheme
) -> None:
    other: Scheme = "light" if scheme == "dark" else "dark"
    sign_in(seen, board)
    at(seen, order(board)[0])
    seen.get_by_role("button", name="Switch between light and dark").click()
    theme = "() => document.documentElement.dataset.theme"
    assert seen.evaluate(theme) == other
    seen.reload()
    at(seen, order(board)[0])
    assert seen.evaluate(theme) == other
    ground = "() => getComputedStyle(document.querySelector('.queue-grid .ag-root-wrapper'))"
    colour = seen.evaluate(ground + ".backgroundColor")
    assert colour == ("rgb(15, 17, 22)" if other == "dark" else "rgb(247, 248, 250)")
    seen.get_by_role("button", name="Switch between light and dark").click()
    assert seen.evaluate(theme) == scheme
    seen.emulate_media(color_scheme=other)
    wait_for(seen, lambda: seen.evaluate(theme) == other, "the system's scheme")


def test_nothing_is_cut_off_at_any_size(page: Page, board: Served) -> None:
    sign_in(page, board)
    at(page, order(board)[0])
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        wait_for(page, lambda: page.evaluate(FITS), f"all in {width} x {height}")
        for button in page.locator("[data-verdict]").all():
            box = button.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            assert box["y"] + box["height"] <= height


@pytest.mark.parametrize("width", [1024, 1280, 1440, 1920])
def test_a_long_title_leaves_room_for_what_is_below(page: Page, board: Served, width: int) -> None:
    title = "1 payment, customer 2484, time since last payment 1 s (usual 2-40 h), amount 8x usual"
    cluster = board.desk.group(board.desk.add(1, margin=4.0), "long", title=title)
    page.set_viewport_size({"width": width, "height": 800})
    sign_in(page, board)
    at(page, cluster)
    expect(row(page, cluster).locator(".cluster-sub")).to_contain_text("customer c1")
    line = page.evaluate(
        """(cluster) => {
            const row = document.querySelector(`.ag-row[row-id="${cluster}"]`);
            const line = row.querySelector(".cluster-sub").getBoundingClientRect();
            return [line.width, row.getBoundingClientRect().bottom - line.bottom];
        }""",
        cluster,
    )
    assert line[0] >= 200
    assert line[1] >= 0
    expect(page.locator("#subject")).to_contain_text(title)


def test_a_clusters_page_is_one_column_at_twice_the_size(page: Page, board: Served) -> None:
    page.set_viewport_size({"width": 640, "height": 400})
    sign_in(page, board, path=f"/cluster/{order(board)[0]}")
    expect(page.get_by_role("heading", level=1)).to_be_in_viewport(ratio=1)
    for name in ("#why-title", "#cluster-tabs", "#read-title"):
        page.locator(name).scroll_into_view_if_needed()
        expect(page.locator(name)).to_be_in_viewport()
        expect(page.get_by_role("button", name="R Real")).to_be_in_viewport(ratio=1)
