"""What other systems say of a cluster's members, later; beside the verdict where they differ."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from triage.model import VerdictKind
from triage.queries import TruthRow
from triage_ui.components.chips import verdict_chip
from triage_ui.components.dom import section
from triage_ui.text import clock, count, span, visible

LISTED = 8


def late_truth(truths: Sequence[TruthRow]) -> list[Component]:
    """Return the section, or nothing where no source has told anything."""
    if not truths:
        return []
    against = sum(truth.contradicts for truth in truths)
    lines: list[Component] = []
    if against:
        lines.append(
            html.P(
                [
                    html.Strong(f"{count(against, 'report')} against the verdict. "),
                    "Late truth wins: it is learned instead of what the verdict says.",
                ],
                className="against",
            )
        )
    lines.append(html.Ul([_entry(truth) for truth in truths[:LISTED]], className="history"))
    if len(truths) > LISTED:
        lines.append(html.P(f"and {len(truths) - LISTED} more", className="quiet"))
    return [section("Late truth", lines, name="truth", level=2)]


def _entry(truth: TruthRow) -> Component:
    real = verdict_chip(VerdictKind.REAL)
    return html.Li(
        [
            html.Div(
                [
                    real if truth.real else html.Span("Not real", className="quiet"),
                    html.Span(["by ", html.Bdi(visible(truth.source, 60))], className="who"),
                    html.Span(
                        f"{span(max(0.0, truth.delay_s))} after the event",
                        className="quiet",
                        title=f"{clock(truth.at)} UTC",
                    ),
                ],
                className="history-head",
            ),
            html.Div(html.Bdi(visible(truth.id, 80)), className="quiet"),
        ]
    )
