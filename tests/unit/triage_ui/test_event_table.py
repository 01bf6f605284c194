from __future__ import annotations

from typing import Any

import pytest

from tests.support.cases import ANNA, AT, BEN, LEAD, VIEWER
from tests.unit.triage_ui.test_components import HOSTILE, text_of
from triage.model import Actor
from triage.queries import EntityDetail, EntityEvent
from triage.store.sql_events import each_once
from triage_ui.components.event_table import LISTED, event_table

CONTEXT = {"terminal": "881", "amount": 30.0, "country": None}


def an_event(time: float = AT, **given: Any) -> EntityEvent:
    of: dict[str, Any] = {"fields": CONTEXT, "candidate_id": None, "cluster_id": None}
    of |= {"stream": "s", "entities": {"customer_id": "c0", "terminal": "881"}, **given}
    return EntityEvent(time=time, **of)


def entity(*events: EntityEvent) -> EntityDetail:
    return EntityDetail("customer_id", "c0", [], {}, 1, 1, {}, events)


def rows(*events: EntityEvent, viewer: Actor = ANNA) -> list[list[str]]:
    table: Any = event_table(entity(*events), AT, viewer)
    return [[text_of(cell) for cell in row.children] for row in table.children[-1].children]


def test_the_newest_come_first_and_tell_other_entities_and_what_is_known() -> None:
    found = rows(an_event(AT - 60), an_event(AT))
    assert [row[0] < found[0][0] for row in found] == [False, True]
    assert found[0][1:] == ["terminal 881 · amount 30", "ordinary", "It was real"]
    assert len(rows(*(an_event(AT + i) for i in range(LISTED + 5)))) == LISTED


def test_a_candidates_event_shows_the_fields_of_ordinary_ones_and_no_button() -> None:
    record = {"id": "tx-1", "amount": 412.0}
    candidate = an_event(fields=record, candidate_id="c", cluster_id="k", entities={})
    alone, _ = rows(an_event(AT - 60), candidate)
    assert alone[1:] == ["amount 412", "waiting", ""]
    assert rows(candidate)[0][1] == "id tx-1 · amount 412"  # nothing to compare with


def test_who_may_not_report_sees_who_did() -> None:
    (row,) = rows(an_event(missed_by="anna"), viewer=VIEWER)
    assert row[2:] == ["Real missed, says anna"]


def test_others_reports_are_taken_back_by_leads_alone() -> None:
    reported = an_event(missed_by="anna")
    assert [rows(reported, viewer=who)[0][3] for who in (ANNA, LEAD, BEN)] == [
        "Take back",
        "Take back",
        "",
    ]


def test_what_the_api_would_refuse_has_no_button() -> None:
    for value in ("x" * 201, "a\u0000b"):
        assert rows(an_event(entities={"customer_id": value}))[0][3] == ""
    assert rows(an_event(entities={}))[0][3] == ""


def test_hostile_values_are_cut_and_shown() -> None:
    (row,) = rows(an_event(fields={HOSTILE: HOSTILE}, entities={}, missed_by=HOSTILE), viewer=LEAD)
    assert "\u202e" not in "".join(row)
    assert len("".join(row)) < 600


def test_what_was_a_candidate_is_no_ordinary_event_beside_it() -> None:
    candidate = an_event(fields={**CONTEXT, "id": "tx-1"}, candidate_id="c", cluster_id="k")
    others = [an_event(fields={**CONTEXT, "amount": 31.0}), an_event(stream="t"), an_event(AT - 1)]
    assert each_once([an_event(), candidate, *others]) == [candidate, *others]


@pytest.mark.parametrize("value", [True, 1e300, float("nan"), [1], {"a": 1}])
def test_any_value_can_be_shown(value: object) -> None:
    assert rows(an_event(fields={"x": value}))
