"""The queue: what is worth a look, why, and a verdict with one key."""

from __future__ import annotations

import re
from collections.abc import Mapping

import dash_ag_grid as dag
from dash import ClientsideFunction, Dash, Input, Output, html
from dash.development.base_component import Component

from triage.queries import Queries
from triage_ui.actor import current_actor
from triage_ui.components.decide import decision_bar
from triage_ui.components.dom import attributes, drop_down, kbd
from triage_ui.components.drawn import drawn
from triage_ui.components.empty import empty_state
from triage_ui.components.preview import gone, nothing_selected, preview, preview_when
from triage_ui.components.when import DOTS
from triage_ui.pages import Page
from triage_ui.services import Services, in_thread
from triage_ui.timeline import cluster_events, main_key, near_members, timeline

ROW = 46
"""Height of a row in px: two lines and air."""
EVENTS = 400
"""Kept events among which the drawing's are; as many as on the cluster's page."""
MEMBERS = 5
"""Members in the preview: what an analyst reads before a verdict."""

COLUMNS = (
    {"colId": "worth", "headerName": "Worth", "cellRenderer": "TriageWorth", "width": 60},
    {
        "colId": "cluster",
        "headerName": "Cluster",
        "cellRenderer": "TriageCluster",
        "flex": 1,
        "minWidth": 220,
    },
    {
        "colId": "why",
        "headerName": "Why",
        "cellRenderer": "TriageWhy",
        "width": 68,
        "headerTooltip": "The three strongest reasons",
    },
    {
        "colId": "score",
        "headerName": "Score",
        "cellRenderer": "TriageScore",
        "width": 70,
        "headerTooltip": "How far from normal its strongest member is, and from where on all are:"
        " in standard deviations, before any label",
    },
    {"colId": "members", "headerName": "Members", "cellRenderer": "TriageMembers", "width": 72},
    {"colId": "age", "headerName": "Age", "cellRenderer": "TriageAge", "width": 58},
    {
        "colId": "past",
        "headerName": "Past real",
        "cellRenderer": "TriagePast",
        "width": 72,
        "headerTooltip": "How many decided clusters with the same reasons were real",
    },
    {
        "colId": "who",
        "headerName": "Assignee",
        "cellRenderer": "TriageWho",
        "width": 78,
        "headerTooltip": "Who takes care of it",
    },
    {
        "colId": "suggested",
        "headerName": "Suggested",
        "cellRenderer": "TriageSuggested",
        "width": 132,
    },
)

STATUSES = (
    ("open", "open"),
    ("second_opinion", "second opinion"),
    ("decided", "decided"),
    ("disputed", "disputed"),
    ("suppressed", "suppressed"),
    ("all", "all"),
)
ORDERS = (("worth", "worth of a look"), ("newest", "newest"), ("largest", "largest"))


def layout() -> Component:
    """Return the page's shell."""
    return html.Main(
        [
            html.Section(
                [
                    html.H1("Queue", className="visually-hidden"),
                    _filters(),
                    html.Div(
                        [_grid(), html.Div(id="queue-empty", className="queue-empty")],
                        className="queue-body",
                    ),
                ],
                className="queue",
                **attributes(aria_label="Queue"),
            ),
            html.Aside(
                [
                    html.Div(
                        id="preview",
                        className="preview",
                        tabIndex=0,
                        role="region",
                        **attributes(aria_label="Preview"),
                    ),
                    html.Div(id="when", hidden=True),  # asked for once the preview is drawn
                    decision_bar(),
                ],
                className="pane",
                **attributes(aria_label="The cluster under the cursor"),
            ),
        ],
        className="queue-page",
        id="main",
    )


def _filters() -> Component:
    return html.Div(
        [
            # the script's own (``filters.js``), which also knows what isn't given here
            drop_down("filter-status", "Status", STATUSES),
            drop_down("filter-stream", "Stream", []),
            drop_down("filter-order", "Order", ORDERS),
            drop_down("filter-cohort", "Cohort", [], hidden=True),
            html.Div(id="filter-chips", className="filter-chips"),  # filled by filters.js
            html.Button(
                "Save view",
                type="button",
                className="save-view",
                id="save-view",
                hidden=True,
                **attributes(data_action="save-view"),
            ),
            html.Div(
                [
                    html.Strong("", id="chosen-count"),
                    html.Button(
                        ["let go ", kbd("Esc")],
                        type="button",
                        className="bulk-drop",
                        **attributes(data_action="drop-chosen"),
                    ),
                ],
                id="chosen",
                className="bulk-count",
                hidden=True,
            ),
            html.Button(
                [html.Span("", id="new-count"), kbd("N")],
                type="button",
                id="new-rows",
                className="new-rows",
                hidden=True,
                **attributes(data_action="show-new"),
            ),
        ],
        className="filters",
        role="group",
        **attributes(aria_label="Filters"),
    )


def _grid() -> Component:
    grid: Component = dag.AgGrid(
        id="queue-grid",
        rowModelType="infinite",
        columnDefs=list(COLUMNS),
        defaultColDef={
            "sortable": False,
            "resizable": True,
            "suppressMovable": True,
            "suppressHeaderMenuButton": True,
        },
        getRowId="params.data.cluster_id",
        rowClassRules={
            "row-chosen": "triageIsChosen(params)",
            "row-decided": "triageIsDecided(params)",
            "row-unsaved": "triageIsUnsaved(params)",
        },
        dashGridOptions={
            "theme": {"function": "triageTheme(themeQuartz)"},
            "rowBuffer": 2,
            "rowHeight": ROW,
            "headerHeight": 34,
            "cacheBlockSize": 25,  # a screen is one or two; a jump waits for all rows of its blocks
            "maxBlocksInCache": 4,  # with each change all that is kept is read anew
            "maxConcurrentDatasourceRequests": 3,  # a first one is of Dash, and nobody answers it
            "infiniteInitialRowCount": 1,
            "suppressCellFocus": True,
            "animateRows": False,
            "suppressMultiSort": True,
            "suppressNoRowsOverlay": True,
            "tooltipShowDelay": 300,
        },
        className="queue-grid",
        style={"height": "100%", "width": "100%"},
    )
    return grid


def _when(queries: Queries, cluster_id: str) -> Component:
    members = queries.members(cluster_id, 0, DOTS)
    if not members:  # there is no such cluster, or it was merged
        return html.Div()
    events = cluster_events(queries.entity_events(cluster_id, EVENTS), members, cluster_id)
    near = near_members(events, cluster_id, DOTS)
    line = timeline(near, cluster_id, queries.reasons(cluster_id), main_key(members))
    return html.Div(preview_when(line), **attributes(data_cluster=cluster_id))


def register(board: Dash, services: Services) -> None:
    """Add the page's callbacks."""
    queries, settings = services.queries, services.settings

    @board.callback(
        Output("preview", "data-drawn"), Input("cursor", "data"), prevent_initial_call=True
    )
    async def show_preview(cursor: Mapping[str, str] | None) -> str:
        if not cursor or not cursor.get("cluster"):
            return drawn(nothing_selected())
        cluster_id = str(cursor["cluster"])
        viewer = current_actor()
        detail = await in_thread(queries.cluster, cluster_id, MEMBERS, viewer.name)
        return drawn(gone() if detail is None else preview(detail, settings.clock(), viewer))

    @board.callback(
        Output("when", "data-drawn"), Input("when", "data-cluster"), prevent_initial_call=True
    )
    async def show_when(cluster_id: str) -> str:
        return drawn(await in_thread(_when, queries, cluster_id))

    @board.callback(
        Output("queue-empty", "children"), Input("queue-state", "data"), prevent_initial_call=True
    )
    async def show_empty(state: Mapping[str, object] | None) -> object:
        if not state or not state.get("empty"):
            return []
        status = await in_thread(queries.status, settings.clock())
        filters = state.get("filters")
        named = filters if isinstance(filters, dict) else {}
        return empty_state(status, {str(key): str(value) for key, value in named.items()})

    board.clientside_callback(
        ClientsideFunction("triage", "mountQueue"),
        Output("queue-grid", "className"),
        Input("queue-grid", "id"),
    )


PAGE = Page(re.compile("/"), "Queue", layout, register)
