"""Every member: when, who, its strongest values, what is known of it; let some leave, or merge."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from triage.queries import ClusterDetail
from triage_ui.actor import current_actor
from triage_ui.components.dom import attributes
from triage_ui.entity import entity_label
from triage_ui.services import Services, in_thread
from triage_ui.tabs import Tab, cluster_at
from triage_ui.text import visible

VALUE_COLUMNS = 3


def layout() -> Component:
    """Return the tab's shell."""
    grid = dag.AgGrid(
        id="members-grid",
        rowModelType="infinite",
        columnDefs=[],
        defaultColDef={
            "sortable": False,
            "resizable": True,
            "suppressMovable": True,
            "suppressHeaderMenuButton": True,
        },
        getRowId="params.data.candidate_id",
        dashGridOptions={
            "theme": {"function": "triageTheme(themeQuartz)"},
            "rowHeight": 34,
            "headerHeight": 32,
            "cacheBlockSize": 100,
            "infiniteInitialRowCount": 1,
            "animateRows": False,
            "suppressNoRowsOverlay": True,
        },
        className="members-grid",
        style={"width": "100%", "height": "100%"},
    )
    return html.Div(
        [
            html.Div(
                [
                    _button("split", "Exclude", disabled=True, id="split-button"),
                    _button("merge", "Merge into another cluster"),
                    _button("record", "Read the record"),
                    html.Span("", id="picked", className="quiet", role="status"),
                ],
                className="tab-tools",
            ),
            dcc.Store(id="members-tick"),
            html.Div(grid, className="members-frame", id="members-frame"),
            html.Dialog(
                [
                    html.H2("Merge into", id="merge-title"),
                    html.P(
                        "All members move there; this cluster is no more, links to it lead on.",
                        className="quiet",
                    ),
                    html.Div(id="merge-choices"),
                    _button("merge-cancel", "Cancel"),
                ],
                id="merge-sheet",
                className="sheet",
                **attributes(aria_labelledby="merge-title"),
            ),
        ]
    )


def _button(action: str, text: str, **given: Any) -> Component:
    return html.Button(
        text, type="button", className="button small", **attributes(data_action=action), **given
    )


def register(board: Dash, services: Services) -> None:
    """Add the tab's callbacks."""

    @board.callback(
        Output("members-grid", "columnDefs"),
        Output("members-tick", "data"),
        Input("url", "pathname"),
        Input("cluster-tick", "data"),
        State("members-grid", "columnDefs"),
    )
    async def show(path: str, tick: object, columns: list[Any]) -> tuple[object, object]:
        cluster_id = cluster_at(path)
        if cluster_id is None:
            return no_update, no_update
        detail = await in_thread(services.queries.cluster, cluster_id, 1, current_actor().name)
        if detail is None:  # merged meanwhile: nobody asks for its members any more
            return [], no_update
        made = member_columns(detail)
        return no_update if made == columns else made, tick

    board.clientside_callback(
        ClientsideFunction("triage", "mountCluster"),
        Output("members-grid", "className"),
        Input("members-grid", "columnDefs"),
        Input("members-tick", "data"),
    )


def member_columns(detail: ClusterDetail) -> list[dict[str, Any]]:
    """Return the columns of the members: time, entities, strongest values, what is known."""
    names = list(detail.members[0].candidate.entities) if detail.members else []
    entities = [
        {
            "colId": f"entity-{name}",
            "headerName": entity_label(name),
            "flex": 1,
            "minWidth": 90,
            "cellRenderer": "TriageEntity",
            "cellRendererParams": {"name": name},
        }
        for name in names[:4]
    ]
    values = [
        {
            "colId": f"value-{index}",
            "headerName": visible(reason.label, 60),
            "flex": 1,
            "minWidth": 100,
            "cellRenderer": "TriageReason",
            "cellRendererParams": {"feature": reason.feature},
        }
        for index, reason in enumerate(detail.reasons[:VALUE_COLUMNS])
    ]
    return [
        {
            "colId": "pick",
            "headerName": "Pick",
            "cellRenderer": "TriagePick",
            "width": 56,
        },
        {"colId": "time", "headerName": "Time (UTC)", "cellRenderer": "TriageTime", "width": 136},
        *entities,
        *values,
        {
            "colId": "real",
            "headerName": "Real with",
            "cellRenderer": "TriagePosterior",
            "width": 92,
        },
        {"colId": "state", "headerName": "State", "cellRenderer": "TriageState", "width": 104},
    ]


TAB = Tab("members", "Members", 10, layout, register)
