"""What nobody read: the rest in the queue, audits, and the bound on the page of metrics."""

from __future__ import annotations

import time

from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.support.cases import BEN
from tests.unit.triage_ui.serving import Served
from triage.model import VerdictKind
from triage.queries import QueueFilter

SPURIOUS = VerdictKind.SPURIOUS


def dismiss(page: Page) -> None:
    """Press the key and wait until the verdict is kept."""
    with page.expect_response(lambda answer: answer.url.endswith("/verdicts")) as said:
        page.keyboard.press("s")
    assert said.value.status == 201


def test_the_rest_of_a_cluster_waits_and_is_linked_both_ways(page: Page, bare: Served) -> None:
    bare.desk.policy(audit_share=1e-6)
    cluster = bare.desk.cluster(8, "large", event_time=time.time() - 60)
    sign_in(page, bare)
    page.wait_for_selector("#subject")
    expect(page.locator("[data-consequence='real']")).to_contain_text("The other 3 are not decided")
    dismiss(page)
    page.goto(bare.url)
    rest = page.locator("#queue-grid .ag-row").filter(has_text="Rest of 8 payments")
    expect(rest).to_have_count(1)
    page.goto(f"{bare.url}/cluster/{cluster}")
    said = page.locator("#subject .closed-unread")
    expect(said).to_contain_text("5 members read, 3 unread in the rest")
    said.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Rest of 8 payments")
    page.get_by_role("link", name="a cluster decided before").click()
    expect(said).to_be_visible()


def test_members_that_stood_on_the_screen_are_read(page: Page, bare: Served) -> None:
    cluster = bare.desk.cluster(9, "listed", event_time=time.time() - 60)
    sign_in(page, bare, path=f"/cluster/{cluster}")
    page.locator("#members-frame").scroll_into_view_if_needed()
    page.locator(".members-grid .ag-row").nth(8).scroll_into_view_if_needed()
    real = page.locator("[data-consequence='real']")
    expect(real).to_contain_text("9 members that you read")
    expect(real.locator("[data-rest]")).to_have_attribute("hidden", "")
    dismiss(page)
    assert bare.store.recent_verdicts(1)[0].read == 9
    assert bare.store.queue(QueueFilter(), 0, 10).total == 0


def test_the_bound_is_shown_with_the_audits_behind_it(page: Page, bare: Served) -> None:
    desk = bare.desk
    desk.policy(audit_share=0.5, closing_limit=0.3)
    desk.decide(desk.cluster(1, "bens"), SPURIOUS, BEN, time.time())
    first = desk.cluster(4, "first")
    desk.decide(first, SPURIOUS, read=desk.first(first), at=time.time())
    sign_in(page, bare, path="/figures")
    bound = page.locator("#bounds tbody tr")
    expect(bound).to_contain_text("not known")
    expect(bound).to_contain_text("3 audits waiting")
    for row in bare.store.queue(QueueFilter(viewer="ben"), 0, 10).rows:
        desk.decide(row.cluster_id, SPURIOUS, BEN, time.time())
    desk.policy(audit_share=1e-6, closing_limit=0.3)
    closed = desk.cluster(4, "closed")
    desk.decide(closed, SPURIOUS, read=desk.first(closed), at=time.time())
    expect(bound).to_contain_text("3 audits of 6 closings, 0 wrong")
    expect(page.locator("#audits tbody tr")).to_have_count(3)
    expect(page.locator("#audits")).to_contain_text("rightly closed")
    page.goto(f"{bare.url}/cluster/{closed}")
    expect(page.locator("#subject .closed-unread")).to_contain_text("3 audits, 0 wrong")
