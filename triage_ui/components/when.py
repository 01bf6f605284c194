"""When, small: the entity's last events as dots in the order they came; band = usual."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from triage_ui.components.dom import attributes
from triage_ui.text import number
from triage_ui.timeline import Point, Timeline

DOTS = 60
"""Events in the small drawing: one per 6 px of the pane."""


def when_strip(line: Timeline) -> Component:
    """Return the drawing with its sentence as text twin."""
    points = list(line.points)
    values = [point.value for point in points if point.value is not None]
    bounds = [value for value in (line.low, line.high) if value is not None]
    low, high = min(values + bounds, default=0.0), max(values + bounds, default=1.0)
    room = (high - low) or 1.0

    def height(value: float | None) -> float:
        return 50.0 if value is None or high == low else 8 + 84 * (value - low) / room

    drawn: list[Component] = []
    if line.low is not None and line.high is not None:
        bottom, top = height(line.low), height(line.high)
        drawn.append(
            html.Span(
                className="band",
                style={"bottom": f"{bottom:.1f}%", "height": f"{top - bottom:.1f}%"},
            )
        )
    first = next((index for index, point in enumerate(points) if point.member), None)
    if first:
        drawn.append(html.Span(className="onset", style={"left": f"{_across(first, points):.1f}%"}))
    drawn += [
        html.Span(
            className=f"dot {_class(point)}",
            style={
                "left": f"{_across(index + 0.5, points):.2f}%",
                "bottom": f"{height(point.value):.1f}%",
            },
        )
        for index, point in enumerate(points)
    ]
    scale = [html.Span(number(high), className="top"), html.Span(number(low), className="bottom")]
    return html.Div(
        [
            html.Div(drawn, className="dots", **attributes(aria_hidden="true")),
            html.Div(
                scale if values and high > low else [],
                className="scale",
                **attributes(aria_hidden="true"),
            ),
            html.P(line.sentence, className="twin"),
        ],
        className="when-strip",
    )


def _across(index: float, points: list[Point]) -> float:
    return 100 * index / max(1, len(points))


def _class(point: Point) -> str:
    if point.member:
        return "member"
    return "elsewhere" if point.elsewhere else "ordinary"
