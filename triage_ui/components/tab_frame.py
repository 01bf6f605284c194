"""The tabs of a cluster's page: which there are, and the chosen one's content."""

from __future__ import annotations

from collections.abc import Sequence

from dash import ClientsideFunction, Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from triage_ui.components.dom import attributes
from triage_ui.services import Services
from triage_ui.tabs import Tab


def tab_frame(tabs: Sequence[Tab]) -> Component:
    """Return the row of tabs and an empty panel for each; ``cluster_tabs.js`` shows one of them."""
    return html.Div(
        [
            html.Div(
                [_tab(tab) for tab in tabs],
                className="tab-list",
                role="tablist",
                **attributes(aria_label="More of this cluster"),
            ),
            *[
                html.Div(
                    id=f"tab-{tab.name}",
                    className="tab-panel",
                    role="tabpanel",
                    hidden=True,
                    **attributes(aria_labelledby=f"tab-{tab.name}-title"),
                )
                for tab in tabs
            ],
            dcc.Store(id="chosen-tab"),
        ],
        id="cluster-tabs",
        className="tabs",
    )


def _tab(tab: Tab) -> Component:
    return html.Button(
        tab.title,
        id=f"tab-{tab.name}-title",
        type="button",
        role="tab",
        tabIndex=-1,
        **attributes(data_tab=tab.name, aria_controls=f"tab-{tab.name}", aria_selected="false"),
    )


def register_tabs(board: Dash, services: Services, tabs: Sequence[Tab]) -> None:
    """Add what fills the panels, and each tab's own callbacks."""

    @board.callback(
        *[Output(f"tab-{tab.name}", "children") for tab in tabs],
        Input("chosen-tab", "data"),
        prevent_initial_call=True,
    )
    async def fill(chosen: str | None) -> tuple[object, ...]:
        return tuple(tab.layout() if tab.name == chosen else [] for tab in tabs)

    board.clientside_callback(
        ClientsideFunction("triage", "mountTabs"),
        Output("chosen-tab", "data"),
        Input("cluster-tabs", "id"),
    )
    for tab in tabs:
        tab.register(board, services)
