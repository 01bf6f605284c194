"""What the board says of configs that come and go."""

from __future__ import annotations

from triage.rollout import Rollout, RolloutKind, Stage
from triage.trial import Trial
from triage_ui.components.rollouts import rollout_table


def test_the_newest_roll_outs_say_who_and_why_and_how_a_trial_does() -> None:
    log = [
        Rollout("s", 1, RolloutKind.START, "a" * 64),
        Rollout("s", 2, RolloutKind.APPLY, "a" * 64, "b" * 64, Stage.SHADOW, 0, "eve", "<b>why"),
    ]
    shown = str(
        rollout_table(log, Trial(events=1200, both=4, only_new=2), ["v"], 5.0).to_plotly_json()
    )
    for words in ("tried in shadow", "1,200 events", "1 verified findings missed", "eve", "<b>why"):
        assert words in shown
    assert "No config" in str(rollout_table([], Trial(), [], 5.0).to_plotly_json())
