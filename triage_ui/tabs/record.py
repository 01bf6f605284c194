"""The record of a member as it came, and links to the user's own systems."""

from __future__ import annotations

import json

from dash import Dash, Input, Output, ctx, dcc, html, no_update
from dash.development.base_component import Component

from triage.case_queries import RecordDetail
from triage.masking import MASK
from triage_ui.components.dom import attributes, drop_down
from triage_ui.services import Services, in_thread
from triage_ui.tabs import Tab, cluster_at
from triage_ui.text import clock, visible

CHOSEN = "record-chosen"
"""The store of the member that was chosen here."""


def layout() -> Component:
    """Return the tab's shell."""
    return html.Div(
        [
            html.Div(
                [
                    html.Div(id="record-choice"),
                    dcc.Store(id=CHOSEN),
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
        Output("record-choice", "children"),
        Output("record-links", "children"),
        Output("record-body", "children"),
        Input("url", "pathname"),
        Input(CHOSEN, "data"),
        Input("member", "data"),
    )
    async def show(path: str, chosen: str | None, pointed: str | None) -> tuple[object, ...]:
        cluster_id = cluster_at(path)
        if cluster_id is None:
            return (no_update,) * 3
        found = await in_thread(queries.record, cluster_id, chosen or pointed)
        if found is None:  # the member that was pointed at is of another cluster, or left this one
            found = await in_thread(queries.record, cluster_id, None)
        if found is None:
            return [], [], []
        kept = ctx.triggered_id == CHOSEN and found.candidate_id == chosen  # who chose goes on
        choice = no_update if kept else _choice(found, settings.clock())
        return choice, links(found), body(found)


def _choice(found: RecordDetail, now: float) -> Component:
    named = [*found.beside]
    if all(candidate_id != found.candidate_id for candidate_id, _, _ in named):
        named.append((found.candidate_id, found.entity, found.event_time))
    options = [
        (candidate_id, f"{visible(entity, 60)}, {clock(at, now)}")
        for candidate_id, entity, at in named
    ]
    return drop_down("record-member", "Record of", options, found.candidate_id, store=CHOSEN)


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
