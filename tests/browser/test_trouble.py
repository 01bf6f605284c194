"""What goes wrong: nothing is lost, and the page says what happened and what helps."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import sign_in
from tests.browser.seeing import at, intercept, row, toast, wait_for
from tests.browser.test_queue import arrive, order
from tests.support.cases import BEN, VIEWER
from tests.unit.triage_ui.serving import Served
from triage.model import VerdictKind
from triage_ui.sessions import SESSION_COOKIE


def test_two_analysts_at_once_and_the_second_learns_of_the_first(
    page: Page, second: Page, board: Served
) -> None:
    sign_in(page, board)
    first = order(board)[0]
    at(page, first)
    sign_in(second, board, BEN)
    at(second, first)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    intercept(page, "**/verdicts", hold)
    page.keyboard.press("r")
    expect(row(page, first)).to_contain_text("saving")
    second.keyboard.press("s")
    expect(toast(second)).to_contain_text("marked spurious")
    wait_for(page, lambda: held, "the first one's verdict")
    held[0].continue_()
    expect(toast(page)).to_contain_text(re.compile(r"marked spurious by ben \d+ s ago"))
    expect(toast(page)).to_contain_text("Yours was not counted")
    expect(row(page, first)).to_contain_text("by ben")
    assert [verdict.actor for verdict in board.store.recent_verdicts(9)] == ["ben"]


def test_of_others_verdicts_only_those_on_the_screen_are_asked_for(
    page: Page, board: Served
) -> None:
    first, listed, elsewhere = order(board)[:3]
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url) if "/verdicts/" in sent.url else None)
    sign_in(page, board, path=f"/cluster/{first}")  # one cluster: the queue is not here
    page.evaluate(
        "() => { window.heard = []; triage.on('change', (one) => heard.push(one.data.id)); }"
    )
    unseen = board.desk.decide(elsewhere, actor=BEN, at=time.time()).verdict_id
    wait_for(page, lambda: unseen in page.evaluate("() => window.heard"), "the news")
    page.keyboard.press("Escape")
    at(page, first)
    seen = board.desk.decide(listed, actor=BEN, at=time.time()).verdict_id
    expect(row(page, listed)).to_contain_text("by ben")
    assert [url.rpartition("/")[2] for url in asked] == [seen]


def test_a_verdict_that_fails_stays_in_sight_and_is_sent_again_under_its_key(
    page: Page, board: Served
) -> None:
    sign_in(page, board)
    first, next_one = order(board)[:2]
    at(page, first)
    keys: list[str] = []

    def fail(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        route.abort()

    intercept(page, "**/verdicts", fail)
    page.keyboard.press("r")
    tray = page.locator("#toasts .tray")
    expect(tray).to_contain_text("Not saved (1)")
    expect(tray).to_contain_text("can't be reached")
    expect(row(page, first)).to_contain_text("not saved")
    expect(row(page, first)).to_contain_class("row-unsaved")
    at(page, next_one)
    tray.get_by_role("button", name="try again").click()
    wait_for(page, lambda: len(keys) == 2, "the second try")
    page.unroute("**/verdicts")
    tray.get_by_role("button", name="try again").click()
    expect(tray).to_be_empty()
    expect(row(page, first)).to_contain_text("pending")
    expect(row(page, first)).not_to_contain_class("row-unsaved")
    assert keys[0] == keys[1]
    assert len(board.store.recent_verdicts(9)) == 1


def test_an_answer_that_is_lost_does_not_make_two_verdicts(page: Page, board: Served) -> None:
    sign_in(page, board)
    first = order(board)[0]
    at(page, first)

    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    intercept(page, "**/verdicts", lose_the_answer)
    page.keyboard.press("r")
    tray = page.locator("#toasts .tray")
    expect(tray).to_contain_text("Not saved (1)")
    page.unroute("**/verdicts")
    tray.get_by_role("button", name="try again").click()
    expect(tray).to_be_empty()
    assert len(board.store.recent_verdicts(9)) == 1
    page.keyboard.press("z")
    expect(toast(page)).to_contain_text("open again")


def test_the_page_survives_a_restart_and_misses_nothing(page: Page, board: Served) -> None:
    sign_in(page, board)
    clusters = order(board)
    at(page, clusters[0])
    page.keyboard.press("j")
    at(page, clusters[1])
    expect(page.locator("#live-text")).to_have_text(re.compile("Live"))
    board.stop()
    expect(page.locator("#live-text")).to_have_text(re.compile("Offline"))
    page.keyboard.press("s")
    expect(page.locator("#toasts .tray")).to_contain_text("Not saved (1)")
    arrived = arrive(board, "while away", margin=-9.0)
    board.start()
    expect(page.locator("#live-text")).to_have_text(re.compile("Live"))
    expect(page.locator("#toasts .tray")).to_be_empty()
    wait_for(page, lambda: board.store.recent_verdicts(1), "the kept verdict")
    assert board.store.recent_verdicts(1)[0].cluster_id == clusters[1]
    expect(row(page, arrived)).to_be_visible()  # by itself: the screen is not full


def test_changes_are_heard_once_and_in_order_over_a_restart(page: Page, board: Served) -> None:
    sign_in(page, board)
    at(page, order(board)[0])
    page.evaluate(
        "() => { window.heard = []; triage.on('change', (change) => heard.push(change.id)); }"
    )
    expect(page.locator("#live-text")).to_have_text(re.compile("Live"))
    start = board.store.status(time.time()).position
    for number in range(3):
        arrive(board, f"before {number}", margin=0.0)
    wait_for(page, lambda: page.evaluate("() => window.heard.length > 0"), "the first change")
    board.stop()
    for number in range(3):
        arrive(board, f"between {number}", margin=0.0)
    board.start()
    for number in range(3):
        arrive(board, f"after {number}", margin=0.0)
    end = board.store.status(time.time()).position
    wait_for(page, lambda: end in page.evaluate("() => window.heard"), "the last change")
    heard = page.evaluate("() => window.heard")
    assert heard == list(range(start + 1, end + 1))


def test_what_a_script_tells_a_component_waits_until_dash_has_it(
    analyst: Page, board: Served
) -> None:
    at(analyst, order(board)[0])
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    intercept(analyst, "**/_dash-layout*", hold)
    analyst.goto(board.url, wait_until="commit")
    wait_for(analyst, lambda: held, "the layout is asked for")
    started = "Boolean(window.triage && window.dash_clientside?.set_props)"
    wait_for(analyst, lambda: analyst.evaluate(started), "Dash's renderer")
    analyst.evaluate("triage.setProps('member', {data: 'first'})")
    analyst.evaluate("triage.setProps('member', {data: 'second'})")
    held[0].continue_()
    analyst.wait_for_selector("#subject")
    kept = "window.dash_component_api.getLayout('member').props.data"
    assert analyst.evaluate(kept) == "second"
    analyst.evaluate("triage.setProps('split-button', {children: 'of a page that was left'})")
    analyst.evaluate("triage.setProps('member', {data: 'third'})")
    assert analyst.evaluate(kept) == "third"


def test_a_page_whose_layout_was_refused_once_comes_all_the_same(page: Page, board: Served) -> None:
    sign_in(page, board)
    at(page, order(board)[0])
    refused: list[Route] = []

    def refuse_once(route: Route) -> None:
        if refused:
            route.continue_()
            return
        refused.append(route)
        route.fulfill(status=503, body="{}")

    intercept(page, "**/_dash-layout*", refuse_once)
    page.goto(board.url)
    at(page, order(board)[0])
    assert refused


def test_a_viewer_is_told_why_not(page: Page, board: Served) -> None:
    sign_in(page, board, VIEWER)
    first = order(board)[0]
    at(page, first)
    page.keyboard.press("r")
    expect(toast(page)).to_contain_text("vic (viewer) may not decide")
    expect(row(page, first)).not_to_contain_text("saving")
    assert board.store.recent_verdicts(1) == []


def test_a_session_that_ended_says_so_and_keeps_what_is_not_saved(
    page: Page, board: Served
) -> None:
    sign_in(page, board)
    at(page, order(board)[0])
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    board.store.end(cookies[SESSION_COOKIE], time.time())
    page.keyboard.press("r")
    expect(page.locator("#toasts")).to_contain_text("Your session has ended")
    expect(page.locator("#toasts .tray")).to_contain_text("Not saved (1)")
    sign_in(page, board)
    expect(page.locator("#toasts .tray")).to_be_empty()
    wait_for(page, lambda: board.store.recent_verdicts(1), "the kept verdict")


def test_a_queue_that_cannot_be_read_says_so_and_comes_back(page: Page, board: Served) -> None:
    refused = True

    def sometimes(route: Route) -> None:
        if refused:
            route.fulfill(status=500, json={"detail": "the disk is full"})
        else:
            route.continue_()

    page.route("**/api/v1/queue**", sometimes)
    sign_in(page, board)
    expect(toast(page)).to_contain_text("the disk is full")
    refused = False
    toast(page).get_by_role("button", name="try again").click()
    at(page, order(board)[0])


def test_a_cluster_that_comes_before_its_page_has_started_is_drawn(
    page: Page, board: Served
) -> None:
    """Tabs in the background get their timers once a second, but what they ask for at once."""
    first = order(board)[0]
    page.add_init_script(
        "const set = setTimeout; window.setTimeout = (work, ms, ...more) =>"
        " set(work, ms === 20 ? 4000 : ms, ...more);"
    )
    sign_in(page, board, path=f"/cluster/{first}")
    expect(page.locator("#subject .title")).to_be_visible()
    expect(page.locator("#cluster-side")).to_contain_text("If you say")


def test_a_drawing_that_could_not_be_read_comes_with_the_board(page: Page, board: Served) -> None:
    lost: list[str] = []

    def lose(route: Route) -> None:
        if '"output":"when.data-drawn"' in (route.request.post_data or "") and not lost:
            lost.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route("**/_dash-update-component**", lose)
    sign_in(page, board)
    at(page, order(board)[0])
    wait_for(page, lambda: lost, "the drawing is asked for")
    expect(page.locator("#preview-when .dot")).to_have_count(0)
    page.evaluate("triage.emit('hello', { again: true })")
    expect(page.locator("#preview-when .dot").first).to_be_visible()


def test_a_verdict_on_a_decided_cluster_is_not_sent(analyst: Page, board: Served) -> None:
    first = order(board)[0]
    board.desk.decide(first, VerdictKind.REAL, BEN, time.time())
    analyst.goto(f"{board.url}/cluster/{first}")
    expect(analyst.get_by_text("by ben").first).to_be_visible()
    analyst.keyboard.press("s")
    expect(toast(analyst)).to_contain_text("marked real by ben")
    expect(toast(analyst)).to_contain_text("Yours was not counted")
    assert len(board.store.recent_verdicts(9)) == 1
    board.desk.decide(order(board)[1], VerdictKind.REAL, at=time.time())
    analyst.goto(f"{board.url}/cluster/{board.store.recent_verdicts(1)[0].cluster_id}")
    expect(analyst.get_by_text("by anna").first).to_be_visible()
    analyst.keyboard.press("s")
    expect(toast(analyst)).to_contain_text("Decided already. Z takes it back.")
    assert len(board.store.recent_verdicts(9)) == 2


def test_a_second_opinion_is_blind(page: Page, board: Served) -> None:
    first = order(board)[0]
    board.desk.decide(first, VerdictKind.UNSURE, BEN, time.time())
    sign_in(page, board)
    at(page, first)
    expect(row(page, first)).to_contain_text("Real 95 %")
    page.keyboard.press("Enter")
    page.get_by_role("tab", name="History").click()
    expect(page.locator("#history")).to_contain_text("No verdict yet")
    assert "ben" not in page.locator("body").inner_text()
    page.keyboard.press("s")
    expect(page.locator("#history")).to_contain_text("by anna")
