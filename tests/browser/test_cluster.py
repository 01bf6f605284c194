from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import sign_in
from tests.browser.seeing import at, row, scroll_down_to, toast, wait_for
from tests.browser.test_queue import order
from tests.support.cases import BEN, a_reason
from tests.unit.triage_ui.serving import Served
from triage.commands import MergeClusters
from triage.links import Link
from triage.model import VerdictKind

EDGES = """(found) => found.map((each) => {
    const box = each.getBoundingClientRect();
    return [box.top, box.bottom];
})"""


@pytest.fixture
def cluster(analyst: Page, board: Served) -> str:
    """Open the first cluster's page."""
    first = order(board)[0]
    at(analyst, first)
    analyst.keyboard.press("Enter")
    analyst.wait_for_selector(".shap-bars")
    return first


def open_history(page: Page) -> Locator:
    """Choose the tab that lists the verdicts; return it."""
    page.get_by_role("tab", name="History").click()
    expect(page.locator("#history")).to_be_visible()
    return page.locator("#history")


def test_a_link_opens_the_tab_that_its_sender_saw(page: Page, board: Served) -> None:
    first = order(board)[0]
    sign_in(page, board, path=f"/cluster/{first}")
    page.wait_for_selector(".members-grid .ag-row")
    page.goto(f"{board.url}/cluster/{first}?tab=history")
    expect(page.locator("#history")).to_contain_text("No verdict yet")
    expect(page.get_by_role("tab", name="History")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#members-grid")).to_have_count(0)
    page.get_by_role("tab", name="History").focus()
    page.keyboard.press("ArrowRight")  # from the last to the first
    page.wait_for_selector(".members-grid .ag-row")
    page.keyboard.press("End")
    expect(page.get_by_role("tab", name="History")).to_be_focused()
    expect(page.locator("#history")).to_be_visible()
    expect(page).to_have_url(re.compile("tab=history"))


def test_it_says_why_when_and_what_if(analyst: Page, cluster: str) -> None:
    expect(analyst.get_by_role("heading", level=1)).to_contain_text("payments, terminal 881")
    table = analyst.locator(".shap-table")
    expect(table.get_by_role("row", name="amount")).to_contain_text("412 €")
    expect(table.get_by_role("row", name="amount")).to_contain_text("20–55 €")
    expect(table.get_by_role("row", name="amount")).to_contain_text("+1.00")
    expect(analyst.locator(".shap-bar")).to_have_count(2)
    expect(analyst.locator(".shap-bar .spread")).not_to_have_count(0)
    expect(analyst.locator(".when .twin")).to_contain_text("beside")
    expect(analyst.locator("#when-chart .point").first).to_be_visible()
    expect(analyst.locator("#cluster-side")).to_contain_text("Nothing like it has been decided")


def test_the_bars_stand_in_the_rows_of_their_texts(analyst: Page, cluster: str) -> None:
    texts = analyst.locator(".shap-table tbody tr").evaluate_all(EDGES)
    bars = analyst.locator(".shap-bar .mean").evaluate_all(EDGES)
    assert len(texts) == len(bars) > 0
    for (top, bottom), bar in zip(texts, bars, strict=True):
        assert top < sum(bar) / 2 < bottom


def test_records_are_gone_through_with_the_keyboard(analyst: Page, cluster: str) -> None:
    analyst.get_by_role("tab", name="Record").click()
    choice = analyst.get_by_label("Record of")
    address = analyst.url
    before = choice.input_value()
    choice.focus()
    for _ in range(2):
        with analyst.expect_response(lambda one: "_dash-update-component" in one.url):
            analyst.keyboard.press("ArrowDown")
    expect(choice).to_be_focused()
    assert choice.input_value() != before
    assert analyst.url.partition("?")[0] == address.partition("?")[0]


def test_the_open_tab_chosen_again_keeps_what_was_picked(analyst: Page, cluster: str) -> None:
    pick = analyst.locator(".members-grid input[data-pick]").first
    pick.check()
    analyst.get_by_role("tab", name="Members").click()
    analyst.wait_for_timeout(500)  # nothing is to happen
    expect(pick).to_be_checked()


def test_news_of_the_cluster_leaves_the_focus_where_it_is(
    analyst: Page, board: Served, cluster: str
) -> None:
    link = analyst.locator("#cluster-head .entity-links a").first
    link.focus()
    board.desk.decide(cluster, VerdictKind.SPURIOUS, actor=BEN, at=time.time())
    expect(analyst.locator("#cluster-head")).to_contain_text("ben")
    expect(link).to_be_focused()


def test_what_a_verdict_would_do_is_told_before_it_is_given(analyst: Page, cluster: str) -> None:
    side = analyst.locator("#cluster-side")
    expect(side).to_contain_text("If you say real")
    analyst.get_by_role("button", name="P Pipeline").hover()
    expect(side).to_contain_text("If you say pipeline fault")
    expect(side).to_contain_text("not learned")
    analyst.get_by_role("heading", level=1).hover()
    expect(side).to_contain_text("If you say real")


def test_a_verdict_here_and_its_history_and_the_way_back(
    analyst: Page, board: Served, cluster: str
) -> None:
    history = open_history(analyst)
    analyst.keyboard.press("s")
    expect(history).to_contain_text("by anna")
    expect(history).to_contain_text("pending")
    expect(analyst).to_have_url(re.compile(rf"/cluster/{cluster}\?tab=history$"))
    history.get_by_role("button", name="Undo").click()
    expect(toast(analyst)).to_contain_text("open again")
    expect(history).to_contain_text("undone")
    expect(history.get_by_role("button", name="Undo")).to_have_count(0)
    analyst.keyboard.press("r")
    expect(history.locator("li")).to_have_count(2)
    wait_for(analyst, lambda: len(board.store.recent_verdicts(9)) == 2, "both verdicts")
    assert board.store.recent_verdicts(1)[0].read == 3


def test_a_verdict_counts_though_the_page_has_not_heard_that_the_last_one_was_taken_back(
    analyst: Page, board: Served, cluster: str
) -> None:
    analyst.evaluate("document.querySelector('#subject').dataset.status = 'decided'")
    analyst.keyboard.press("r")
    wait_for(analyst, lambda: len(board.store.recent_verdicts(9)) == 1, "the verdict")
    assert board.store.recent_verdicts(1)[0].kind is VerdictKind.REAL


def test_a_published_verdict_is_retracted(analyst: Page, board: Served, cluster: str) -> None:
    history = open_history(analyst)
    analyst.keyboard.press("r")
    expect(history).to_contain_text("pending")
    board.desk.publish(time.time() + 60)
    expect(history).to_contain_text("published")
    analyst.get_by_role("button", name="Retract").click()
    expect(toast(analyst)).to_contain_text("a retraction is published")
    expect(history).to_contain_text("retracted")


def test_members_are_listed_and_one_can_be_read_in_full(
    analyst: Page, board: Served, cluster: str
) -> None:
    listed = analyst.locator(".members-grid .ag-center-cols-container .ag-row")
    expect(listed).to_have_count(3)
    expect(listed.first).to_contain_text("412 €")
    expect(listed.first).to_have_attribute("aria-selected", "true")
    listed.nth(2).locator("[col-id='time']").click()
    expect(listed.nth(2)).to_have_attribute("aria-selected", "true")
    expect(listed.first).to_have_attribute("aria-selected", "false")
    analyst.keyboard.press("ArrowUp")
    expect(listed.nth(1)).to_have_attribute("aria-selected", "true")
    analyst.get_by_role("button", name="Read the record").click()
    expect(analyst.locator("#record")).to_contain_text('"terminal": "881"')
    expect(analyst.locator("#record-body")).to_contain_text("offset 1")


def test_a_record_is_masked_and_leads_to_the_users_own_systems(page: Page, bare: Served) -> None:
    link = Link(label="SIEM", url="https://siem.example/find?who={customer}&at={time}")
    bare.desk.policy(masked=("iban",), links=(link,))
    record = {"customer": "c&1 <b>", "iban": "DE0299", "amount": 4.0}
    cluster = bare.desk.group(bare.desk.add(1, margin=1.0, record=record), "masked")
    seen: list[str] = []
    page.on("response", lambda answer: seen.append(answer.url))
    sign_in(page, bare, path=f"/cluster/{cluster}?tab=record")
    expect(page.locator("#record")).to_contain_text("••••")
    expect(page.locator("#record-body")).to_contain_text("masked by the stream's policy: iban")
    address = page.get_by_role("link", name="SIEM").get_attribute("href") or ""
    assert address.startswith("https://siem.example/find?who=c%261%20%3Cb%3E&at=20")
    assert "DE0299" not in page.content()
    assert bare.desk.store.record(cluster, None) is not None
    assert not [url for url in seen if "siem.example" in url]


def test_members_leave_and_clusters_become_one(analyst: Page, board: Served, cluster: str) -> None:
    listed = analyst.locator(".members-grid .ag-center-cols-container .ag-row")
    listed.nth(2).get_by_role("checkbox").check()
    analyst.get_by_role("button", name="Exclude").click()
    expect(toast(analyst)).to_contain_text("a cluster of its own")
    expect(listed).to_have_count(2)
    expect(analyst.get_by_role("heading", level=1)).to_contain_text("2 events")
    expect(analyst.get_by_role("button", name="Exclude")).to_be_disabled()
    (move,) = board.store.regroupings(cluster)
    toast(analyst).get_by_role("button", name="open it").click()
    expect(analyst).to_have_url(re.compile(f"/cluster/{move.other}"))
    expect(listed).to_have_count(1)
    analyst.get_by_role("button", name="Merge into another cluster").click()
    sheet = analyst.get_by_role("dialog", name="Merge into")
    sheet.locator(".choice").first.click()
    expect(toast(analyst)).to_contain_text("has the members of both")
    expect(analyst.get_by_role("tab", name="Members")).to_be_visible()
    open_history(analyst)
    expect(analyst.locator("#history")).to_contain_text("1 member came from another cluster")
    analyst.goto(f"{board.url}/cluster/{move.other}")
    expect(analyst.get_by_text("This cluster was merged")).to_be_visible()


def test_a_verdict_of_someone_else_appears_by_itself(
    analyst: Page, board: Served, cluster: str
) -> None:
    board.desk.decide(cluster, VerdictKind.REAL, at=time.time())
    expect(analyst.locator("#cluster-head .decided")).to_contain_text("Real")


def test_a_cluster_that_someone_else_merged_says_where_its_members_are(
    analyst: Page, board: Served, cluster: str
) -> None:
    expect(analyst.locator(".members-grid .ag-row[row-id]").first).to_be_visible()
    other = order(board)[1]
    mine, into = board.desk.row(cluster), board.desk.row(other)
    merge = MergeClusters(cluster, mine.revision, other, into.revision, "merge")
    board.desk.triage.regroup(merge, BEN, time.time())
    expect(analyst.get_by_text("This cluster was merged")).to_be_visible()
    expect(analyst.locator("#cluster-tabs")).to_be_hidden()
    expect(analyst.locator(".decision-bar")).to_be_hidden()
    expect(analyst.locator("#cluster-head .link")).to_have_attribute("href", f"/cluster/{other}")


def test_past_cases_are_told(page: Page, bare: Served) -> None:
    for number in range(3):
        old = bare.desk.cluster(1, f"old {number}", margin=1.0)
        bare.desk.decide(old, VerdictKind.REAL, at=time.time())
    cluster = bare.desk.group(bare.desk.add(2, margin=1.0), "new", key="old 1")
    sign_in(page, bare, path=f"/cluster/{cluster}")
    expect(page.locator("#cluster-side .past")).to_contain_text("real")
    page.get_by_role("tab", name="Past cases").click()
    expect(page.locator("#past-cases")).to_contain_text("3 of 3 cases like it were real")
    expect(page.locator("#past-cases tbody tr")).to_have_count(3)
    page.goto(f"{bare.url}/")
    expect(row(page, cluster)).to_contain_text("3 of 3")


def test_an_address_that_is_none_says_so(analyst: Page, board: Served) -> None:
    analyst.goto(f"{board.url}/cluster/none")
    expect(analyst.get_by_text("There is no such cluster")).to_be_visible()


def test_many_members_are_read_in_parts(page: Page, bare: Served) -> None:
    members = bare.desk.add(260, margin=1.0, reasons=(a_reason("amount", 1.0),))
    cluster = bare.desk.group(members, "big")
    sign_in(page, bare, path=f"/cluster/{cluster}")
    expect(page.locator("#cluster-side")).to_contain_text("5 members")
    expect(page.locator("#cluster-side")).to_contain_text("The other 255")
    page.wait_for_selector(".members-grid .ag-row")
    last = bare.store.members(cluster, 259, 1)[0].candidate.candidate_id
    scroll_down_to(page, "members-grid", last)


def test_a_feature_leads_to_its_clusters_and_the_filter_is_seen(
    analyst: Page, board: Served
) -> None:
    other = board.desk.cluster(1, "led by another", reasons=(a_reason("bytes", 2.0),))
    analyst.goto(f"{board.url}/cluster/{other}")
    analyst.locator(".shap-table").get_by_role("link", name="bytes").click()
    expect(analyst).to_have_url(re.compile("feature=bytes"))
    at(analyst, other)
    expect(analyst.locator(".queue-grid .ag-center-cols-container .ag-row")).to_have_count(1)
    analyst.get_by_role("button", name="Drop the filter feature bytes").click()
    expect(analyst).not_to_have_url(re.compile("feature="))
    expect(row(analyst, order(board)[0])).to_be_visible()
