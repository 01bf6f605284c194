"""Saved views: private or shared, per account."""

from __future__ import annotations

import pytest

from tests.support.cases import ANNA, AT, BEN, LEAD, VIEWER
from triage.errors import Invalid, NotAllowed, NotFound
from triage.store.base import Store
from triage.views import MAX_NAME, MOST, Views


@pytest.fixture
def views(store: Store) -> Views:
    return Views(store)


def seen(views: Views) -> dict[str, list[str]]:
    """Return the names that each person is shown."""
    return {who.name: [one.name for one in views.listed(who)] for who in (ANNA, BEN)}


def test_a_view_is_private_until_it_is_shared(views: Views) -> None:
    mine = views.save(ANNA, "  Large  ones ", "/?order=largest", False, AT)
    assert (mine.name, mine.owner, mine.shared) == ("Large ones", "anna", False)
    assert seen(views) == {"anna": ["Large ones"], "ben": []}
    views.save(BEN, "All", "/?status=all", True, AT)
    assert seen(views) == {"anna": ["All", "Large ones"], "ben": ["All"]}


def test_the_same_name_again_replaces_ones_own_only(views: Views) -> None:
    first = views.save(ANNA, "v", "/?status=all", True, AT)
    other = views.save(BEN, "v", "/", False, AT)
    again = views.save(ANNA, "v", "/?order=newest", False, AT + 1)
    assert again.view_id == first.view_id != other.view_id
    assert views.listed(ANNA) == [again]
    assert views.listed(BEN) == [other]


def test_who_may_forget_one(views: Views) -> None:
    private = views.save(ANNA, "private", "/", False, AT)
    shared = views.save(ANNA, "shared", "/", True, AT)
    with pytest.raises(NotFound):
        views.drop(LEAD, private.view_id)
    with pytest.raises(NotAllowed, match="anna"):
        views.drop(BEN, shared.view_id)
    assert views.drop(LEAD, shared.view_id) == shared
    assert views.drop(ANNA, private.view_id) == private
    with pytest.raises(NotFound):
        views.drop(ANNA, private.view_id)
    assert seen(views) == {"anna": [], "ben": []}


def test_a_viewer_keeps_views_and_shares_none(views: Views) -> None:
    views.save(VIEWER, "mine", "/", False, AT)
    with pytest.raises(NotAllowed, match="analyst"):
        views.save(VIEWER, "mine", "/", True, AT)
    assert [one.shared for one in views.listed(VIEWER)] == [False]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "//evil.example/",
        "https://evil.example",
        "/\\\\evil",
        "/cluster/x",
        "/?a b",
        "/?a#b",
        "/\n",
    ],
)
def test_a_view_leads_to_the_queue_alone(views: Views, address: str) -> None:
    with pytest.raises(Invalid, match="address"):
        views.save(ANNA, "v", address, False, AT)


@pytest.mark.parametrize("name", ["", "  ", "x" * (MAX_NAME + 1)])
def test_a_name_is_short(views: Views, name: str) -> None:
    with pytest.raises(Invalid, match="name"):
        views.save(ANNA, name, "/", False, AT)


def test_one_person_has_so_many_at_most(views: Views) -> None:
    for number in range(MOST):
        views.save(ANNA, str(number), "/", False, AT)
    with pytest.raises(Invalid, match="forget one"):
        views.save(ANNA, "one more", "/", False, AT)
    views.save(ANNA, "0", "/?order=newest", False, AT)
    views.save(BEN, "one more", "/", False, AT)
    assert len(views.listed(ANNA)) == MOST
