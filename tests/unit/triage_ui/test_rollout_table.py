"""What the Detectors page says of versions that are tried, watched, kept and retired."""

from __future__ import annotations

import json

from triage.rollout import Request, Rollout, Stage, applied, kept, retired, staged, started
from triage.trial import Trial
from triage_ui.components.rollouts import rollout_table

ASKED = Request("eve", "because", 0.0)


def told(log: list[Rollout]) -> str:
    trial = Trial(events=2_000, both=5, only_live=2, only_new=4, seconds_live=1.0, seconds_new=1.5)
    return json.dumps(rollout_table(log, trial, ["v1"], 60.0).to_plotly_json(), default=shown)


def shown(part: object) -> object:
    return part.to_plotly_json() if hasattr(part, "to_plotly_json") else str(part)


def test_each_stage_is_told_in_words() -> None:
    first = started([], "s", "one", ASKED)
    assert first is not None
    shadow = staged([first], "s", "two", Stage.SHADOW, ASKED)
    text = told([first, shadow])
    assert "Version two is tried in shadow (nothing shown): 2,000 events, 9 candidates" in text
    watched = applied([first, shadow], "s", "two", ASKED, watch=True)
    text = told([first, shadow, watched])
    assert "The version in force is watched, one runs on beside it: 2,000 events" in text
    assert "where the old version has 7 (5 in both), 1 verified findings missed" in text
    end = kept([first, shadow, watched], 3, ASKED)
    assert end is not None
    text = told([first, shadow, watched, end])
    assert "kept " in text
    assert "2,000 events" not in text
    assert "retired with " in told([first, retired([first], "s", ASKED)])
