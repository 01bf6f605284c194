"""What expected verdicts keep out of the queue: until when, how much, and why one has ended."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component

from triage.model import SuppressionState
from triage.queries import SuppressionRow
from triage_ui.components.dom import attributes
from triage_ui.pages import Page
from triage_ui.services import Services, in_thread
from triage_ui.text import count, day, number, visible

PATH = re.compile(r"/suppressions")
COLUMNS = ("What is expected", "Covers", "Kept out", "State")
NAMED = 3  # entities that are written out
MANY = 200  # characters


def layout() -> Component:
    """Return the page's shell."""
    return html.Main(
        [
            html.H1("Suppressions", className="title"),
            html.P(
                "An expected verdict keeps its like out of the queue until it ends, or until much "
                "more comes than it was given on.",
                className="quiet",
            ),
            html.Div(id="suppressions"),
        ],
        className="list-page",
        id="main",
    )


def register(board: Dash, services: Services) -> None:
    """Add the page's callback."""

    @board.callback(
        Output("suppressions", "children"), Input("pulse", "data"), State("url", "pathname")
    )
    async def show(_pulse: object, _path: str) -> Component:
        return table(await in_thread(services.queries.suppressions))


def table(rows: Sequence[SuppressionRow]) -> Component:
    """Return the list; empty it says so."""
    if not rows:
        return html.P("Nothing is kept out of the queue.", className="quiet")
    head = html.Tr([html.Th(text, **attributes(scope="col")) for text in COLUMNS])
    return html.Table(
        [html.Thead(head), html.Tbody([_row(row) for row in rows])], className="list-table"
    )


def _row(row: SuppressionRow) -> Component:
    link = html.A(
        visible(row.title, MANY),
        href=f"/cluster/{row.cluster_id}",
        className="link",
        **attributes(data_nav=""),
    )
    return html.Tr(
        [
            html.Th(
                [
                    html.Div(html.Bdi(visible(row.scope, MANY))),
                    html.Div([link, " in ", html.Bdi(visible(row.stream, 60))], className="quiet"),
                ],
                **attributes(scope="row"),
            ),
            html.Td(html.Bdi(covers(row.entities, row.reasons)), className="wrap"),
            html.Td(
                [
                    f"{count(row.candidates, 'candidate')} in {count(row.clusters, 'cluster')}",
                    html.Div(f"{number(row.usual)} a day when decided", className="quiet"),
                ]
            ),
            html.Td(
                [
                    html.Span(str(row.state), className=f"suppression-{row.state}"),
                    html.Div(
                        [html.Bdi(visible(row.actor, 60)), f", {_until(row)}"], className="quiet"
                    ),
                ]
            ),
        ]
    )


def covers(entities: Sequence[str], reasons: Sequence[str]) -> str:
    """Return in words what a scope covers.

    >>> covers(("c1",), ("amount", "hour")), covers((), ())
    ('c1, where amount and hour lead', 'everything')
    """
    named = ", ".join(visible(one, 60) for one in entities[:NAMED])
    if len(entities) > NAMED:
        named += f" and {len(entities) - NAMED} more"
    lead = " and ".join(visible(one, 60) for one in reasons)
    led = f"where {lead} {'leads' if len(reasons) == 1 else 'lead'}" if reasons else ""
    return ", ".join(part for part in (named, led) if part) or "everything"


def _until(row: SuppressionRow) -> str:
    if row.state is SuppressionState.BROKEN:
        return visible(row.because, MANY)
    return f"until {day(row.expires_at)}"


PAGE = Page(PATH, "Suppressions", layout, register)
