"""Which past verdicts moved a cluster's margin, and how far."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from triage.queries import InfluenceRow
from triage_ui.components.dom import attributes
from triage_ui.text import visible


def influence_list(rows: Sequence[InfluenceRow]) -> Sequence[Component]:
    """Return the verdicts as a list with links; nothing where none moved it."""
    if not rows:
        return []
    told = html.P("When it was scored, past verdicts had moved its margin:", className="facts")
    return [told, html.Ul([_row(row) for row in rows], className="influences")]


def _row(row: InfluenceRow) -> Component:
    link = html.A(
        html.Bdi(visible(row.title, 120)),
        href=f"/cluster/{row.cluster_id}",
        className="link",
        **attributes(data_nav=""),
    )
    said = "found real" if row.real else "found not real"
    return html.Li([f"{row.shift:+.2f} by ", link, f", {said}"], className="facts")
