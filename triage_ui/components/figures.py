"""Figures with their sample size and interval; few observations look like few."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from triage.looks import Median, Share
from triage_ui.text import span

ENOUGH = 30
"""Observations below which a figure is painted as a hint, and says so."""


def share_figure(share: Share, nothing: str = "no look yet") -> Component:
    """Return a share: ``62 %  49–74 %, 38 of 61``. ``nothing``: what is said of none."""
    if share.n == 0:
        return html.Span(nothing, className="quiet")
    between = f"{round(100 * share.low)}–{round(100 * share.high)} %"
    return _figure(
        f"{round(100 * share.value)} %", f"{between}, {share.hits:,} of {share.n:,}", share.n
    )


def median_figure(median: Median | None, nothing: str = "no look yet") -> Component:
    """Return a median of lengths of time: ``3 min  2 min – 5 min, n = 61``."""
    if median is None:
        return html.Span(nothing, className="quiet")
    between = f"{span(median.low)} – {span(median.high)}"
    return _figure(span(median.value), f"{between}, n = {median.n:,}", median.n)


def _figure(value: str, rest: str, n: int) -> Component:
    few = n < ENOUGH
    return html.Span(
        [html.Strong(value), html.Span(f" {rest}{' · few' if few else ''}", className="quiet")],
        className="figure-few" if few else "figure-enough",
    )
