"""The tabs of a cluster's page: which there are, and the chosen one's content."""

from __future__ import annotations

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, html
from dash.development.base_component import Component

from triage_ui.services import Services
from triage_ui.tabs import Tab


def tab_frame(tabs: Sequence[Tab]) -> Component:
    """Return the row of tabs and an empty panel for each."""
    frame: Component = dmc.Tabs(
        [
            dmc.TabsList([dmc.TabsTab(tab.title, value=tab.name) for tab in tabs]),
            *[
                dmc.TabsPanel(html.Div(id=f"tab-{tab.name}", className="tab-panel"), value=tab.name)
                for tab in tabs
            ],
        ],
        id="cluster-tabs",
        className="tabs",
        value=tabs[0].name,
    )
    return frame


def register_tabs(board: Dash, services: Services, tabs: Sequence[Tab]) -> None:
    """Add what fills the panels, and each tab's own callbacks."""

    @board.callback(
        *[Output(f"tab-{tab.name}", "children") for tab in tabs], Input("cluster-tabs", "value")
    )
    async def fill(chosen: str | None) -> tuple[object, ...]:
        return tuple(tab.layout() if tab.name == chosen else [] for tab in tabs)

    board.clientside_callback(
        ClientsideFunction("triage", "tabWanted"),
        Output("cluster-tabs", "value"),
        Input("cluster-tabs", "id"),
        State("cluster-tabs", "value"),
    )
    board.clientside_callback(
        ClientsideFunction("triage", "tabChosen"),
        Input("cluster-tabs", "value"),
        prevent_initial_call=True,
    )
    for tab in tabs:
        tab.register(board, services)
