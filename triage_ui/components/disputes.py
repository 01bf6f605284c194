"""Two readers who disagree: what waits for a lead, and how disputes before ended."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from triage.access import Action, allowed
from triage.cases import Dispute, DisputeState
from triage.model import Actor
from triage.queries import VerdictRow
from triage_ui.components.chips import verdict_chip
from triage_ui.components.dom import attributes, section
from triage_ui.text import ago, clock, visible

ENDS = {
    DisputeState.OPEN: "waits for a lead",
    DisputeState.KEPT: "the verdict was kept by",
    DisputeState.ACCEPTED: "the verdict was taken back by",
    DisputeState.WITHDRAWN: "withdrawn by",
}


def waiting(
    disputes: Sequence[Dispute], verdict: VerdictRow, viewer: Actor | None, now: float
) -> list[Component]:
    """Return what stands below a verdict that a second reader disagrees with, else nothing."""
    return [
        html.Div(
            [
                html.P(
                    [
                        f"{visible(one.actor, 60)} disagrees: ",
                        verdict_chip(one.kind),
                        f" {ago(one.at, now)}. A lead decides; until then the verdict stands.",
                    ]
                ),
                *_said(one.reason),
                *_ways(one, verdict, viewer),
            ],
            className="disputed",
        )
        for one in disputes
        if one.state is DisputeState.OPEN
    ]


def dispute_list(disputes: Sequence[Dispute], now: float) -> list[Component]:
    """Return the section of the history, or nothing where nobody ever disagreed."""
    if not disputes:
        return []
    entries = [html.Li(_entry(one, now)) for one in disputes]
    return [section("Disagreed", html.Ul(entries, className="history"), name="disputes")]


def _entry(one: Dispute, now: float) -> list[Component]:
    end = ENDS[one.state]
    ended = [] if one.settled_at is None else [f" {visible(one.settled_by, 60)}"]
    return [
        html.Div(
            [
                verdict_chip(one.kind),
                html.Span(f"said {visible(one.actor, 60)}", className="who"),
                html.Span(ago(one.at, now), className="quiet", title=f"{clock(one.at)} UTC"),
            ],
            className="history-head",
        ),
        html.Div([end, *ended], className="history-fate"),
        *_said(one.reason),
        *_said(one.answer),
    ]


def _said(text: str) -> list[Component]:
    if not text:
        return []
    return [html.Div(["“", html.Bdi(visible(text, 500)), "”"], className="said")]


def _ways(one: Dispute, verdict: VerdictRow, viewer: Actor | None) -> list[Component]:
    """The buttons that the viewer may press."""
    if viewer is None:
        return []
    back = attributes(data_action="undo", data_verdict_id=verdict.verdict_id)
    settle = attributes(data_action="settle-dispute", data_dispute=one.dispute_id)
    if viewer.name == one.actor:
        found = [("Withdraw", settle)]
    elif viewer.name == verdict.actor:
        found = [("Take mine back", back)]
    elif allowed(viewer, Action.SETTLE):
        found = [("Keep the verdict", settle), ("Take it back", back)]
    else:
        return []
    buttons = [
        html.Button(text, type="button", className="button small", **to) for text, to in found
    ]
    return [html.Div(buttons, className="disputed-ways")]
