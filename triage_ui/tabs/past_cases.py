"""Similar past cases: how each was decided, by whom and why, and what later proved true."""

from __future__ import annotations

from collections.abc import Sequence

from dash import Dash, Input, Output, html, no_update
from dash.development.base_component import Component

from triage.case_queries import PastCase
from triage.model import VerdictKind
from triage_ui.components.chips import verdict_chip
from triage_ui.components.dom import attributes, table
from triage_ui.services import Services, in_thread
from triage_ui.tabs import Tab, cluster_at
from triage_ui.text import clock, count, visible

LISTED = 50


def layout() -> Component:
    """Return the tab's shell."""
    return html.Div(id="past-cases")


def register(board: Dash, services: Services) -> None:
    """Add the tab's callbacks."""
    queries, settings = services.queries, services.settings

    @board.callback(
        Output("past-cases", "children"), Input("url", "pathname"), Input("cluster-tick", "data")
    )
    async def show(path: str, _tick: object) -> object:
        cluster_id = cluster_at(path)
        if cluster_id is None:
            return no_update
        cases = await in_thread(queries.past_cases, cluster_id, LISTED)
        return past_cases(cases, settings.clock())


def past_cases(cases: Sequence[PastCase], now: float) -> list[Component]:
    """Return the sentence and the table."""
    if not cases:
        text = "Nothing like it has been decided: no decided cluster has the same leading reasons."
        return [html.P(text, className="quiet")]
    real = sum(case.kind is VerdictKind.REAL for case in cases)
    newest = "" if len(cases) < LISTED else " of the newest"
    names = ("Case", "Members", "Last event (UTC)", "Verdict", "By", "Proved later")
    return [
        html.P(
            [html.Strong(f"{real} of {len(cases)}"), f"{newest} cases like it were real."],
            className="tab-lead",
        ),
        table(names, [_row(case, now) for case in cases], caption="Similar past cases"),
    ]


def _row(case: PastCase, now: float) -> Component:
    title = html.A(
        html.Bdi(visible(case.title, 200)),
        href=f"/cluster/{case.cluster_id}",
        className="link",
        **attributes(data_nav=""),
    )
    said = html.Bdi(
        f"“{visible(case.reason, 200)}”" if case.reason else visible(case.subtitle, 200)
    )
    return html.Tr(
        [
            html.Th([title, html.Span(said, className="under")], scope="row"),
            html.Td(f"{case.size:,}"),
            html.Td(clock(case.last_time, now)),
            html.Td(verdict_chip(case.kind)),
            html.Td(
                [
                    html.Bdi(visible(case.actor, 60)),
                    html.Span(clock(case.at, now), className="under"),
                ]
            ),
            html.Td(_proved(case)),
        ]
    )


def _proved(case: PastCase) -> str:
    real, not_real = case.proved
    parts = [count(real, "report") + ": real"] if real else []
    parts += [count(not_real, "report") + ": not real"] if not_real else []
    return ", ".join(parts) or "nothing told"


TAB = Tab("past_cases", "Past cases", 30, layout, register)
