from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.seeing import wait_for
from tests.browser.test_accessibility import Scheme, clean, scheme, seen  # noqa: F401 - fixtures
from tests.browser.test_safety import HOSTILE, hostile_cluster, unharmed
from tests.support.cases import VIEWER
from tests.unit.triage_ui.serving import Served
from triage.model import VerdictKind
from triage_ui.entity import entity_address

NOW = time.time() // 60 * 60
LISTED = "#entity-clusters tbody a"


@pytest.fixture
def known(bare: Served) -> list[str]:
    """An entity in three clusters, an hour apart, the oldest decided."""
    clusters = [
        bare.desk.cluster(
            2,
            f"cluster {number}",
            margin=1.0,
            event_time=NOW - 3600 * (3 - number),
            entities={"customer_id": "c1", "terminal": f"t{number}"},
            context=({"time": NOW - 9000, "fields": {"customer_id": "c1", "amount": 30.0}},),
            record={"customer_id": "c1", "amount": 412.0 + number},
        )
        for number in range(3)
    ]
    bare.desk.decide(clusters[0], VerdictKind.REAL, at=NOW)
    return clusters


def listed(page: Page) -> list[str]:
    found: list[str] = page.locator(LISTED).evaluate_all(  # at once: the list may be drawn anew
        "links => links.map((link) => link.getAttribute('href').split('/').at(-1))"
    )
    return found


def test_from_a_cluster_to_its_entity_and_on(page: Page, bare: Served, known: list[str]) -> None:
    sign_in(page, bare, path=f"/cluster/{known[1]}")
    page.get_by_label("Entities").get_by_role("link", name="c1").click()
    expect(page).to_have_url(re.compile("/entity/customer_id/c1$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Customer c1")
    expect(page.locator("#entity-head")).to_contain_text("6 anomalies in 3 clusters")
    expect(page.locator("#entity-head")).to_contain_text("1 real · 2 waiting")
    expect(page.locator(".twin")).to_contain_text("amount 412–414; 1 ordinary event kept beside")
    wait_for(page, lambda: listed(page) == known[::-1], "all clusters")
    expect(page.locator("#entity-clusters tbody tr").last).to_contain_text("Real")
    expect(page.locator("#entity-chart .legendtext")).to_have_text(["ordinary", "waiting", "real"])
    page.locator("#entity-clusters tbody a").first.click()
    expect(page).to_have_url(re.compile(f"/cluster/{known[2]}$"))


def test_dragging_over_the_chart_filters_the_list(
    page: Page, bare: Served, known: list[str]
) -> None:
    sign_in(page, bare, path=entity_address("customer_id", "c1"))
    plot = page.locator("#entity-chart .nsewdrag")
    wait_for(page, lambda: listed(page) == known[::-1], "all clusters")

    def picked() -> bool:
        """Drag over the last quarter; the chart may have been drawn anew meanwhile."""
        box = plot.bounding_box()
        assert box is not None
        middle, width = box["y"] + box["height"] / 2, box["width"]
        page.mouse.move(box["x"] + 0.75 * width, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + 0.99 * width, middle, steps=8)
        page.mouse.up()
        try:
            expect(page.locator(LISTED)).to_have_count(1, timeout=5_000)
        except AssertionError:
            plot.dblclick()
            return False
        return listed(page) == [known[2]]

    wait_for(page, picked, "the clusters of the time picked", seconds=120.0)
    expect(page.locator("#entity-clusters .aside")).to_contain_text("1 of 3")
    plot.dblclick()
    wait_for(page, lambda: listed(page) == known[::-1], "all clusters")


def test_it_follows_what_happens(page: Page, bare: Served, known: list[str]) -> None:
    sign_in(page, bare, path=entity_address("customer_id", "c1"))
    expect(page.locator("#entity-head")).to_contain_text("2 waiting")
    bare.desk.decide(known[1], VerdictKind.SPURIOUS, at=time.time())
    expect(page.locator("#entity-head")).to_contain_text("1 real · 1 spurious · 1 waiting")


def test_what_no_detector_showed_is_reported_and_taken_back(
    page: Page, bare: Served, known: list[str]
) -> None:
    sign_in(page, bare, path=entity_address("customer_id", "c1"))
    rows = page.locator("#entity-events tbody tr")
    expect(rows).to_have_count(1 + 3)  # of two alike in one moment one is shown
    ordinary = rows.filter(has_text="amount 30")
    expect(ordinary).to_contain_text("ordinary")
    expect(page.locator("#entity-events tbody button")).to_have_count(1)  # candidates have none
    ordinary.get_by_role("button", name=re.compile("^It was real")).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("features of kind record count it")
    expect(ordinary).to_contain_text("Real missed, says anna")
    expect(ordinary.get_by_role("button")).to_be_focused()  # who works by keyboard goes on
    expect(page.locator(".twin")).to_contain_text("1 reported as missed")
    expect(page.locator("#entity-chart .legendtext")).to_have_text(["waiting", "real", "missed"])
    position = bare.desk.store.label_position(bare.desk.stream)
    (label,) = [
        one for one in bare.desk.store.labels_at(bare.desk.stream, position) if not one.vector
    ]
    assert (label.y, label.event_time, label.entities) == (1.0, NOW - 9000, {"customer_id": "c1"})
    ordinary.get_by_role("button", name=re.compile("^Take back")).click()
    expect(ordinary).to_contain_text("ordinary")


def test_what_is_refused_says_why(page: Page, bare: Served, known: list[str]) -> None:
    sign_in(page, bare, path=entity_address("customer_id", "c1"))
    button = page.locator("#entity-events tbody button")
    expect(button).to_be_visible()
    (late,) = bare.desk.add(1, event_time=NOW - 9000, entities={"customer_id": "c1"}, entity="c1")
    button.click()
    expect(page.locator("#toasts")).to_contain_text("this event is a candidate")
    assert late.candidate_id not in bare.desk.labels()


def test_who_only_reads_has_no_buttons(page: Page, bare: Served, known: list[str]) -> None:
    sign_in(page, bare, VIEWER, path=entity_address("customer_id", "c1"))
    expect(page.locator("#entity-events tbody tr")).to_have_count(4)
    expect(page.locator("#entity-events button")).to_have_count(0)


def test_an_entity_that_is_none(page: Page, bare: Served) -> None:
    sign_in(page, bare)
    page.goto(bare.url + entity_address("customer", "nobody/ever\n<b>"))
    expect(page.get_by_text("Nothing is known of this entity")).to_be_visible()


def test_hostile_text_is_only_text(page: Page, bare: Served) -> None:
    cluster = hostile_cluster(bare)
    name, value = HOSTILE[1][:40], HOSTILE[1]
    sign_in(page, bare, path=f"/cluster/{cluster}")
    page.wait_for_selector(".shap-bars")
    unharmed(page)
    page.get_by_label("Entities").get_by_role("link").nth(1).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("<img src=x")
    expect(page.locator("#entity-clusters tbody")).to_contain_text("<script>")
    page.locator("#entity-chart .point").first.hover(force=True)
    unharmed(page)
    page.goto(bare.url + entity_address(name, value))
    expect(page.locator("#entity-clusters tbody")).to_contain_text("<script>")
    unharmed(page)
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


def test_no_rule_is_broken(seen: Page, bare: Served, known: list[str]) -> None:  # noqa: F811
    sign_in(seen, bare, path=entity_address("customer_id", "c1"))
    seen.wait_for_selector("#entity-chart .point")
    clean(seen)
