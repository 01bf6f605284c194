"""When, in full: the entity's kept events on a true time axis, members marked, band = usual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dash import html
from dash.development.base_component import Component

from triage_ui.components.charts import base_layout, graph
from triage_ui.palette import Palette
from triage_ui.text import number, visible
from triage_ui.timeline import Point, Timeline

HEIGHT = 240
DOTS = {"ordinary": "ordinary", "other clusters": "elsewhere", "this cluster": "member"}
FIELDS_SHOWN = 8
"""Fields of an event in its tooltip."""
TIME_AXIS = {
    "type": "date",
    "showgrid": False,
    "fixedrange": False,
    "zeroline": False,
    "tickformatstops": [
        {"dtickrange": [None, 60_000], "value": "%H:%M:%S"},
        {"dtickrange": [60_000, 86_400_000], "value": "%H:%M\n%e %b"},
        {"dtickrange": [86_400_000, None], "value": "%e %b\n%Y"},
    ],
}


def entity_chart(line: Timeline, colours: Palette) -> Component:
    """Return the chart with its sentence as text twin."""
    groups = (
        ("ordinary", [p for p in line.points if not p.member and not p.elsewhere]),
        ("other clusters", [p for p in line.points if p.elsewhere]),
        ("this cluster", [p for p in line.points if p.member]),
    )
    traces = [_trace(name, points, colours) for name, points in groups if points]
    chart = graph("when-chart", traces, _layout(line, colours), line.sentence)
    legend = html.Ul(
        [
            html.Li([html.Span(className=f"dot {DOTS[name]}"), name])
            for name, points in groups
            if points
        ],
        className="legend",
    )
    return html.Div([html.P(line.sentence, className="twin"), chart, legend], className="when")


def _trace(name: str, points: Sequence[Point], colours: Palette) -> dict[str, Any]:
    style: dict[str, Any] = {
        "ordinary": {"color": colours.ink_3, "size": 5, "opacity": 0.75},
        "other clusters": {
            "color": "rgba(0,0,0,0)",
            "size": 8,
            "line": {"color": colours.away, "width": 1.5},
        },
        "this cluster": {"color": colours.towards, "size": 9, "symbol": "diamond"},
    }[name]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [moment(point.time) for point in points],
        "y": [0 if point.value is None else point.value for point in points],
        "marker": style,
        "customdata": [tooltip(point.fields) for point in points],
        "hovertemplate": "%{x|%e %b %H:%M:%S}<br>%{customdata}<extra>" + name + "</extra>",
    }


def tooltip(fields: Mapping[str, Any]) -> str:
    """Return an event's first fields; what looks like a tag is no tag."""
    shown = [
        f"{visible(name, 40)}: {_value(value)}"
        for name, value in list(fields.items())[:FIELDS_SHOWN]
    ]
    return "<br>".join(text.replace("&", "&amp;").replace("<", "&lt;") for text in shown)


def _value(value: object) -> str:
    plain = isinstance(value, float) and abs(value) < 1e15
    return number(value) if plain and isinstance(value, float) else visible(value, 60)


def moment(at: float) -> str:
    """Return a time as plotly's axes read it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _layout(line: Timeline, colours: Palette) -> dict[str, Any]:
    shapes = []
    if line.low is not None and line.high is not None:
        shapes.append(
            {
                "type": "rect",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": line.low,
                "y1": line.high,
                "fillcolor": colours.accent_bg,
                "line": {"width": 0},
                "layer": "below",
            }
        )
    flat = line.name is None
    return base_layout(
        colours,
        HEIGHT if not flat else 90,
        margin={"l": 0 if flat else 56, "r": 8, "t": 8, "b": 40, "pad": 4},
        shapes=shapes,
        xaxis=TIME_AXIS,
        yaxis={"visible": not flat, "nticks": 5, "zeroline": False, "rangemode": "normal"},
        dragmode="zoom",
        hovermode="closest",
    )
