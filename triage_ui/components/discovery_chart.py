"""How many real clusters the looks have found, look by look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from triage.looks import Look, discovery, early
from triage_ui.components.charts import base_layout, graph
from triage_ui.palette import Palette
from triage_ui.text import VERDICT_WORDS, count, visible

HEIGHT = 260


def discovery_chart(looks: Sequence[Look], shadow: Sequence[Look], colours: Palette) -> Component:
    """Return the curve.

    The dotted line is of the same looks in the order without feedback (``looks.without_feedback``),
    the dashed one is a queue in which every look finds something.
    """
    found = list(discovery(looks))
    sentence = (
        f"{count(len(looks), 'look')} found {count(found[-1] if found else 0, 'real cluster')}."
    )
    if found and found[-1]:
        sentence += (
            f" The first half of them found {early(looks).hits:,};"
            f" by the scores alone, without feedback, it would have been {early(shadow).hits:,}."
        )
    top = max(1, len(looks))
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [0, top],
            "y": [0, top],
            "line": {"color": colours.ink_3, "width": 1, "dash": "dash"},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "mode": "lines",
            "x": list(range(len(found) + 1)),
            "y": [0, *discovery(shadow)],
            "line": {"color": colours.ink_2, "width": 1.5, "shape": "hv", "dash": "dot"},
            "hovertemplate": "look %{x}: %{y} real without feedback<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "lines",
            "x": list(range(len(found) + 1)),
            "y": [0, *found],
            "line": {"color": colours.accent, "width": 2, "shape": "hv"},
            "customdata": ["", *(_told(look) for look in looks)],
            "hovertemplate": "look %{x}: %{y} real so far<br>%{customdata}<extra></extra>",
        },
    ]
    layout = base_layout(
        colours,
        HEIGHT,
        margin={"l": 56, "r": 8, "t": 8, "b": 44, "pad": 4},
        xaxis={"title": _title("looks"), "rangemode": "tozero", "showgrid": False},
        yaxis={"title": _title("real clusters"), "rangemode": "tozero", "nticks": 5},
        hovermode="closest",
    )
    chart = graph("discovery-chart", traces, layout, sentence)
    return html.Div([html.P(sentence, className="twin"), chart], className="when")


def _title(text: str) -> dict[str, Any]:
    return {"text": text, "font": {"size": 11.5}}


def _told(look: Look) -> str:
    title = visible(look.title, 80).replace("&", "&amp;").replace("<", "&lt;")
    return f"{VERDICT_WORDS[look.kind].lower()}: {title}"
