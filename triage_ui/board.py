"""The Dash app: the frame, the pages, and which page an address shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, cast

from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component
from fastapi import FastAPI

from triage_ui.advice import register_advice
from triage_ui.components.dom import attributes
from triage_ui.components.empty import warm_up
from triage_ui.components.keys_sheet import keys_sheet
from triage_ui.components.status import banner, stream_links
from triage_ui.pages import Page, all_pages, page_at
from triage_ui.services import Services, in_thread
from triage_ui.shell import shell

INDEX = (files("triage_ui") / "index.html").read_text("utf-8")
UNUSED = re.compile(r'<script src="[^"]*/dash_table/[^"]*"></script>\n?')
"""Dash's own grid, which nothing here uses. Its polyfill is: charts need ``regeneratorRuntime``."""
ASSETS = files("triage_ui") / "assets"
NOT_SCRIPTS = r"^live_worker\.js$|LICENSE"
"""Assets that a page doesn't load as script or style by itself."""


class _Dash(Dash):
    """Dash, with a page that loads less."""

    def interpolate_index(self, *parts: Any, **named: Any) -> str:
        """Return the page; see Dash."""
        page: str = cast(Any, super()).interpolate_index(*parts, **named)
        return UNUSED.sub("", page)


def build_board(app: FastAPI, services: Services) -> Dash:
    """Put the board on ``app`` and return it. Its routes come after those already there."""
    pages = all_pages()
    board = _Dash(
        __name__,
        server=cast(Any, app),  # its annotation knows Flask only
        title=services.settings.product,
        update_title="",
        assets_folder=str(ASSETS),
        assets_ignore=NOT_SCRIPTS,
        index_string=INDEX.replace("{%keys_sheet%}", keys_sheet()),
        suppress_callback_exceptions=True,
        add_log_handler=False,
        health_endpoint=None,
    )
    board.backend.websocket_capability = False  # else every page opens a socket that nobody serves
    board.layout = shell(services.settings)
    _register_frame(board, services, pages)
    register_advice(board, services)
    for page in pages:
        page.register(board, services)
    return board


def _register_frame(board: Dash, services: Services, pages: Sequence[Page]) -> None:
    @board.callback(
        Output("page", "children"), Output("page-title", "data"), Input("url", "pathname")
    )
    async def show_page(path: str | None) -> tuple[Component, str]:
        page = page_at(pages, path or "/")
        if page is None:
            return not_found(), "Not found"
        return page.layout(), page.title

    @board.callback(
        Output("rail-streams", "children"),
        Output("banner", "children"),
        Output("open-count", "children"),
        Output("decided-today", "children"),
        Output("suppressed", "children"),
        Output("disputed-count", "children"),
        Output("streams", "data"),
        Input("pulse", "data"),
        State("streams", "data"),
    )
    async def show_status(_pulse: object, known: object) -> tuple[object, ...]:
        status = await in_thread(services.queries.status, services.settings.clock())
        streams = [
            {"name": stream.stream, "warming": warm_up(stream) is not None}
            for stream in status.streams
        ]
        return (
            stream_links(status),
            banner(status),
            f"{status.open_clusters:,}",
            f"{status.decided_today:,}",
            f"{status.suppressed_clusters:,}",
            f"{status.disputed_clusters:,}" if status.disputed_clusters else "",
            streams if streams != known else no_update,
        )


def not_found() -> Component:
    """The page of an address that is none."""
    return html.Main(
        html.Div(
            [
                html.H2("There is no such page"),
                html.P(
                    html.A("Go to the queue", href="/", className="link", **attributes(data_nav=""))
                ),
            ],
            className="empty",
        ),
        className="single",
        id="main",
    )
