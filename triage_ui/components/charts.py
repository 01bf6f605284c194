"""The one chart factory. No other module makes a ``dcc.Graph`` (a test says so).

plotly 7 puts a button on every chart that uploads its data; it is off here, for all of them.
"""

from __future__ import annotations

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from triage_ui.components.dom import attributes
from triage_ui.palette import Palette

CONFIG: dcc.Graph.Config = {
    "showSendToCloud": False,
    "displaylogo": False,
    "displayModeBar": False,
    "responsive": True,
    "scrollZoom": False,
    "doubleClick": "reset",
}
FONT = '"Inter Variable", system-ui, sans-serif'


def graph(name: str, data: list[dict[str, Any]], layout: dict[str, Any], label: str) -> Component:
    """Return a chart.

    Args:
        name: its id. ``data``, ``layout``: a plotly figure in plain dicts; no plotly import needed.
        label: what it shows, for who doesn't see it; its numbers stand beside it as text.
    """
    chart = dcc.Graph(
        id=name,
        figure={"data": data, "layout": layout},
        config=CONFIG,
        className="chart",
        style={"height": f"{layout['height']}px"},
    )
    return html.Figure(chart, className="figure", role="img", **attributes(aria_label=label))


def base_layout(colours: Palette, height: int, **more: Any) -> dict[str, Any]:
    """Return the layout that all charts share, merged with ``more``."""
    axis = {
        "gridcolor": colours.line,
        "linecolor": colours.line,
        "zerolinecolor": colours.line,
        "tickfont": {"color": colours.ink_3, "size": 11},
        "fixedrange": True,
        "ticks": "",
    }
    layout: dict[str, Any] = {
        "height": height,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0, "pad": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": colours.ink_2},
        "showlegend": False,
        "hoverlabel": {
            "bgcolor": colours.ink,
            "bordercolor": colours.ink,
            "font": {"family": FONT, "size": 12, "color": colours.panel},
        },
        "dragmode": False,
    }
    for name in ("xaxis", "yaxis"):
        layout[name] = axis | more.pop(name, {})
    return layout | more
