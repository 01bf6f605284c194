"""The pages of detectors and metrics."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.test_accessibility import Scheme, clean, scheme, seen  # noqa: F401 - fixtures
from tests.browser.test_queue import order, rescore
from tests.browser.test_safety import IMAGE, SCRIPT, hostile_cluster, unharmed
from tests.unit.triage_ui.serving import Served
from triage.lag import Lag
from triage.model import VerdictKind


@pytest.fixture
def decided(board: Served) -> Served:
    """Twelve clusters, three of them decided and learned."""
    first, second, third, fourth = order(board)[:4]
    board.desk.decide(first, VerdictKind.REAL, at=time.time())
    board.desk.decide(second, VerdictKind.REAL, at=time.time())
    board.desk.decide(third, VerdictKind.SPURIOUS, at=time.time())
    rescore(board, {fourth: 0.01})
    return board


def test_detectors_say_how_they_do_and_what_taught_them(page: Page, decided: Served) -> None:
    sign_in(page, decided)
    page.get_by_role("link", name="Detectors").click()
    line = page.locator("#detectors-table tbody tr")
    expect(line).to_contain_text("payments")
    expect(line).to_contain_text("alerts")
    expect(line).to_contain_text("67 %")
    expect(line).to_contain_text("2 of 3 · few")
    heads = page.locator("#detectors-table thead th")
    head, cell = heads.last.bounding_box(), line.locator("td").last.bounding_box()
    assert head is not None
    assert cell is not None
    assert cell["x"] == pytest.approx(head["x"], abs=1), "cells stand below their heads"
    expect(page.locator(".rail-link[aria-current='page']")).to_have_text("Detectors")
    lessons = page.locator("#detector-lessons tbody tr")
    expect(lessons).to_contain_text("no clusters rose, 1 fell")
    expect(lessons.locator(".chip")).to_have_count(3)
    page.locator("#detector-lessons a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("terminal 881")


def test_the_lag_is_what_a_worker_told_or_unknown(page: Page, board: Served) -> None:
    sign_in(page, board, path="/detectors")
    line = page.locator("#detectors-table tbody tr")
    partition = page.locator(".section-lag tbody tr")
    expect(line).to_contain_text("unknown")
    expect(partition).to_contain_text("unknown")
    board.store.tell_lags("payments", [Lag(0, 1204, 75.0, time.time() + 60)])
    page.reload()
    expect(line).to_contain_text("1,204 records")
    expect(line).to_contain_text("behind, 75 s")
    expect(partition).to_contain_text("1,204")
    board.store.tell_lags("payments", [Lag(0, 0, 0.0, time.time() - 3600)])
    page.reload()
    expect(line).to_contain_text("last told 60 min ago")


def test_two_configs_are_compared(page: Page, board: Served) -> None:
    board.store.register_config("payments", "v2", "name: payments\nwindow: 10\n", time.time())
    board.store.register_config("payments", "v3", "name: payments\nwindow: 20\n", time.time() + 1)
    sign_in(page, board, path="/detectors/payments")
    shown = page.locator("#config-shown")
    expect(shown.locator(".config-gone")).to_have_text("− window: 10")
    expect(shown.locator(".config-new")).to_have_text("+ window: 20")
    page.get_by_label("against").select_option("nothing: the whole text")
    expect(shown.locator(".config-new")).to_have_count(0)
    expect(shown).to_contain_text("window: 20")


def test_metrics_tell_what_was_found_and_follow(page: Page, decided: Served) -> None:
    sign_in(page, decided)
    page.get_by_role("link", name="Metrics").click()
    twin = page.locator("#metrics .twin")
    expect(twin).to_contain_text("3 looks found 2 real clusters. The first half of them found 1;")
    expect(twin).to_contain_text("without feedback, it would have been 1.")
    expect(page.locator(".figures")).to_contain_text("21–94 %, 2 of 3 · few")
    expect(page.locator(".figures")).to_contain_text("2 real, 1 spurious")
    expect(page.locator(".section-looks tbody tr")).to_have_count(3)
    decided.desk.decide(order(decided)[0], VerdictKind.REAL, at=time.time())
    expect(page.locator("#metrics .twin")).to_contain_text("4 looks found 3 real clusters.")
    page.get_by_label("Streams").get_by_role("link", name="payments").click()
    expect(page.locator(".stream-tab[aria-current='page']")).to_have_text("payments")
    expect(page.locator("#metrics .twin")).to_contain_text("4 looks found 3 real clusters.")


def test_each_figure_leads_to_its_rows(page: Page, decided: Served) -> None:
    opposite = order(decided)[0]
    decided.desk.undo(decided.desk.decide(opposite, VerdictKind.REAL).verdict_id)
    decided.desk.decide(opposite, VerdictKind.SPURIOUS, at=time.time())
    sign_in(page, decided, path="/figures/payments")
    rows = page.locator(".section-looks tbody tr")
    expect(rows).to_have_count(4)
    figure = page.locator(".figures > div", has_text="Interventions")
    expect(figure).to_contain_text("2 of 4")
    figure.get_by_role("link", name="Rows of Interventions").click()
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("verdict taken back")
    expect(rows.first).to_contain_text("touched after")
    expect(page.locator("#looks-title")).to_have_text("The looks that somebody intervened on")
    expect(page.locator("#looks-title")).to_be_focused()
    assert page.url.endswith("/figures/payments?rows=interventions")
    page.get_by_role("link", name="all looks").click()
    expect(rows).to_have_count(4)
    page.go_back()
    expect(rows).to_have_count(2)


def test_before_the_first_look(page: Page, bare: Served) -> None:
    sign_in(page, bare, path="/figures")
    expect(page.locator("#metrics")).to_contain_text("Nothing has been decided yet.")
    page.get_by_role("link", name="Detectors").click()
    expect(page.locator("#detector-lessons")).to_contain_text("No label has been learned yet.")


def test_hostile_text_is_only_text(page: Page, bare: Served) -> None:
    cluster = hostile_cluster(bare)
    bare.desk.decide(cluster, VerdictKind.REAL, at=time.time())
    bare.desk.commit(bare.desk.part(label_position=bare.store.label_position("payments")))
    bare.store.register_config("payments", "v9", f"{SCRIPT}\n{IMAGE}\n", time.time(), IMAGE)
    sign_in(page, bare, path="/figures")
    expect(page.locator(".section-looks tbody")).to_contain_text("<script>")
    page.locator("#discovery-chart .nsewdrag").hover()
    unharmed(page)
    page.get_by_role("link", name="Detectors").click()
    expect(page.locator("#config-shown")).to_contain_text("<img src=x")
    expect(page.locator("#detector-lessons")).to_contain_text("<script>")
    expect(page.locator("#detectors-table")).to_contain_text("<img src=x")
    unharmed(page)
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


def test_no_rule_is_broken(seen: Page, decided: Served) -> None:  # noqa: F811
    sign_in(seen, decided, path="/figures")
    seen.wait_for_selector("#discovery-chart .lines")
    clean(seen)
    seen.get_by_role("link", name="Detectors").click()
    seen.wait_for_selector("#config-shown .config-text")
    seen.wait_for_selector("#detector-lessons tbody tr")
    clean(seen)
