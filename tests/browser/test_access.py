from __future__ import annotations

import re
import time

from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in_by_link
from tests.browser.seeing import at, wait_for
from tests.browser.test_queue import order
from tests.support.cases import ANNA, LEAD
from tests.unit.triage_ui.serving import Served
from triage.accounts import Accounts


def test_a_link_signs_in_once(page: Page, second: Page, board: Served) -> None:
    link = board.link()
    for _ in range(2):
        page.goto(link)
        expect(page.get_by_role("button", name="Continue")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_selector("#subject")
    expect(page.locator("#me-initials")).to_have_text("A")
    second.goto(link)
    second.get_by_role("button", name="Continue").click()
    expect(second.get_by_role("heading")).to_have_text("This link no longer works")
    expect(second.get_by_text("triage sign-in")).to_be_visible()


def test_an_account_from_its_link_to_a_changed_password(page: Page, board: Served) -> None:
    token = Accounts(board.store).add("zoe", "analyst", LEAD, time.time())
    page.goto(f"{board.url}/sign-in/password?token={token}")
    page.get_by_label("New password").fill("twelve chars and more")
    page.get_by_label("The same again").fill("twelve chars and less")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The two new passwords differ.")
    page.get_by_label("New password").fill("twelve chars and more")
    page.get_by_label("The same again").fill("twelve chars and more")
    page.keyboard.press("Enter")
    page.wait_for_selector("#subject")
    expect(page.locator("#me-initials")).to_have_text("Z")
    page.context.clear_cookies()
    cluster = order(board)[3]
    page.goto(f"{board.url}/?cluster={cluster}")
    page.get_by_label("Name").fill("Zoe")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Name or password is wrong.")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type("twelve chars and more")
    page.keyboard.press("Enter")
    at(page, cluster)
    page.goto(f"{board.url}/sign-in/change")
    page.get_by_label("Name").fill("zoe")
    page.get_by_label("Password", exact=True).fill("twelve chars and more")
    page.get_by_label("New password").fill("other words for the door")
    page.get_by_label("The same again").fill("other words for the door")
    page.keyboard.press("Enter")
    page.wait_for_selector("#subject")


def test_from_sign_in_to_a_verdict_by_the_keyboard_alone(page: Page, board: Served) -> None:
    accounts = Accounts(board.store)
    token = accounts.add("zoe", "analyst", LEAD, time.time())
    page.goto(f"{board.url}/sign-in/password?token={token}")
    expect(page.get_by_label("New password")).to_be_focused()
    page.keyboard.type("twelve chars and more")
    page.keyboard.press("Tab")
    page.keyboard.type("twelve chars and more")
    page.keyboard.press("Enter")
    page.wait_for_selector("#subject")
    first, second = order(board)[:2]
    at(page, first)
    page.keyboard.press("j")
    at(page, second)
    page.keyboard.press("3")
    page.keyboard.press("p")
    wait_for(page, lambda: board.store.recent_verdicts(1), "the verdict")
    (given,) = board.store.recent_verdicts(9)
    assert (given.cluster_id, str(given.kind)) == (second, "pipeline_fault")
    assert given.reason == "Maintenance"


def test_a_stranger_sees_the_sign_in_page_and_then_where_they_wanted_to_go(
    page: Page, board: Served
) -> None:
    cluster = order(board)[3]
    page.goto(f"{board.url}/?cluster={cluster}")
    expect(page.get_by_role("heading")).to_have_text("Sign in")
    sign_in_by_link(page, board, ANNA, f"/?cluster={cluster}")
    at(page, cluster)


def test_signing_out_ends_it(page: Page, board: Served) -> None:
    sign_in_by_link(page, board)
    page.wait_for_selector("#subject")
    page.get_by_label("Account").click()
    expect(page.locator(".me-menu")).to_contain_text("analyst")
    change = page.get_by_role("link", name="Change password")
    expect(change).to_have_attribute("href", "/sign-in/change")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in"))
    page.goto(board.url)
    expect(page.get_by_role("heading")).to_have_text("Sign in")


def test_scripts_cannot_read_the_session(page: Page, board: Served) -> None:
    sign_in_by_link(page, board)
    cookies = page.evaluate("() => document.cookie")
    assert "triage_session" not in cookies
    assert "_csrf_token" in cookies


def test_a_page_of_another_origin_cannot_write(page: Page, board: Served) -> None:
    sign_in_by_link(page, board)
    cluster = order(board)[0]
    status = page.evaluate(
        """async (address) => (await fetch(address, {
            method: 'POST', body: '{}', headers: {'content-type': 'application/json'},
        })).status""",
        f"/api/v1/clusters/{cluster}/verdicts",
    )
    assert status == 403
    assert board.store.recent_verdicts(1) == []
