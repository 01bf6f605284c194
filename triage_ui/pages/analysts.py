"""How far each analyst's labels are trusted, and what was rolled back. For leads."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dash import Dash, Input, Output, html
from dash.development.base_component import Component

from triage.access import Action, allowed
from triage.cases import Rollback
from triage.queries import AnalystRow
from triage_ui.actor import current_actor
from triage_ui.components.dom import Node, attributes, section
from triage_ui.pages import Page
from triage_ui.services import Services, in_thread
from triage_ui.text import clock, count, percent, visible

PATH = re.compile(r"/analysts")
COLUMNS = ("Analyst", "Read members learned", "Borne out", "Reads right", "Label weighs")
TAKEN = ("Analyst", "Labels of", "Taken back", "By", "State")


def layout() -> Component:
    """Return the page's shell."""
    return html.Main(
        [
            html.H1("Analysts", className="title"),
            html.P(
                "A label weighs as much as its analyst has been right, where late truth or a "
                "second reader could tell. Everybody begins with 10 right of 12.",
                className="quiet",
            ),
            html.Div(id="analysts"),
        ],
        className="list-page",
        id="main",
    )


def register(board: Dash, services: Services) -> None:
    """Add the page's callback."""
    queries = services.queries

    @board.callback(Output("analysts", "children"), Input("pulse", "data"))
    async def show(_pulse: object) -> list[Component]:
        if not allowed(current_actor(), Action.ROLL_BACK):
            return [html.P("Only leads see this page.", className="quiet")]
        rows = await in_thread(queries.analysts)
        taken = await in_thread(queries.rollbacks)
        return [table(rows), section("Rolled back", rolled_back(taken), name="rollbacks", level=2)]


def table(rows: Sequence[AnalystRow]) -> Component:
    """Return the analysts; empty it says so."""
    if not rows:
        return html.P("No label of an analyst is in force.", className="quiet")
    return _table(
        COLUMNS,
        [
            [
                html.Bdi(visible(row.analyst, 100)),
                f"{row.read:,}",
                f"{row.agreed:,} of {checked:,}"
                if (checked := row.agreed + row.disagreed)
                else "–",
                percent(row.reliability),
                f"{row.weight:.2f}",
            ]
            for row in rows
        ],
    )


def rolled_back(rows: Sequence[Rollback]) -> Component:
    """Return the roll-backs; empty it names the command."""
    if not rows:
        return html.P("Nothing. The command is triage rollback.", className="quiet")
    return _table(
        TAKEN,
        [
            [
                html.Bdi(visible(row.analyst, 100)),
                f"{clock(row.since)} to {clock(row.until)} UTC",
                count(len(row.taken), "verdict or report", "verdicts and reports"),
                [html.Bdi(visible(row.actor, 60)), f", {clock(row.at)}"],
                "in force" if row.undone_at is None else f"given back {clock(row.undone_at)}",
            ]
            for row in rows
        ],
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[Node | list[Node]]]) -> Component:
    head = html.Tr([html.Th(text, **attributes(scope="col")) for text in columns])
    body = [
        html.Tr([html.Th(first, **attributes(scope="row")), *(html.Td(cell) for cell in rest)])
        for first, *rest in rows
    ]
    return html.Table([html.Thead(head), html.Tbody(body)], className="list-table")


PAGE = Page(PATH, "Analysts", layout, register)
