"""What was said of the cluster, and the way back."""

from __future__ import annotations

from dash import Dash, Input, Output, html, no_update
from dash.development.base_component import Component

from triage_ui.actor import current_actor
from triage_ui.components.disputes import dispute_list
from triage_ui.components.history import history
from triage_ui.components.regroupings import regroupings
from triage_ui.services import Services, in_thread
from triage_ui.tabs import Tab, cluster_at


def layout() -> Component:
    """Return the tab's shell."""
    return html.Div(id="history")


def register(board: Dash, services: Services) -> None:
    """Add the tab's callbacks."""
    queries, settings = services.queries, services.settings

    @board.callback(
        Output("history", "children"), Input("url", "pathname"), Input("cluster-tick", "data")
    )
    async def show(path: str, _tick: object) -> object:
        cluster_id = cluster_at(path)
        if cluster_id is None:
            return no_update
        detail = await in_thread(queries.cluster, cluster_id, 0, current_actor().name)
        if detail is None:
            return []
        moves = await in_thread(queries.regroupings, cluster_id)
        now = settings.clock()
        return [
            history(detail.verdicts, now),
            *dispute_list(detail.disputes, now),
            *regroupings(moves, cluster_id, now),
        ]


TAB = Tab("history", "History", 90, layout, register)
