"""Verdicts on a cluster, newest first, each with what became of it and the way back."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from triage.model import VerdictState
from triage.queries import VerdictRow
from triage_ui.components.chips import fate, verdict_chip
from triage_ui.components.closing import unread
from triage_ui.components.dom import attributes
from triage_ui.text import ago, clock, day, visible

OVER = frozenset({VerdictState.UNDONE, VerdictState.RETRACTED})
STEPS = (VerdictState.PENDING, VerdictState.RECORDED, VerdictState.PUBLISHED)


def history(verdicts: Sequence[VerdictRow], now: float) -> Component:
    """Return the list; empty it says so."""
    if not verdicts:
        return html.P("No verdict yet.", className="quiet")
    newest_first = sorted(verdicts, key=lambda verdict: -verdict.at)
    return html.Ol([_entry(verdict, now) for verdict in newest_first], className="history")


def _entry(verdict: VerdictRow, now: float) -> Component:
    over = verdict.state in OVER
    lines = [
        html.Div(
            [
                verdict_chip(verdict.kind),
                html.Span(f"by {visible(verdict.actor, 60)}", className="who"),
                html.Span(
                    ago(verdict.at, now), className="quiet", title=f"{clock(verdict.at)} UTC"
                ),
                *([] if over else [_undo(verdict)]),
            ],
            className="history-head",
        ),
        html.Div(fate(verdict, now), className="history-fate"),
        html.Div(unread(verdict), className="quiet"),
    ]
    if verdict.scope:
        until = "" if verdict.expires_at is None else f", until {day(verdict.expires_at)}"
        lines.append(html.Div([html.Bdi(visible(verdict.scope, 500)), until], className="said"))
    if verdict.reason:
        lines.append(
            html.Div(["“", html.Bdi(visible(verdict.reason, 1000)), "”"], className="said")
        )
    return html.Li(lines, className="over" if over else None)


def _undo(verdict: VerdictRow) -> Component:
    published = verdict.state is VerdictState.PUBLISHED
    return html.Button(
        "Retract" if published else "Undo",
        type="button",
        className="button small",
        **attributes(data_action="undo", data_verdict_id=verdict.verdict_id),
    )
