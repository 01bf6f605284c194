"""An entity's time axis: its anomalies, each with the verdict on its cluster, among its events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from triage.model import VerdictKind
from triage.queries import EntityDetail, EntityEvent
from triage_ui.components.charts import base_layout, graph
from triage_ui.components.entity_chart import TIME_AXIS, moment, tooltip
from triage_ui.palette import Palette
from triage_ui.text import VERDICT_WORDS, count, visible
from triage_ui.timeline import as_number, drawn_field, interval

HEIGHT = 270
WAITING = "waiting"
ORDINARY = "ordinary"
MISSED = "missed"


def entity_axis(entity: EntityDetail, colours: Palette) -> Component:
    """Return the chart with its sentence. Dragging over it picks a time for the list below."""
    events = entity.events
    field = drawn_field(events, [event.candidate_id is not None for event in events])
    groups = _groups(entity)
    chart = graph(
        "entity-chart",
        [_trace(name, found, field, colours) for name, found in groups.items()],
        _layout(entity, field, colours),
        sentence(entity, field),
    )
    return html.Div([html.P(sentence(entity, field), className="twin"), chart], className="when")


def sentence(entity: EntityDetail, field: str | None) -> str:
    """Return what the chart shows, for who doesn't see it."""
    anomalies = [event for event in entity.events if event.candidate_id is not None]
    missed = [event for event in entity.events if event.missed_by]
    ordinary = [e for e in entity.events if e.candidate_id is None and not e.missed_by]
    beside = f"{count(len(ordinary), 'ordinary event')} kept beside"
    if missed:
        beside = f"{len(missed):,} reported as missed; {beside}"
    values = _values(anomalies, field)
    if field is None or not values:
        return f"{count(len(anomalies), 'anomaly', 'anomalies')}; {beside}."
    seen = interval(min(values), max(values))
    usual = sorted(_values(ordinary, field))
    others = f", of {interval(usual[0], usual[-1])}" if usual else ""
    shown = f"{visible(field.replace('_', ' '), 60)} {seen}"
    return f"{count(len(anomalies), 'anomaly', 'anomalies')}, {shown}; {beside}{others}."


def _values(events: Sequence[EntityEvent], field: str | None) -> list[float]:
    found = [as_number(event.fields.get(field or "")) for event in events]
    return [value for value in found if value is not None]


def _groups(entity: EntityDetail) -> Mapping[str, Sequence[EntityEvent]]:
    """Return the events by what is said of them, the ordinary ones first."""
    said = {row.cluster_id: row.verdict for row in entity.clusters}
    groups: dict[str, list[EntityEvent]] = {ORDINARY: [], WAITING: []}
    for event in entity.events:
        verdict = said.get(event.cluster_id or "")
        name = WAITING if verdict is None else VERDICT_WORDS[verdict].lower()
        if event.candidate_id is None:
            name = MISSED if event.missed_by else ORDINARY
        groups.setdefault(name, []).append(event)
    return {name: found for name, found in groups.items() if found}


def _trace(
    name: str, events: Sequence[EntityEvent], field: str | None, colours: Palette
) -> dict[str, Any]:
    marks = {
        ORDINARY: ("circle", colours.ink_3, 5),
        WAITING: ("diamond", colours.accent, 9),
        MISSED: ("triangle-up-open", colours.real, 11),
        VERDICT_WORDS[VerdictKind.REAL].lower(): ("triangle-up", colours.real, 11),
        VERDICT_WORDS[VerdictKind.SPURIOUS].lower(): ("circle-open", colours.spurious, 10),
        VERDICT_WORDS[VerdictKind.EXPECTED].lower(): ("square", colours.expected, 9),
        VERDICT_WORDS[VerdictKind.PIPELINE_FAULT].lower(): ("x", colours.pipeline, 9),
    }
    symbol, colour, size = marks.get(name, ("star", colours.ink_2, 9))
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [moment(event.time) for event in events],
        "y": [as_number(event.fields.get(field)) or 0 if field else 0 for event in events],
        "marker": {
            "symbol": symbol,
            "color": colour,
            "size": size,
            "opacity": 0.75 if name == ORDINARY else 1,
            "line": {"width": 2 if symbol.endswith("open") else 0},
        },
        "customdata": [tooltip(event.fields) for event in events],
        "hovertemplate": "%{x|%e %b %H:%M:%S}<br>%{customdata}<extra>" + name + "</extra>",
    }


def _layout(entity: EntityDetail, field: str | None, colours: Palette) -> dict[str, Any]:
    return base_layout(
        colours,
        HEIGHT,
        margin={"l": 56, "r": 8, "t": 8, "b": 64, "pad": 4},
        xaxis=TIME_AXIS,
        yaxis={"visible": field is not None, "nticks": 5, "zeroline": False},
        dragmode="zoom",
        hovermode="closest",
        showlegend=True,
        legend={
            "orientation": "h",
            "y": -0.22,
            "yanchor": "top",
            "x": 0,
            "font": {"size": 11.5, "color": colours.ink_2},
            "itemclick": False,
            "itemdoubleclick": False,
        },
        uirevision=f"{entity.name} {entity.value}",  # the time picked outlasts what is new
    )
