"""Working beside others, and faster: reasons, assignment, many at once, moved keys, presence."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.seeing import at, cursor, intercept, row, toast, wait_for
from tests.browser.test_queue import order
from tests.support.cases import BEN, LEAD
from tests.unit.triage_ui.serving import Served
from triage.model import VerdictKind


def test_a_reason_goes_with_the_verdict_by_one_key(analyst: Page, board: Served) -> None:
    first, then = order(board)[:2]
    at(analyst, first)
    analyst.keyboard.press("2")
    chip = analyst.get_by_role("button", name="Known pattern")
    expect(chip).to_have_attribute("aria-pressed", "true")
    analyst.keyboard.press("s")
    wait_for(analyst, lambda: board.store.recent_verdicts(1), "the verdict")
    assert board.store.recent_verdicts(1)[0].reason == "Known pattern"
    at(analyst, then)
    expect(chip).to_have_attribute("aria-pressed", "false")


def test_a_cluster_is_assigned_and_found_under_mine(analyst: Page, board: Served) -> None:
    first = order(board)[0]
    at(analyst, first)
    analyst.keyboard.press("a")
    expect(toast(analyst)).to_contain_text("Assigned to you")
    expect(row(analyst, first)).to_contain_text("anna")
    analyst.get_by_role("link", name="Mine").click()
    expect(analyst).to_have_url(re.compile("assignee=me"))
    expect(analyst.locator(".queue-grid .ag-center-cols-container .ag-row")).to_have_count(1)
    at(analyst, first)
    expect(analyst.locator("#preview")).to_contain_text("assigned to anna")
    analyst.keyboard.press("a")
    expect(toast(analyst)).to_contain_text("Nobody's now")


def test_many_at_once_each_get_a_verdict_of_their_own(analyst: Page, board: Served) -> None:
    first, second, third, fourth = order(board)[:4]
    at(analyst, first)
    analyst.keyboard.press("Shift+J")
    under = row(analyst, second).get_attribute("aria-selected")  # at once, not later by chance
    assert under == "true"
    at(analyst, second)
    row(analyst, fourth).click(modifiers=["Control"])
    expect(analyst.locator("#chosen-count")).to_have_text("3 chosen")
    expect(analyst.locator(".queue-grid .row-chosen")).to_have_count(3)
    assert cursor(analyst) == second
    analyst.keyboard.press("s")
    sheet = analyst.get_by_role("dialog", name="Spurious: 3 clusters")
    expect(sheet.locator(".bulk-row")).to_have_count(3)
    expect(sheet.locator(".bulk-row").first).to_contain_text("412 €")
    analyst.keyboard.press("Enter")
    wait_for(analyst, lambda: len(board.store.recent_verdicts(9)) == 3, "three verdicts")
    given = board.store.recent_verdicts(9)
    assert {one.cluster_id for one in given} == {first, second, fourth}
    assert {(str(one.kind), one.read) for one in given} == {("spurious", 1)}
    expect(analyst.locator("#chosen")).to_be_hidden()
    expect(analyst.locator(".queue-grid .row-chosen")).to_have_count(0)
    at(analyst, third)


def test_a_key_can_be_moved_and_put_back(analyst: Page, board: Served) -> None:
    at(analyst, order(board)[0])
    analyst.keyboard.press("?")
    change = analyst.get_by_role("button", name="Change the key for: spurious")
    change.click()
    analyst.keyboard.press("r")
    expect(analyst.locator("#announcer")).to_contain_text("taken already")
    change.click()
    analyst.keyboard.press("d")
    expect(analyst.get_by_role("dialog")).to_contain_text("D")
    analyst.keyboard.press("Escape")
    expect(analyst.locator(".verdict-spurious .key")).to_have_text("D")
    analyst.reload()
    at(analyst, order(board)[0])
    analyst.keyboard.press("s")
    analyst.keyboard.press("d")
    wait_for(analyst, lambda: board.store.recent_verdicts(9), "the verdict")
    assert [str(one.kind) for one in board.store.recent_verdicts(9)] == ["spurious"]
    analyst.keyboard.press("?")
    analyst.get_by_role("button", name="Put all keys back").click()
    expect(analyst.locator(".verdict-spurious .key")).to_have_text("S")


def test_who_looks_is_seen_and_left_alone(analyst: Page, second: Page, board: Served) -> None:
    one, two, three = order(board)[:3]
    at(analyst, one)
    sign_in(second, board, BEN)
    at(second, one)
    expect(analyst.locator("#watchers")).to_contain_text("ben is looking at this too")
    second.keyboard.press("j")
    at(second, two)
    expect(row(analyst, two)).to_contain_text("ben looks")
    expect(analyst.locator("#watchers")).to_be_hidden()
    analyst.keyboard.press("s")
    at(analyst, three)


def test_a_lead_who_is_second_sees_whose_it_was_and_can_disagree(page: Page, board: Served) -> None:
    first = order(board)[0]
    sign_in(page, board, LEAD)
    at(page, first)
    intercept(page, "**/api/v1/changes**", lambda route: route.abort())
    page.evaluate("document.querySelector('#subject').dataset.revision = '1'")
    board.desk.decide(first, VerdictKind.REAL, BEN, at=time.time())
    page.keyboard.press("s")
    line = toast(page)
    expect(line).to_contain_text("marked real by ben")
    expect(line.get_by_role("button", name="see why")).to_be_visible()
    expect(line.get_by_role("button", name="keep it")).to_be_visible()
    line.get_by_role("button", name="disagree").click()
    wait_for(page, lambda: len(board.store.recent_verdicts(9)) == 2, "the lead's verdict")
    newest, before = board.store.recent_verdicts(9)
    assert (newest.actor, str(newest.kind), str(before.state)) == ("lea", "spurious", "undone")


def disputed(page: Page, board: Served) -> tuple[str, str]:
    """Let Ben mark the first cluster real and Anna disagree; return the cluster and the verdict."""
    first = order(board)[0]
    verdict = board.desk.decide(first, VerdictKind.REAL, BEN, at=time.time())
    page.goto(f"{board.url}/cluster/{first}")
    page.wait_for_selector("#subject")
    page.keyboard.press("s")
    line = toast(page)
    expect(line).to_contain_text("marked real by ben")
    line.get_by_role("button", name="disagree").click()
    expect(line).to_contain_text("You say spurious: a lead decides")
    expect(page.locator(".disputed")).to_contain_text("anna disagrees")
    return first, verdict.verdict_id


def test_an_analyst_disagrees_and_a_lead_decides(
    analyst: Page, second: Page, board: Served
) -> None:
    first, verdict = disputed(analyst, board)
    sign_in(second, board, LEAD, path="/?status=disputed")
    at(second, first)
    expect(second.locator(".rail #disputed-count")).to_have_text("1")
    second.get_by_role("button", name="Take it back").click()
    expect(toast(second)).to_contain_text("open again")
    second.goto(f"{board.url}/cluster/{first}?tab=history")
    expect(second.locator(".section-disputes")).to_contain_text("taken back by lea")
    detail = board.store.cluster(first, 0)
    assert detail is not None
    assert [(one.verdict_id, str(one.state)) for one in detail.verdicts] == [(verdict, "undone")]


def test_who_disagrees_can_withdraw_and_the_verdict_never_moved(
    analyst: Page, board: Served
) -> None:
    first, verdict = disputed(analyst, board)
    toast(analyst).get_by_role("button", name="withdraw").click()
    expect(toast(analyst)).to_contain_text("the verdict stands")
    expect(analyst.locator(".disputed")).to_have_count(0)
    detail = board.store.cluster(first, 0)
    assert detail is not None
    assert [str(one.state) for one in detail.disputes] == ["withdrawn"]
    assert [one.verdict_id for one in detail.verdicts] == [verdict]
    assert detail.row.verdict is VerdictKind.REAL
