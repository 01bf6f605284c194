"""Why, in full: SHAP bars with the spread over the members, and the same as text beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

from triage.queries import ClusterReason
from triage_ui.components.dom import attributes
from triage_ui.components.reasons import value_text
from triage_ui.text import visible

MOST = 12


def shap_bars(reasons: Sequence[ClusterReason]) -> Component:
    """Return the table with the bars as its last column."""
    shown = sorted(reasons, key=lambda reason: -abs(reason.mean))[:MOST]
    low = min((reason.low for reason in shown), default=0.0)
    high = max((reason.high for reason in shown), default=0.0)
    axis = _Axis(min(low, 0.0), max(high, 0.0))
    return html.Div(
        [
            _table(shown),
            html.Div(
                [_bar(reason, axis) for reason in shown],
                className="shap-bars",
                **attributes(aria_hidden="true"),
            ),
        ],
        className="shap",
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


@dataclass(frozen=True, slots=True)
class _Axis:
    """The values that the bars' column spans; zero is among them."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return where a value lies, in percent of the width."""
        return 100 * (value - self.low) / ((self.high - self.low) or 1.0)

    def span(self, low: float, high: float) -> dict[str, str]:
        """Return the style of what lies between two values."""
        left = self.at(low)
        return {"left": f"{left:.2f}%", "width": f"{self.at(high) - left:.2f}%"}


def _bar(reason: ClusterReason, axis: _Axis) -> Component:
    said = (
        f"{visible(reason.label, 60)}: {visible(value_text(reason), 80)}; "
        f"mean {reason.mean:+.2f}, spread of members {reason.low:+.2f} to {reason.high:+.2f}"
    )
    return html.Div(
        [
            html.Span(className="zero", style={"left": f"{axis.at(0.0):.2f}%"}),
            html.Span(
                className=f"mean {'towards' if reason.mean >= 0 else 'away'}",
                style=axis.span(min(0.0, reason.mean), max(0.0, reason.mean)),
            ),
            html.Span(className="spread", style=axis.span(reason.low, reason.high)),
        ],
        className="shap-bar",
        title=said,
    )
