"""A verdict key that comes before its cluster is painted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import sign_in
from tests.browser.seeing import at, cursor, intercept, row, toast, wait_for
from tests.browser.test_queue import order
from tests.unit.triage_ui.serving import Served


@contextmanager
def slow_previews(page: Page) -> Iterator[None]:
    """Hold every preview back until the block ends."""
    held: list[Route] = []
    open_now = False

    def hold(route: Route) -> None:
        if not open_now and '"output":"preview.data-drawn"' in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    intercept(page, "**/_dash-update-component**", hold)
    yield
    open_now = True
    for route in held:
        route.continue_()


@pytest.fixture
def analyst(page: Page, board: Served) -> Page:
    """Anna before the queue, the first preview painted."""
    sign_in(page, board)
    at(page, order(board)[0])
    return page


def test_a_key_is_held_in_sight_until_the_members_are_here(analyst: Page, board: Served) -> None:
    first, second, third = order(board)[:3]
    with slow_previews(analyst):
        analyst.keyboard.press("j")
        analyst.keyboard.press("r")
        expect(row(analyst, second)).to_contain_text("once its members are here")
        expect(analyst.get_by_role("button", name="R Real")).to_have_class(re.compile("held"))
        expect(analyst.locator("#announcer")).to_contain_text("as soon as its members are here")
        analyst.wait_for_timeout(300)
        assert board.store.recent_verdicts(1) == []
        assert cursor(analyst) == second
    expect(row(analyst, second)).to_contain_text("pending")
    at(analyst, third)
    wait_for(analyst, lambda: board.store.recent_verdicts(1), "the verdict")
    given = board.store.recent_verdicts(9)
    assert [(one.cluster_id, one.kind, one.read) for one in given] == [(second, "real", 4)]
    expect(analyst.locator(".held")).to_have_count(0)
    assert first != second


def test_a_held_key_is_given_up_when_the_cursor_moves_on(analyst: Page, board: Served) -> None:
    _, second, third = order(board)[:3]
    with slow_previews(analyst):
        analyst.keyboard.press("j")
        analyst.keyboard.press("r")
        analyst.keyboard.press("s")  # meant for the one after it
        expect(row(analyst, second)).to_contain_text("once its members are here")
        analyst.keyboard.press("j")
        expect(toast(analyst)).to_contain_text("You moved on")
        expect(row(analyst, second)).not_to_contain_text("once its members")
    at(analyst, third)
    analyst.wait_for_timeout(300)
    assert board.store.recent_verdicts(1) == []


@pytest.mark.parametrize("key", ["z", "Escape"])
def test_a_held_key_is_taken_back(analyst: Page, board: Served, key: str) -> None:
    second = order(board)[1]
    with slow_previews(analyst):
        analyst.keyboard.press("j")
        analyst.keyboard.press("s")
        expect(row(analyst, second)).to_contain_text("once its members are here")
        analyst.keyboard.press(key)
        expect(toast(analyst)).to_contain_text("Taken back: nothing was decided")
    at(analyst, second)
    assert board.store.recent_verdicts(1) == []


def test_expected_asks_once_the_members_are_here(analyst: Page, board: Served) -> None:
    second = order(board)[1]
    with slow_previews(analyst):
        analyst.keyboard.press("j")
        analyst.keyboard.press("x")
        expect(row(analyst, second)).to_contain_text("once its members are here")
        expect(analyst.get_by_label("What is expected?")).to_be_hidden()
    expect(analyst.get_by_label("What is expected?")).to_be_focused()
    expect(analyst.get_by_label("What is expected?")).to_have_value("customer c1")


def test_a_key_before_the_first_preview_counts(page: Page, board: Served) -> None:
    first, second = order(board)[:2]
    with slow_previews(page):
        sign_in(page, board)
        expect(row(page, first)).to_be_visible()
        page.keyboard.press("r")
        expect(row(page, first)).to_contain_text("once its members are here")
    expect(row(page, first)).to_contain_text("pending")
    at(page, second)
