"""Which part of the real clusters was found, by the looks that went to clusters drawn at random."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from triage.recall import Recall
from triage_ui.components.dom import Node, table
from triage_ui.text import count, visible

MEANING = (
    "A share of the looks goes to clusters that were drawn at random when they came, whatever "
    "their rank. What these find bounds how many real ones there are in all (95 %, valid at every "
    "look), up to the oldest one that waits for its look. It speaks of what came to the board: not "
    "of what the thresholds cut off, nor of what all readers get wrong alike."
)


def recalls(rows: Sequence[Recall]) -> Component:
    """Return the recall of each stream, with all that it is made of."""
    if not rows:
        return html.P("No cluster has come yet.", className="quiet")
    names = ("Stream", "Found, at least", "Found", "Real in all, at most", "Best guess", "Made of")
    return html.Div(
        [
            html.P(MEANING, className="quiet"),
            table(names, [_recall(row) for row in rows], id="recalls"),
        ]
    )


def _recall(row: Recall) -> Component:
    cells: list[Node] = ["not known", f"{row.found:,}", "not known", "not known"]
    if row.read:
        guess = "–" if row.guess is None else f"{row.guess:,.0f}"
        cells = [f"{100 * row.at_least:.0f} %", f"{row.found:,}", f"{row.most:,}", guess]
    made_of = f"{count(row.read, 'random look')} among {count(row.clusters, 'cluster')}"
    made_of += f", {row.read_real:,} real"
    if row.waiting:
        made_of += f"; {row.waiting:,} waiting"
    return html.Tr(
        [
            html.Th(html.Bdi(visible(row.stream, 60)), scope="row"),
            *(html.Td(cell) for cell in cells),
            html.Td(made_of, className="quiet"),
        ]
    )
