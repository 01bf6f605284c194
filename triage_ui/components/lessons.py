"""What the last labels changed: which verdicts taught a model, and what moved because of them."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from triage.queries import Lesson, TaughtBy
from triage_ui.components.chips import moved, verdict_chip
from triage_ui.components.dom import attributes, table
from triage_ui.text import ago, visible

NAMED = 3  # verdicts of one lesson that are named


def lesson_table(lessons: Sequence[Lesson], now: float) -> Component:
    """Return the list, newest first; empty it says so."""
    if not lessons:
        return html.P("No label has been learned yet.", className="quiet")
    names = ("Learned from", "What moved", "Model", "When")
    return table(names, [_row(lesson, now) for lesson in lessons])


def _row(lesson: Lesson, now: float) -> Component:
    told: list[Component] = [_verdict(one) for one in lesson.by[:NAMED]]
    more = len(lesson.by) - NAMED
    if more > 0:
        told.append(html.Div(f"and {more:,} more", className="quiet"))
    if not told:
        told = [html.Div("a verdict taken back, or late truth", className="quiet")]
    return html.Tr(
        [
            html.Th(told, scope="row"),
            html.Td(moved(lesson.rose, lesson.fell)),
            html.Td(f"v{lesson.model_before} → v{lesson.model_after}"),
            html.Td(ago(lesson.at, now)),
        ]
    )


def _verdict(one: TaughtBy) -> Component:
    link = html.A(
        html.Bdi(visible(one.title, 120)),
        href=f"/cluster/{one.cluster_id}",
        className="link",
        **attributes(data_nav=""),
    )
    state = "" if one.standing else " · taken back since"
    return html.Div([verdict_chip(one.kind), " ", link, state], className="lesson")
