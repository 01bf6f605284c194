from __future__ import annotations

from typing import Any

import pytest

from tests.support.cases import a_candidate, a_reason
from triage.errors import Invalid
from triage.model import KeepOut
from triage.suppression import Scope, ScopeFacts, Suppression, Usage, broken_by, scope_of

CARD = ("", "c1")
TERMINAL = ("terminal", "881")
AMOUNT = frozenset({"+amount"})


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        (Scope(), True),
        (Scope(frozenset({CARD})), True),
        (Scope(frozenset({TERMINAL})), True),
        (Scope(frozenset({("", "c2"), CARD})), True),
        (Scope(frozenset({("", "881")})), False),
        (Scope(frozenset({CARD}), AMOUNT), True),
        (Scope(frozenset({CARD}), frozenset({"-amount"})), False),
        (Scope(frozenset({("", "c2")}), AMOUNT), False),
        (Scope(frozenset(), frozenset({"+amount", "-hour"})), True),
        (Scope(frozenset(), frozenset({"+amount", "+pace"})), False),
    ],
)
def test_what_a_scope_covers(scope: Scope, covered: bool) -> None:
    assert scope.covers(a_candidate(0)) is covered


def test_only_leading_features_count() -> None:
    weak = (a_reason("amount", 1.0), a_reason("hour", 0.05))
    assert not Scope(frozenset(), frozenset({"+hour"})).covers(a_candidate(0, reasons=weak))


def facts(**given: Any) -> ScopeFacts:
    filled = {
        "size": 4,
        "first_time": 0.0,
        "last_time": 86_400.0 * 2,
        "signature": ["+amount"],
        "entities": {CARD: 4, ("customer", "c1"): 4, TERMINAL: 3},
        **given,
    }
    return ScopeFacts(**filled)


def test_the_scope_is_made_of_the_cluster() -> None:
    both = scope_of(facts(), KeepOut.ENTITY_AND_REASON)
    assert both == Scope(frozenset({CARD}), AMOUNT)
    assert scope_of(facts(), KeepOut.ENTITY) == Scope(frozenset({CARD}))
    assert scope_of(facts(), KeepOut.REASON) == Scope(frozenset(), AMOUNT)
    assert facts().per_day() == 2.0
    many = {("", "c1"): 2, ("", "c2"): 2, TERMINAL: 4}
    assert scope_of(facts(entities=many), KeepOut.ENTITY).entities == {TERMINAL}
    none = {("", "c1"): 2, ("", "c2"): 2, TERMINAL: 3}
    assert scope_of(facts(entities=none), KeepOut.ENTITY).entities == {("", "c1"), ("", "c2")}


@pytest.mark.parametrize(
    ("given", "keep_out"),
    [
        ({"entities": {}}, KeepOut.ENTITY),
        ({"entities": {("", str(i)): 1 for i in range(201)}}, KeepOut.ENTITY_AND_REASON),
        ({"signature": []}, KeepOut.REASON),
    ],
)
def test_a_scope_that_would_cover_anything_is_refused(
    given: dict[str, Any], keep_out: KeepOut
) -> None:
    with pytest.raises(Invalid, match="keep_out"):
        scope_of(facts(**given), keep_out)


SCOPED = Suppression("v", "s", "k", Scope(frozenset({TERMINAL})), 0.0, 9e9, usual=10.0)


@pytest.mark.parametrize(
    ("usage", "why"),
    [
        (Usage(30, {"": 2}, {}), ""),
        (Usage(31, {"": 2}, {}), "volume: 31 in a day, 10 a day"),
        (Usage(1, {"": 2}, {"": 6}), ""),
        (Usage(1, {"": 2}, {"": 7}), "new entities: 7, 2 when"),
        (Usage(1, {}, {"host": 4}), "new host: 4, 0 when"),
        (Usage(1, {}, {"host": 3}), ""),
        (Usage(1, {}, {"terminal": 99}), ""),  # the scope names it
    ],
)
def test_what_breaks_it(usage: Usage, why: str) -> None:
    because = broken_by(SCOPED, usage, surge=3.0)
    assert because.startswith(why)
    assert bool(because) is bool(why)


def test_a_handful_is_no_surge() -> None:
    rare = Suppression("v", "s", "k", Scope(), 0.0, 9e9, usual=0.1)
    assert not broken_by(rare, Usage(10, {}, {}), 3.0)
    assert broken_by(rare, Usage(11, {}, {}), 3.0)
