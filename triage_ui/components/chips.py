"""Verdicts in small: a shape, a word, a colour; never the colour alone."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from triage.model import VerdictKind, VerdictState
from triage.queries import VerdictRow
from triage_ui.components.dom import attributes
from triage_ui.text import STATE_WORDS, VERDICT_WORDS


def shape(kind: VerdictKind) -> Component:
    """The verdict's shape; drawn by the style sheet, silent to screen readers."""
    return html.Span(className=f"shape shape-{kind}", **attributes(aria_hidden="true"))


def verdict_chip(kind: VerdictKind, detail: str = "") -> Component:
    """A pill that names a verdict."""
    text = f"{VERDICT_WORDS[kind]} {detail}".strip()
    return html.Span([shape(kind), text], className=f"chip chip-{kind}")


def fate(verdict: VerdictRow, now: float) -> str:
    """Return what became of a verdict, in one line."""
    over = verdict.state is VerdictState.PENDING and now > verdict.grace_until
    parts = [STATE_WORDS[VerdictState.RECORDED if over else verdict.state]]
    if verdict.learned and verdict.model_after is not None:
        parts.append(f"learned by model v{verdict.model_after}")
        parts.append(moved(verdict.rose, verdict.fell))
    return " · ".join(parts)


def moved(rose: int, fell: int) -> str:
    """Return how many open clusters moved.

    >>> moved(3, 12), moved(1, 0), moved(0, 0)
    ('3 clusters rose, 12 fell', '1 cluster rose, none fell', 'no other cluster moved')
    """
    if not rose and not fell:
        return "no other cluster moved"
    rising = f"{rose or 'no'} cluster{'' if rose == 1 else 's'} rose"
    return f"{rising}, {fell or 'none'} fell"
