"""What the board says of fields that have changed."""

from __future__ import annotations

from triage.drift import Drift, PartitionDrift
from triage_ui.components.drift import drift_table


def test_a_drift_says_which_field_what_and_where() -> None:
    drift = PartitionDrift(3, Drift("<b>amount", "missing", "in 0%, was in 100%", 12_345))
    shown = str(drift_table([drift]).to_plotly_json())
    for words in ("<b>amount", "no longer comes", "in 0%, was in 100%", "3, 12,345"):
        assert words in shown
    assert "All fields come as they used to." in str(drift_table([]).to_plotly_json())
