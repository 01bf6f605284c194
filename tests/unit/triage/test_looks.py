"""What the looks have found, beside the order that they would have had without feedback."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from triage.looks import Look, discovery, early, intervened, interventions, without_feedback
from triage.model import VerdictKind

REAL, SPURIOUS, FAULT = VerdictKind.REAL, VerdictKind.SPURIOUS, VerdictKind.PIPELINE_FAULT


def look(name: str, kind: VerdictKind, at: float, score: float, since: float = 0.0) -> Look:
    return Look(name, name, name, "payments", kind, "anna", since, at, REAL, score=score)


def names(looks: Sequence[Look]) -> str:
    return "".join(one.verdict_id for one in without_feedback(looks))


def test_the_shadow_takes_the_highest_score_that_has_come() -> None:
    looks = [look("a", REAL, 1, 5), look("b", SPURIOUS, 2, 9), look("c", REAL, 3, 7)]
    assert names(looks) == "bca"
    assert discovery(looks) == [1, 1, 2]
    assert discovery(without_feedback(looks)) == [0, 1, 2]
    assert (early(looks).hits, early(looks).n) == (1, 2)
    assert early(without_feedback(looks)).hits == 0


def test_the_shadow_can_not_take_what_has_not_come_yet() -> None:
    looks = [look("a", REAL, 1, 5), look("b", SPURIOUS, 2, 9, since=1.5), look("c", REAL, 3, 7)]
    assert names(looks) == "cba"
    looks[1:2] = [look("b", SPURIOUS, 2, 9, since=0.5)]
    assert names(looks) == "bca"


def test_bad_data_keeps_its_place() -> None:
    looks = [look("a", REAL, 1, 5), look("f", FAULT, 2, 99), look("c", REAL, 3, 7)]
    assert names(looks) == "cfa"


def test_clocks_of_several_boards_may_differ() -> None:
    looks = [look("a", REAL, 5, 1, since=9), look("b", REAL, 3, 2, since=4)]
    assert names(looks) == "ba"
    assert names(looks[::-1]) == "ba"


def test_no_look_and_nothing_found() -> None:
    assert without_feedback([]) == []
    assert (early([]).hits, early([]).n) == (0, 0)
    assert early([look("a", SPURIOUS, 1, 1)]).n == 0


@pytest.mark.parametrize(
    ("suggested", "kind", "given"),
    [
        (SPURIOUS, VerdictKind.EXPECTED, False),
        (SPURIOUS, REAL, True),
        (REAL, FAULT, True),
        (FAULT, FAULT, False),
        (FAULT, SPURIOUS, True),
        (VerdictKind.UNSURE, REAL, False),
    ],
)
def test_another_kind_than_suggested_is_an_intervention(
    suggested: VerdictKind, kind: VerdictKind, given: bool
) -> None:
    one = Look("v", "c", "t", "payments", kind, "anna", 0.0, 1.0, suggested)
    assert intervened(one) is given
    assert (interventions([one]).hits, interventions([one]).n) == (int(given), 1)


def test_an_audit_suggests_nothing_and_is_left_out() -> None:
    one = Look("v", "c", "t", "payments", REAL, "anna", 0.0, 1.0, None, regrouped=True)
    assert not intervened(one)
    assert interventions([one]).n == 0
