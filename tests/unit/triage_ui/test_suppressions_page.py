from __future__ import annotations

from typing import Any

from tests.support.cases import AT
from triage.model import SuppressionState
from triage.queries import SuppressionRow
from triage_ui.pages.suppressions import covers, table


def a_row(**given: Any) -> SuppressionRow:
    filled: dict[str, Any] = {
        "suppression_id": "v1",
        "stream": "payments",
        "cluster_id": "k1",
        "title": "3 payments",
        "scope": "payday",
        "entities": ("c1",),
        "features": ("+amount_vs_usual",),
        "reasons": ("the amount",),
        "actor": "anna",
        "at": AT,
        "expires_at": AT + 86_400,
        "usual": 2.0,
        "candidates": 7,
        "clusters": 1,
        "state": SuppressionState.ACTIVE,
        "ended_at": None,
        "because": "",
        **given,
    }
    return SuppressionRow(**filled)


def test_it_says_what_is_kept_out_and_until_when() -> None:
    text = str(table([a_row()]).to_plotly_json())
    for part in (
        "payday",
        "c1, where the amount leads",
        "7 candidates in 1 cluster",
        "active",
        "until ",
    ):
        assert part in text


def test_a_broken_one_says_why_and_text_of_events_is_plain() -> None:
    row = a_row(state=SuppressionState.BROKEN, because="volume: 40 in a day", scope="a\u202eb")
    text = str(table([row]).to_plotly_json())
    assert "volume: 40 in a day" in text
    assert "a<U+202E>b" in text


def test_nothing_is_said_too() -> None:
    assert "Nothing is kept out" in str(table([]).to_plotly_json())


def test_many_entities_are_counted() -> None:
    assert covers(("a", "b", "c", "d", "e"), ()) == "a, b, c and 2 more"
