from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from triage.label_log import Entry, in_force
from triage.model import Label, MemberState, VerdictKind
from triage.truth import (
    MISSED,
    CandidateKey,
    Truth,
    TruthReport,
    contradicts,
    each_event_once,
    pairs,
)


def a_key(number: int, **given: Any) -> CandidateKey:
    filled = {
        "event_id": f"e{number}",
        "entity": "c1",
        "event_time": 100.0 * number,
        **given,
    }
    filled.setdefault("entities", {"card": filled["entity"], "shop": "c2"})
    return CandidateKey(seq=number, candidate_id=f"k{number}", **filled)


def a_truth(**given: Any) -> Truth:
    return Truth("t", "s", "bank", TruthReport(id="1", real=True, **given), 0.0, "bank")


KEYS = [a_key(1), a_key(2), a_key(3, entity="c2"), a_key(4, event_id=None)]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"candidate_id": "k2"}, ["k2"]),
        ({"event_id": "e3"}, ["k3"]),
        ({"event_id": "e9"}, []),
        (
            {"event_id": "e9", "entities": {"card": "c1"}, "time": 100.0},
            [],
        ),  # the more exact key decides
        ({"candidate_id": "k2", "event_id": "e3"}, ["k2"]),
        ({"entities": {"card": "c1"}, "time": 130.0}, ["k1"]),
        ({"entities": {"card": "c1"}, "time": 160.0}, ["k2"]),
        ({"entities": {"card": "c1"}, "time": 150.0}, ["k1", "k2"]),
        ({"entities": {"card": "c1"}, "time": 501.0}, []),
        ({"entities": {"card": "c2"}, "time": 200.0}, []),
        ({"entities": {"shop": "c2"}, "time": 300.0}, ["k3"]),  # its value is that of the key too
        ({"entities": {"card": "c1", "shop": "c9"}, "time": 100.0}, []),
        ({"entities": {"card": "c1", "shop": "c2"}, "time": 100.0}, ["k1"]),
    ],
)
def test_a_truth_finds_its_candidates(given: dict[str, Any], found: list[str]) -> None:
    assert pairs([a_truth(**given)], KEYS, 60.0).get("t", []) == found


def test_an_event_that_was_a_candidate_twice_joins_both() -> None:
    again = [a_key(5, event_id="e1"), *KEYS]
    assert pairs([a_truth(event_id="e1")], again, 60.0) == {"t": ["k1", "k5"]}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"entities": {"card": "c1"}},
        {"entities": {}, "time": 1.0},
        {"time": 1.0},
        {"event_id": ""},
        {"event_id": "a\0b"},
        {"color": "x"},
    ],
)
def test_a_report_names_an_event(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TruthReport(id="1", real=True, **given)


def test_what_contradicts() -> None:
    assert contradicts(True, VerdictKind.SPURIOUS)
    assert contradicts(True, VerdictKind.EXPECTED)
    assert contradicts(False, VerdictKind.REAL)
    assert not contradicts(True, VerdictKind.REAL)
    assert not contradicts(True, VerdictKind.PIPELINE_FAULT)
    assert not contradicts(True, None)


def entry(position: int, candidate: str, y: float, source: str = "") -> Entry:
    return Entry(
        position, f"g{position}", candidate, y, 1.0, MemberState.READ, source, "anna", 0.0, 0.0
    )


def test_late_truth_outranks_verdicts_and_the_newest_counts() -> None:
    said, other = entry(1, "a", 0.0), entry(2, "b", 1.0)
    first, newest = entry(3, "a", 1.0, "bank"), entry(4, "a", 0.0, "police")
    later = entry(5, "a", 1.0)
    assert in_force([said, other]) == [said, other]
    assert in_force([said, other, first, later]) == [other, first]
    assert in_force([said, other, first, newest, later]) == [other, newest]


def a_label(time: float = 100.0, source: str = "", **given: Any) -> Label:
    filled: dict[str, Any] = {"candidate_id": "k", "verdict_id": "v", "y": 1.0, "weight": 1.0}
    filled |= {"vector": b"", "features_version": "", "entities": {"card": "c1"}, **given}
    return Label(event_time=time, source=source, **filled)


MISSING = a_label(source=MISSED, entities={"card": "c1", "shop": "s1"})


@pytest.mark.parametrize(
    "other",
    [
        a_label(159.0, "bank"),
        a_label(41.0, "bank", y=0.0),
        a_label(100.0, vector=b"1234"),
        a_label(100.0, "bank", entities={"card": "c1", "country": "TR"}),
    ],
)
def test_a_report_gives_way_to_what_others_say_of_its_event(other: Label) -> None:
    for labels in ([MISSING, other], [other, MISSING]):
        assert each_event_once(labels, within_s=60.0) == [other]


@pytest.mark.parametrize(
    "other",
    [
        a_label(161.0, "bank"),
        a_label(101.0, vector=b"1234"),  # a candidate's time is known
        a_label(100.0, vector=b"1234", inferred=True),
        a_label(100.0, vector=b"1234", weight=0.0),
        a_label(100.0, "bank", entities={}),
        a_label(100.0, "bank", entities={"card": "c1", "shop": "s2"}),
        a_label(100.0, "bank", entities={"country": "TR"}),
        a_label(100.0, MISSED, entities={"card": "c2"}),
    ],
)
def test_a_report_stays_beside_what_speaks_of_something_else(other: Label) -> None:
    assert each_event_once([MISSING, other], within_s=60.0) == [MISSING, other]
