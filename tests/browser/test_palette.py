"""Finding things: the command palette, saved views, the tour."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Page, expect

from tests.browser.conftest import fill, sign_in
from tests.browser.seeing import at, row, rows
from tests.browser.test_queue import order
from tests.support.cases import BEN
from tests.unit.triage_ui.serving import Running, Served
from triage_ui.server import create_app
from triage_ui.settings import BoardSettings


def test_one_field_finds_pages_clusters_entities_and_actions(analyst: Page, board: Served) -> None:
    first = order(board)[0]
    at(analyst, first)
    analyst.keyboard.press("Control+k")
    field = analyst.get_by_role("combobox", name="Go to, or do")
    expect(field).to_be_focused()
    analyst.keyboard.type("metr")
    expect(analyst.locator("#palette").get_by_role("option", selected=True)).to_contain_text(
        "Metrics"
    )
    analyst.keyboard.press("Enter")
    expect(analyst).to_have_url(re.compile("/figures$"))
    analyst.keyboard.press("Control+k")
    analyst.keyboard.type("881")
    entity = analyst.get_by_role("option", name=re.compile("Entity.*terminal 881"))
    expect(entity).to_contain_text("12 clusters")
    expect(analyst.get_by_role("option", name=re.compile("^Cluster")).first).to_be_visible()
    entity.click()
    expect(analyst).to_have_url(re.compile("/entity/terminal/881$"))
    analyst.keyboard.press("Control+k")
    analyst.keyboard.press("Control+k")
    expect(analyst.locator("#palette")).to_be_hidden()


def test_the_queue_is_narrowed_to_a_cohort(analyst: Page, board: Served) -> None:
    spain = board.desk.cluster(1, "spain", cohorts={"country": "ES <b>"})
    analyst.keyboard.press("Control+k")
    analyst.keyboard.type("ES")
    analyst.get_by_role("option", name=re.compile("Cohort.*country ES.*1 cluster")).click()
    at(analyst, spain)
    assert rows(analyst) == [spain]
    expect(analyst).to_have_url(re.compile(r"cohort=country%3AES"))
    analyst.reload()
    chosen = analyst.get_by_label("Cohort")
    expect(chosen.locator("option:checked")).to_have_text("country ES <b>")
    chosen.select_option("all")
    at(analyst, order(board)[0])
    expect(analyst).not_to_have_url(re.compile("cohort="))


def test_the_queue_offers_the_cohorts_that_there_are(bare: Served, page: Page) -> None:
    bare.desk.cluster(1, "others")
    sign_in(page, bare)
    page.wait_for_selector("#subject")
    expect(page.get_by_text("Cohort", exact=True)).to_be_hidden()
    spain = bare.desk.cluster(1, "spain", cohorts={"country": "ES"})
    page.reload()
    page.get_by_label("Cohort").select_option("country ES")
    at(page, spain)
    assert rows(page) == [spain]
    expect(page).to_have_url(re.compile(r"cohort=country%3AES"))


def test_a_key_that_follows_the_closed_palette_at_once_is_not_lost(
    analyst: Page, board: Served
) -> None:
    """The field of the closed palette has the focus until the next frame."""
    first = order(board)[0]
    at(analyst, first)
    analyst.keyboard.press("Control+k")
    expect(analyst.locator("#palette").get_by_role("option").first).to_be_visible()
    typed = """() => {
        triage.byId("palette").close();
        const enter = {key: "Enter", bubbles: true, cancelable: true};
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", enter));
        return document.activeElement.id;
    }"""
    assert analyst.evaluate(typed) == "palette-text"
    expect(analyst).to_have_url(re.compile(f"/cluster/{first}$"))  # not where the palette stood


def test_a_verdict_key_typed_into_the_palette_decides_nothing(analyst: Page, board: Served) -> None:
    at(analyst, order(board)[0])
    analyst.keyboard.press("Control+k")
    analyst.keyboard.type("s r")
    analyst.keyboard.press("Escape")
    expect(analyst.locator("#palette")).to_be_hidden()
    assert board.store.recent_verdicts(9) == []


def test_a_view_is_kept_under_a_name_and_is_a_link(analyst: Page, board: Served) -> None:
    at(analyst, order(board)[0])
    analyst.goto(f"{board.url}/?status=all&order=largest")
    analyst.wait_for_selector("#subject")
    analyst.get_by_role("button", name="Save view").click()
    analyst.keyboard.type("Large ones")
    analyst.keyboard.press("Enter")
    link = analyst.get_by_role("link", name="Large ones")
    expect(link).to_have_attribute("href", "/?status=all&order=largest")
    analyst.get_by_role("link", name="Queue").click()
    expect(analyst).not_to_have_url(re.compile("status=all"))
    link.click()
    expect(analyst).to_have_url(re.compile("status=all"))
    analyst.reload()
    analyst.get_by_role("button", name="Forget the view Large ones").click()
    expect(link).to_have_count(0)


def test_a_view_is_shared_with_the_team_by_a_switch(
    analyst: Page, second: Page, board: Served
) -> None:
    analyst.goto(f"{board.url}/?order=newest")
    analyst.wait_for_selector("#subject")
    analyst.get_by_role("button", name="Save view").click()
    analyst.keyboard.type("New ones")
    analyst.get_by_role("switch", name="Share with the team").click()
    analyst.get_by_role("button", name="Save Enter").click()
    share = analyst.get_by_role("button", name="keep New ones to yourself")
    expect(share).to_have_attribute("aria-pressed", "true")
    sign_in(second, board, BEN)
    theirs = second.get_by_role("link", name="New ones")
    expect(theirs).to_have_attribute("title", "New ones, shared by anna")
    expect(second.get_by_role("button", name="Forget the view New ones")).to_have_count(0)
    share.click()
    expect(analyst.get_by_role("button", name="Share New ones with the team")).to_be_visible()
    second.reload()
    second.wait_for_selector("#subject")
    expect(second.locator("#me-name")).to_have_text("ben")
    expect(theirs).to_have_count(0)
    assert [(one.owner, one.shared) for one in board.store.views("anna")] == [("anna", False)]


def test_views_that_the_browser_kept_move_to_the_account(analyst: Page, board: Served) -> None:
    kept = '[{"name": "Old", "address": "/?status=decided"}]'
    analyst.evaluate("kept => localStorage.setItem('triage.views', kept)", kept)
    analyst.reload()
    expect(analyst.get_by_role("link", name="Old")).to_have_attribute("href", "/?status=decided")
    assert analyst.evaluate("localStorage.getItem('triage.views')") is None
    assert [one.name for one in board.store.views("anna")] == ["Old"]


def test_the_tour_comes_once_on_the_demo_and_stops_nothing(page: Page, bare: Served) -> None:
    first = fill(bare, 2)[0]
    settings = BoardSettings(clock=time.time, poll_s=0.05, ping_s=0.5, environment="demo")
    demo = Running(create_app(bare.desk.triage, bare.store, bare.store, settings))
    try:
        page.goto(bare.link().replace(bare.url, demo.url) + "&next=/")
        page.get_by_role("button", name="Continue").click()
        tour = page.get_by_role("dialog", name="What is worth a look comes first")
        expect(tour).to_be_visible()
        at(page, first)
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog", name="Why it is here")).to_be_visible()
        page.keyboard.press("j")
        page.keyboard.press("k")
        page.get_by_role("link", name="Metrics").click()
        expect(page.get_by_role("heading", name="Metrics")).to_be_visible()
        expect(page.locator("#tour"), "it speaks of another page").to_be_hidden()
        page.go_back()
        expect(page.get_by_role("dialog", name="Why it is here")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#tour")).to_be_hidden()
        page.reload()
        expect(row(page, first)).to_be_visible()
        expect(page.locator("#tour")).to_be_hidden()
    finally:
        demo.stop()
