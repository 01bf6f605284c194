"""Fields that no longer come as they used to."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from triage.drift import PartitionDrift
from triage_ui.components.dom import table
from triage_ui.text import visible

LISTED = 50
KINDS = {
    "missing": "no longer comes",
    "nulls": "often without a value",
    "retyped": "another type",
    "range": "other values",
    "new": "new field",
}


def drift_table(drifts: Sequence[PartitionDrift]) -> Component:
    """Return the list, by field; empty it says so."""
    if not drifts:
        return html.P("All fields come as they used to.", className="quiet")
    names = ("Field", "What", "Was and is", "Partition, from offset")
    return table(names, [_row(one) for one in drifts[:LISTED]])


def _row(one: PartitionDrift) -> Component:
    drift = one.drift
    return html.Tr(
        [
            html.Th(html.Bdi(visible(drift.field, 60)), scope="row"),
            html.Td(KINDS.get(drift.kind, visible(drift.kind, 20))),
            html.Td(visible(drift.detail, 200), className="wrap"),
            html.Td(f"{one.partition}, {drift.since:,}"),
        ]
    )
