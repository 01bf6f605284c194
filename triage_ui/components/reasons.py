"""Why: one entry per feature: its push towards or away from anomaly, its value and usual range."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from triage.queries import ClusterReason
from triage_ui.components.dom import hidden_text
from triage_ui.text import visible


def value_text(reason: ClusterReason) -> str:
    """Return the strongest member's value with its usual range: ``412 € (20–55 €)``."""
    value = visible(reason.text, 80)
    return f"{value} ({visible(reason.usual, 80)})" if reason.usual else value


def reason_bars(reasons: Sequence[ClusterReason], most: int = 5) -> Component:
    """The strongest reasons as rows with bars; the bars' zero stands where all signs fit."""
    shown = sorted(reasons, key=lambda reason: -abs(reason.mean))[:most]
    left = max((-reason.mean for reason in shown if reason.mean < 0), default=0.0)
    right = max((reason.mean for reason in shown if reason.mean > 0), default=0.0)
    width = (left + right) or 1.0
    return html.Ul([_row(reason, left / width, width) for reason in shown], className="reason-bars")


def _row(reason: ClusterReason, zero: float, width: float) -> Component:
    towards = reason.mean >= 0
    length = abs(reason.mean) / width
    start = zero if towards else zero - length
    bar = html.Span(
        className=f"bar {'towards' if towards else 'away'}",
        style={"left": f"{100 * start:.1f}%", "width": f"{max(1.5, 100 * length):.1f}%"},
    )
    push = f"{reason.mean:+.2f}, {'towards' if towards else 'away from'} anomaly"
    label, value = visible(reason.label, 80), visible(reason.text, 80)
    usual = f"usually {visible(reason.usual, 80)}" if reason.usual else ""
    return html.Li(
        [
            html.Bdi(label, className="reason-label", title=label),
            html.Bdi(value, className="reason-value", title=value),
            html.Span(
                [bar, hidden_text(push)],
                className="reason-bar",
                title=f"{push}; members {reason.low:+.2f} to {reason.high:+.2f}",
            ),
            html.Bdi(usual, className="reason-usual", title=usual),
        ],
        className="reason",
    )
