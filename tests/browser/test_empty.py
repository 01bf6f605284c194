from __future__ import annotations

import time

from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.seeing import at, rows, toast, wait_for
from tests.browser.test_queue import arrive, order
from tests.unit.triage_ui.serving import Served
from triage.model import Counters


def commit(board: Served, accepted: int, warm_up_left: int) -> None:
    part = board.desk.part(counters=Counters(accepted=accepted), warm_up_left=warm_up_left)
    board.desk.commit(part, at=time.time())


def test_before_the_first_event(page: Page, bare: Served) -> None:
    sign_in(page, bare)
    expect(page.locator("[data-empty='waiting']")).to_contain_text("No events yet")
    expect(page.get_by_role("button", name="R Real")).to_be_disabled()


def test_while_a_stream_warms_up_and_the_first_cluster_appears_by_itself(
    page: Page, bare: Served
) -> None:
    commit(bare, 312, 200)
    sign_in(page, bare)
    line = "payments: learning what is normal, 312 of 512 events; no alerts before that"
    expect(page.locator("#banner")).to_contain_text(line)
    expect(page.locator("[data-empty='warming']")).to_contain_text(line)
    commit(bare, 200, 0)
    expect(page.locator("#banner")).to_be_empty()
    cluster = arrive(bare, "first", margin=1.0)
    at(page, cluster)
    wait_for(page, lambda: rows(page) == [cluster], "one row")


def test_all_decided_is_all_clear(page: Page, bare: Served) -> None:
    for number in range(3):
        arrive(bare, f"cluster {number}", margin=float(number))
    sign_in(page, bare)
    for cluster in order(bare):
        at(page, cluster)
        page.keyboard.press("s")
    clear = page.locator("[data-empty='clear']")
    expect(clear).to_contain_text("All clear")
    expect(clear).to_contain_text("3 decided today")
    page.keyboard.press("z")
    expect(toast(page)).to_contain_text("open again")
    expect(clear).to_be_hidden()
    wait_for(page, lambda: len(rows(page)) == 1, "the row that is open again")


def test_a_filter_that_matches_nothing_is_named_and_cleared(page: Page, board: Served) -> None:
    sign_in(page, board)
    first = order(board)[0]
    at(page, first)
    page.locator("#search").fill("no such thing")
    empty = page.locator("[data-empty='filter']")
    expect(empty).to_contain_text("You filter by text “no such thing”.")
    empty.get_by_role("button", name="Clear filters").click()
    at(page, first)
    expect(page.locator("#search")).to_have_value("")
