"""V: what a verdict would change. Shift+A: the same for others alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import fill, sign_in
from tests.browser.seeing import at, toast, wait_for
from tests.browser.test_accessibility import clean
from tests.browser.test_queue import order
from tests.support.advisors import DRAFT, NOTHING, GivenAdvisor, alike
from tests.support.chromium import PATIENCE
from tests.unit.triage_ui.serving import Served
from triage.advisor import IfDecided, WhatIf
from triage.model import VerdictKind


@pytest.fixture
def board(bare: Served) -> Served:
    """A board whose advisor finds three clusters alike, one of them like a confirmed anomaly."""
    bare.stop()
    bare.advisor = advisor = GivenAdvisor()
    bare.start()
    fill(bare)
    ids = order(bare)
    advisor.advice = replace(
        NOTHING,
        open=812,
        lowered=143,
        fall=12,
        against=alike(ids[3]),
        against_total=3,
        same=4,
        other=1,
        alike=alike(*ids[3:6]),
        alike_total=5,
        behind=1200,
    )
    return bare


def given(board: Served) -> GivenAdvisor:
    assert isinstance(board.advisor, GivenAdvisor)
    return board.advisor


def panel(page: Page) -> Locator:
    return page.get_by_role("region", name="What it would change")


def asked(board: Served) -> IfDecided:
    question = given(board).asked[-1]
    assert isinstance(question, IfDecided)
    return question


def test_v_says_what_the_verdict_would_change(analyst: Page, board: Served) -> None:
    first = order(board)[0]
    at(analyst, first)
    expect(panel(analyst)).to_be_hidden()
    analyst.get_by_role("button", name="S Spurious").hover()
    analyst.keyboard.press("v")
    expect(panel(analyst)).to_contain_text(
        "Spurious would lower 143 of 812 other open clusters; 12 fall below the alert line."
    )
    expect(panel(analyst)).to_contain_text("3 of them resemble confirmed anomalies:")
    expect(panel(analyst)).to_contain_text("and 2 more")
    expect(panel(analyst)).to_contain_text("4 said the same, 1 did not")
    expect(panel(analyst)).to_contain_text("By the model of 1,200 events ago")
    question = asked(board)
    assert (question.cluster_id, question.kind) == (first, VerdictKind.SPURIOUS)
    assert len(question.read) == len(board.store.members(first, 0, 5))
    analyst.keyboard.press("Escape")
    expect(panel(analyst)).to_be_hidden()
    analyst.get_by_role("button", name="What would it change? V").click()
    expect(panel(analyst)).to_be_visible()
    analyst.keyboard.press("j")
    expect(panel(analyst)).to_be_hidden()


def test_shift_a_gives_it_to_the_ticked_each_as_its_own(analyst: Page, board: Served) -> None:
    ids = order(board)
    at(analyst, ids[0])
    analyst.get_by_role("button", name="S Spurious").hover()
    analyst.keyboard.press("v")
    boxes = panel(analyst).get_by_role("checkbox")
    expect(boxes).to_have_count(3)
    boxes.nth(1).click()
    expect(boxes.nth(1)).not_to_be_checked()
    analyst.keyboard.press("Shift+A")
    expect(panel(analyst)).to_be_hidden()
    expect(toast(analyst)).to_contain_text("marked spurious")
    wait_for(analyst, lambda: len(board.store.recent_verdicts(9)) == 2, "both verdicts")
    verdicts = board.store.recent_verdicts(9)
    listed = [one.cluster_id for one in given(board).advice.alike]
    assert {one.cluster_id for one in verdicts} == {listed[0], listed[2]}
    assert {one.kind for one in verdicts} == {VerdictKind.SPURIOUS}
    for one in verdicts:  # two members were listed; what nobody read stays open beside
        detail = board.store.cluster(one.cluster_id, 0)
        assert detail is not None
        assert (one.read, detail.members_total) == (2, 2)
        assert one.propagated > 0
    at(analyst, ids[0])
    analyst.keyboard.press("z")
    wait_for(
        analyst,
        lambda: "undone" in {one.state for one in board.store.recent_verdicts(9)},
        "one of them taken back",
    )


def test_expected_is_given_to_each_by_itself(analyst: Page, board: Served) -> None:
    at(analyst, order(board)[0])
    analyst.get_by_role("button", name="X Expected").hover()
    analyst.keyboard.press("v")
    expect(panel(analyst).get_by_role("checkbox")).to_have_count(3)
    expect(panel(analyst).get_by_role("button", name="for the ticked")).to_have_count(0)
    analyst.keyboard.press("Shift+A")
    expect(toast(analyst)).to_contain_text("given to each by itself")


def test_without_the_advisor_everything_else_goes_on(analyst: Page, board: Served) -> None:
    given(board).trouble = "the advisor has ended; ask again in a moment"
    at(analyst, order(board)[0])
    analyst.keyboard.press("v")
    expect(panel(analyst)).to_contain_text("Not available: the advisor has ended")
    analyst.keyboard.press("s")
    expect(toast(analyst)).to_contain_text("marked spurious")
    expect(panel(analyst)).to_be_hidden()


def test_it_is_there_on_the_clusters_page_too(analyst: Page, board: Served) -> None:
    at(analyst, order(board)[0])
    analyst.keyboard.press("Enter")
    analyst.wait_for_selector(".shap-bars")
    analyst.keyboard.press("v")
    expect(panel(analyst)).to_contain_text("812 other open clusters")


@pytest.fixture
def what_if(analyst: Page, board: Served) -> Locator:
    """Open the what-if tab of the first cluster's page."""
    at(analyst, order(board)[0])
    analyst.keyboard.press("Enter")
    analyst.get_by_role("tab", name="What if").click()
    return analyst.get_by_role("tabpanel", name="What if")


def test_what_if_says_the_smallest_change_and_scores_live(
    analyst: Page, board: Served, what_if: Locator
) -> None:
    expect(what_if).to_contain_text("As it is: 88 % likely real, margin 2, at or above")
    expect(what_if).to_contain_text("It would be normal with amount 20 € instead of 412 €.")
    slider = what_if.get_by_role("slider", name="amount")
    slider.focus()
    analyst.keyboard.press("ArrowLeft")
    expect(what_if).to_contain_text("So changed: 10 % likely real, margin -1, below")
    expect(what_if.locator("[data-feature=amount]")).to_contain_text("55 €")
    question = given(board).asked[-1]
    assert isinstance(question, WhatIf)
    assert question.changes == {"amount": 4.0}
    what_if.get_by_role("button", name="Reset").click()
    expect(what_if).to_contain_text("As it is: 88 % likely real")
    what_if.get_by_role("button", name="Set the smallest change").click()
    expect(what_if.locator("[data-feature=amount]")).to_contain_text("20 €")
    expect(what_if).to_contain_text("So changed: 10 % likely real, margin -2, below")


def test_verdicts_have_their_keys_after_a_slider_was_moved(
    analyst: Page, board: Served, what_if: Locator
) -> None:
    slider = what_if.get_by_role("slider", name="amount")
    slider.focus()
    analyst.keyboard.press("ArrowLeft")
    expect(what_if).to_contain_text("So changed")
    assert slider.evaluate("(one) => getComputedStyle(one).outlineStyle") == "solid"
    analyst.keyboard.press("s")
    wait_for(analyst, lambda: len(board.store.recent_verdicts(9)) == 1, "the verdict")


def test_what_if_without_the_advisor(analyst: Page, board: Served) -> None:
    given(board).trouble = "the model is being loaded; ask again in a moment"
    at(analyst, order(board)[0])
    analyst.keyboard.press("Enter")
    analyst.get_by_role("tab", name="What if").click()
    panel = analyst.get_by_role("tabpanel", name="What if")
    expect(panel).to_contain_text("Not available: the model is being loaded")


def test_a_rule_draft_shows_its_back_test_and_the_config(analyst: Page, board: Served) -> None:
    given(board).draft = DRAFT
    at(analyst, order(board)[0])
    analyst.keyboard.press("Enter")
    analyst.get_by_role("tab", name="Rule draft").click()
    shown = analyst.get_by_role("tabpanel", name="Rule draft")
    expect(shown).to_contain_text("amount at least 157.08 €.")
    expect(shown).to_contain_text("12 verdicts")
    expect(shown.locator("pre")).to_contain_text("kind: rules")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_neither_the_panel_nor_the_sliders_break_a_rule(
    browser: Browser, board: Served, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE)
    with context:
        page = context.new_page()
        given(board).draft = DRAFT
        sign_in(page, board)
        first = order(board)[0]
        at(page, first)
        page.get_by_role("button", name="S Spurious").hover()
        page.keyboard.press("v")
        expect(panel(page).get_by_role("checkbox")).to_have_count(3)
        clean(page)
        page.goto(f"{board.url}/cluster/{first}?tab=what_if")
        expect(page.get_by_role("slider", name="amount")).to_be_visible()
        clean(page)
        page.goto(f"{board.url}/cluster/{first}?tab=rule")
        expect(page.locator("#rule-config")).to_be_visible()
        clean(page)
