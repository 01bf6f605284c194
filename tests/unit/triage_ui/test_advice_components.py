"""The texts of advice and of what-if."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.support.advisors import DRAFT, LEVERS, NOTHING
from tests.support.cases import AT, Desk
from tests.unit.triage_ui.test_components import text_of
from triage.advisor import Changed, Scored, WhatIfAnswer
from triage.model import VerdictKind
from triage_ui.components.advice import advice
from triage_ui.components.rule_draft import rule_draft
from triage_ui.components.what_if import changes, places_of, stop_text, what_if


def test_advice_counts_in_sentences(desk: Desk) -> None:
    cluster = desk.store.cluster(desk.cluster(3), 2)
    assert cluster is not None

    def told(kind: VerdictKind, **given: Any) -> str:
        found = replace(NOTHING, **given)
        return text_of(advice(found, kind, "c", [cluster], [cluster], [0.8], AT))

    few = told(VerdictKind.REAL, open=1, raised=1, rise=1, against_total=1, left_out=2)
    assert "Real would raise 1 of 1 other open cluster; 1 rises above the alert line." in few
    assert "1 of them resembles what was confirmed as no anomaly:" in few
    assert "2 open members could not be judged" in few
    assert "80 % alike · 2 of 3 members" in few
    assert "Spurious would hardly move any of 9 other open clusters." in told(
        VerdictKind.SPURIOUS, open=9
    )
    nothing = told(VerdictKind.PIPELINE_FAULT, open=9, teaches=False, other=2)
    assert "teaches the detector nothing" in nothing
    assert "2 verdicts on what resembles it." in nothing
    assert "for the ticked" in nothing
    assert "for the ticked" not in told(VerdictKind.EXPECTED)


def test_what_if_names_the_smallest_change() -> None:
    changed = Changed("amount", "amount", "412 €", "20 €", 3.0)
    found = WhatIfAnswer("m", 2.0, Scored(3.0, 0.95, True), None, LEVERS, (changed,), None)
    assert "amount 20 € instead of 412 €." in text_of(what_if(found, "c"))
    two = replace(found, smallest=(changed, replace(changed, label="hour")))
    assert "412 € and hour 20 €" in text_of(what_if(two, "c"))
    assert "No change of at most three" in text_of(what_if(replace(found, smallest=None), "c"))
    assert "below the alert line as it is" in text_of(what_if(replace(found, smallest=()), "c"))
    assert "No feature" in text_of(what_if(replace(found, levers=()), "c"))


def test_sliders_that_were_not_moved_change_nothing() -> None:
    data = {
        "levers": [{"feature": "a", "at": 1, "values": [1.0, 2.0, 3.0], "texts": ["1", "2", "3"]}]
    }
    assert changes(data, ["a"], [1]) == {}
    assert changes(data, ["a"], [2]) == {"a": 3.0}
    assert changes(data, ["a", "b", "a"], [7, 0, None]) == {}
    assert stop_text(data, "a", 2) == "3"
    assert stop_text(data, "b", 0) == stop_text(data, "a", None) == stop_text(data, "a", 3) == ""
    assert places_of(["2", 0, "x", None, -1, "9" * 5000]) == [2, 0, *[None] * 4]


def test_a_rule_draft_says_what_speaks_for_it() -> None:
    shown = text_of(rule_draft(DRAFT))
    assert "amount at least 157.08 €." in shown
    assert "7 candidates in 2 other clusters" in shown
    assert "1 of 2,000 recent ordinary events" in shown
    assert "at least 68 % is real" in shown
    assert "contradicts a verdict" in text_of(rule_draft(replace(DRAFT, dismissed=1)))
    assert "nothing speaks for this rule" in text_of(rule_draft(replace(DRAFT, confirmed=0)))
    assert "No readable rule" in text_of(rule_draft(None))
