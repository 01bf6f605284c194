"""An entity over all clusters: what happened to it, what was said of it, when."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import unquote

from dash import ClientsideFunction, Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from triage.queries import EntityDetail, QueueRow
from triage_ui.actor import current_actor
from triage_ui.components.cluster_table import cluster_table
from triage_ui.components.dom import attributes, kbd, section
from triage_ui.components.entity_axis import entity_axis
from triage_ui.components.event_table import LISTED, event_table
from triage_ui.entity import entity_label
from triage_ui.pages import Page
from triage_ui.palette import palette
from triage_ui.services import Services, in_thread
from triage_ui.text import VERDICT_WORDS, clock, count, visible

PATH = re.compile(r"/entity/([^/]{1,200})/(.{1,1200})", re.DOTALL)
CLUSTERS = 200
"""Clusters that are listed, the newest."""


def layout() -> Component:
    """Return the page's shell."""
    return html.Main(
        [
            html.A(
                ["← Queue ", kbd("Esc")],
                href="/",
                className="back",
                **attributes(data_nav="", data_action="back"),
            ),
            html.Div(id="entity-head"),
            html.Div(id="entity-when"),
            html.Div(id="entity-events"),
            html.Div(id="entity-clusters"),
            dcc.Store(id="entity-range"),
        ],
        className="list-page",
        id="main",
        **attributes(data_live=""),
    )


def register(board: Dash, services: Services) -> None:
    """Add the page's callbacks."""
    queries, settings = services.queries, services.settings

    async def asked(path: str) -> EntityDetail | None:
        match = PATH.fullmatch(path or "")
        if match is None:
            return None
        name, value = unquote(match[1]), unquote(match[2])
        viewer = current_actor().name
        return await in_thread(queries.entity, name, value, CLUSTERS, viewer)

    @board.callback(
        Output("entity-head", "children"),
        Output("entity-when", "children"),
        Output("entity-events", "children"),
        Input("url", "pathname"),
        Input("page-tick", "data"),
        Input("scheme", "data"),
    )
    async def show(path: str, _tick: object, scheme: str | None) -> tuple[object, ...]:
        entity = await asked(path)
        if entity is None:
            return _unknown(), [], []
        now = settings.clock()
        when = section(
            "When",
            entity_axis(entity, palette(scheme)),
            name="when",
            level=2,
            aside="drag to pick a time for the list of clusters; double click for all",
        )
        return _head(entity, now), when, _events(entity, now)

    @board.callback(
        Output("entity-clusters", "children"),
        Input("url", "pathname"),
        Input("page-tick", "data"),
        Input("entity-range", "data"),
    )
    async def show_clusters(path: str, _tick: object, picked: Sequence[str] | None) -> object:
        entity = await asked(path)
        return [] if entity is None else _clusters(entity, picked, settings.clock())

    board.clientside_callback(
        ClientsideFunction("triage", "pickedRange"),
        Output("entity-range", "data"),
        Input("entity-chart", "relayoutData"),
        prevent_initial_call=True,
    )


def _unknown() -> Component:
    return html.Div(
        [
            html.H1("Nothing is known of this entity", className="title"),
            html.P("It is in no cluster, or the address is mistyped."),
        ],
        className="missing",
    )


def _head(entity: EntityDetail, now: float) -> Component:
    waiting = entity.clusters_total - sum(entity.verdicts.values())
    said = [
        f"{number:,} {word.lower()}"
        for kind, word in VERDICT_WORDS.items()
        if (number := entity.verdicts.get(kind, 0))
    ]
    parts = [
        count(entity.members_total, "anomaly", "anomalies")
        + f" in {count(entity.clusters_total, 'cluster')}",
        *said,
        *([f"{waiting:,} waiting"] if waiting else []),
        f"last {clock(max(row.last_time for row in entity.clusters), now)} UTC",
    ]
    return html.Header(
        [
            html.H1(
                [f"{_capital(entity_label(entity.name))} ", html.Bdi(visible(entity.value, 300))],
                className="title",
            ),
            html.P(" · ".join(parts), className="facts"),
        ]
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _events(entity: EntityDetail, now: float) -> Component:
    body = event_table(entity, now, current_actor())
    aside = f"{min(LISTED, len(entity.events)):,} of {len(entity.events):,} kept, newest first"
    return section("Events", body, name="events", level=2, aside=aside)


def _clusters(entity: EntityDetail, picked: Sequence[str] | None, now: float) -> Component:
    shown = [row for row in entity.clusters if picked is None or _within(row, picked)]
    aside = f"{len(shown):,} of {entity.clusters_total:,}, newest first"
    if picked is not None:
        aside += f"; from {picked[0][:19]} to {picked[1][:19]}"
    if not shown:
        body: Component = html.P("No cluster in the time picked.", className="quiet")
    else:
        body = cluster_table(shown, entity.members, now, "Clusters of this entity")
    return section("Clusters", body, name="clusters", level=2, aside=aside)


def _within(row: QueueRow, picked: Sequence[str]) -> bool:
    first, last = (_moment(at) for at in picked)
    return row.first_time <= last and row.last_time >= first


def _moment(at: str) -> float:
    """Return the seconds of a time as plotly writes it."""
    return datetime.fromisoformat(str(at).strip().replace(" ", "T")).replace(tzinfo=UTC).timestamp()


PAGE = Page(PATH, "Entity", layout, register)
