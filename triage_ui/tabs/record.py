"""The record of a member as it came, and links to the user's own systems."""

from __future__ import annotations

import json

import dash_mantine_components as dmc
from dash import Dash, Input, Output, html, no_update
from dash.development.base_component import Component

from triage.case_queries import RecordDetail
from triage.masking import MASK
from triage_ui.components.dom import attributes
from triage_ui.services import Services, in_thread
from triage_ui.tabs import Tab, cluster_at
from triage_ui.text import clock, visible


def layout() -> Component:
    """Return the tab's shell."""
    return html.Div(
        [
            html.Div(
                [
                    dmc.Select(
                        id="record-member",
                        label="Record of",
                        data=[],
                        allowDeselect=False,
                        searchable=True,
                        size="xs",
                        className="record-member",
                    ),
                    html.Div(id="record-links", className="record-links"),
                ],
                className="record-head",
            ),
            html.Div(id="record-body"),
        ],
        id="record-tab",
    )


def register(board: Dash, services: Services) -> None:
    """Add the tab's callbacks."""
    queries, settings = services.queries, services.settings

    @board.callback(
        Output("record-member", "data"),
        Output("record-member", "value"),
        Output("record-links", "children"),
        Output("record-body", "children"),
        Input("url", "pathname"),
        Input("record-member", "value"),
        Input("member", "data"),
    )
    async def show(path: str, chosen: str | None, pointed: str | None) -> tuple[object, ...]:
        cluster_id = cluster_at(path)
        if cluster_id is None:
            return (no_update,) * 4
        found = await in_thread(queries.record, cluster_id, chosen or pointed)
        if found is None:  # the member that was pointed at is of another cluster, or left this one
            found = await in_thread(queries.record, cluster_id, None)
        if found is None:
            return [], None, [], []
        now = settings.clock()
        options = [
            {"value": candidate_id, "label": f"{visible(entity, 60)}, {clock(at, now)}"}
            for candidate_id, entity, at in found.beside
        ]
        if all(option["value"] != found.candidate_id for option in options):
            label = f"{visible(found.entity, 60)}, {clock(found.event_time, now)}"
            options.append({"value": found.candidate_id, "label": label})
        return options, found.candidate_id, links(found), body(found)


def links(found: RecordDetail) -> list[Component]:
    """Return the links to the user's systems; they open beside the board and tell it nothing."""
    return [
        html.A(
            [visible(label, 40), html.Span(" (opens a new tab)", className="visually-hidden")],
            href=url,
            target="_blank",
            rel="noopener noreferrer",
            className="button small",
        )
        for label, url in found.links
    ]


def body(found: RecordDetail) -> list[Component]:
    """Return where it is in the log and the fields as JSON."""
    facts = [f"partition {found.partition}, offset {found.offset:,}"]
    if found.event_id is not None:
        facts.insert(0, f"event {visible(found.event_id, 100)}")
    hidden = [name for name, value in found.fields.items() if value == MASK]
    if hidden:
        names = ", ".join(visible(name, 60) for name in hidden)
        facts.append(f"masked by the stream's policy: {names}")
    text = json.dumps(dict(found.fields), indent=2, ensure_ascii=False, default=str)
    return [
        html.P(" · ".join(facts), className="quiet record-facts"),
        html.Pre(
            visible(text),
            id="record",
            className="record",
            tabIndex=0,
            dir="ltr",
            role="region",
            **attributes(aria_label="Record"),
        ),
    ]


TAB = Tab("record", "Record", 20, layout, register)
