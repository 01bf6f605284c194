"""Why, in full: SHAP bars with the spread over the members, and the same as text beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

from triage.queries import ClusterReason
from triage_ui.components.charts import base_layout, graph
from triage_ui.components.dom import attributes
from triage_ui.components.reasons import value_text
from triage_ui.palette import Palette
from triage_ui.text import visible

ROW = 30
"""Height of a reason in px, the same in the chart and in the table."""
MOST = 12


def shap_chart(reasons: Sequence[ClusterReason], colours: Palette) -> Component:
    """Return the table with the chart as its last column."""
    shown = sorted(reasons, key=lambda reason: -abs(reason.mean))[:MOST]
    chart = graph("why-chart", [_bars(shown, colours)], _layout(shown, colours), "Reasons as bars")
    return html.Div(
        [_table(shown), html.Div(chart, className="shap-bars", **attributes(aria_hidden="true"))],
        className="shap",
        style={"--rows": str(len(shown))},
    )


def _table(reasons: Sequence[ClusterReason]) -> Component:
    head = html.Tr([html.Th(text, scope="col") for text in ("Feature", "Value", "Usual", "Push")])
    rows = [
        html.Tr(
            [
                html.Th(_name(reason), scope="row"),
                html.Td(html.Bdi(visible(reason.text, 100)), title=visible(reason.text)),
                html.Td(html.Bdi(visible(reason.usual, 100)), className="quiet"),
                html.Td(
                    f"{reason.mean:+.2f}",
                    className=f"push {'towards' if reason.mean >= 0 else 'away'}",
                ),
            ]
        )
        for reason in reasons
    ]
    return html.Table([html.Thead(head), html.Tbody(rows)], className="shap-table")


def _name(reason: ClusterReason) -> Component:
    """A feature's name leads to the clusters that it leads too."""
    address = f"/?feature={quote(reason.label[:200], safe='')}"
    label = visible(reason.label, 100)
    said = f"Clusters for which {label} is a leading reason"
    return html.A(label, href=address, title=said, **attributes(data_nav=""))


def _bars(reasons: Sequence[ClusterReason], colours: Palette) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "x": [reason.mean for reason in reasons],
        "y": list(range(len(reasons))),
        "width": 0.46,
        "marker": {
            "color": [colours.towards if r.mean >= 0 else colours.away for r in reasons],
            "cornerradius": 3,
        },
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [max(0.0, reason.high - reason.mean) for reason in reasons],
            "arrayminus": [max(0.0, reason.mean - reason.low) for reason in reasons],
            "color": colours.ink_3,
            "thickness": 1,
            "width": 3,
        },
        "customdata": [
            [visible(r.label, 60), f"{r.low:+.2f}", f"{r.high:+.2f}", visible(value_text(r), 80)]
            for r in reasons
        ],
        "hovertemplate": (
            "%{customdata[0]}: %{customdata[3]}<br>"
            "mean %{x:+.2f}, members %{customdata[1]} to %{customdata[2]}<extra></extra>"
        ),
    }


def _layout(reasons: Sequence[ClusterReason], colours: Palette) -> dict[str, Any]:
    count = len(reasons)
    return base_layout(
        colours,
        ROW * max(1, count),
        xaxis={
            "showticklabels": False,
            "showgrid": False,
            "zeroline": True,
            "zerolinecolor": colours.ink_3,
        },
        yaxis={"visible": False, "range": [count - 0.5, -0.5]},
        margin={"l": 4, "r": 4, "t": 0, "b": 0, "pad": 0},
        bargap=0,
    )
