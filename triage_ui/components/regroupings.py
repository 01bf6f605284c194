"""Splits and merges that a cluster had a part in."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from triage.cases import Regrouping
from triage_ui.components.dom import attributes, section
from triage_ui.text import ago, clock, count, visible


def regroupings(moves: Sequence[Regrouping], cluster_id: str, now: float) -> list[Component]:
    """Return the section, or nothing where nobody changed the cluster by hand."""
    if not moves:
        return []
    entries = [html.Li(_entry(move, cluster_id, now)) for move in moves]
    return [section("Members moved by hand", html.Ul(entries, className="history"), name="moves")]


def _entry(move: Regrouping, cluster_id: str, now: float) -> list[Component]:
    left = move.cluster_id == cluster_id
    words = {
        ("split", True): "left for",
        ("split", False): "came out of",
        ("merge", True): "went to",
        ("merge", False): "came from",
    }[move.kind, left]
    other = move.other if left else move.cluster_id
    link = html.A(
        "another cluster", href=f"/cluster/{other}", className="link", **attributes(data_nav="")
    )
    said = [html.Div(["“", html.Bdi(visible(move.reason, 500)), "”"], className="said")]
    return [
        html.Div(
            [
                html.Span([f"{count(len(move.members), 'member')} {words} ", link]),
                html.Span(f"by {visible(move.actor, 60)}", className="who"),
                html.Span(ago(move.at, now), className="quiet", title=f"{clock(move.at)} UTC"),
            ],
            className="history-head",
        ),
        *(said if move.reason else []),
    ]
