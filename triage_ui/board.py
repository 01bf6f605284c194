"""The Dash app: the frame, the pages, and which page an address shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any, cast

from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component
from fastapi import FastAPI

from triage_ui.advice import register_advice
from triage_ui.bundle import SCRIPTS, STYLES
from triage_ui.components.dom import attributes
from triage_ui.components.drawn import drawn
from triage_ui.components.expected_form import expected_form
from triage_ui.components.keys_sheet import keys_sheet
from triage_ui.components.status import banner, stream_links
from triage_ui.first_path import first_path
from triage_ui.pages import Page, all_pages, page_at
from triage_ui.services import Services, in_thread
from triage_ui.settings import BoardSettings
from triage_ui.shell import Shown, shell

HERE = files("triage_ui")
INDEX = (HERE / "index.html").read_text("utf-8")
SHEETS = (HERE / "sheets.html").read_text("utf-8")
"""Dialogs that scripts fill. Like the keys they never change, and React need not make them."""
UNUSED = re.compile(r'<script src="[^"]*/(?:dash_table/|dash/deps/polyfill)[^"]*"></script>\n?')
"""Dash's own grid, which nothing here uses, and a polyfill; see ``0_regenerator.js``."""
ASSETS = HERE / "assets"
BUNDLED = r"\.(js|css)$"
"""Assets that a page doesn't load by themselves; see ``bundle``."""


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
        assets_ignore=BUNDLED,
        index_string=_index(services.settings),
        suppress_callback_exceptions=True,
        add_log_handler=False,
        health_endpoint=None,
    )
    board.backend.websocket_capability = False  # else every page opens a socket that nobody serves
    board.layout = lambda: shell(_shown(pages, first_path()))
    _register_frame(board, services, pages)
    register_advice(board, services)
    for page in pages:
        page.register(board, services)
    return board


def _index(settings: BoardSettings) -> str:
    """Return the page, with places for what Dash adds."""
    page = INDEX
    for place, text in (
        ("sheets", keys_sheet() + SHEETS + expected_form()),
        ("styles", STYLES.address),
        ("own_scripts", SCRIPTS.address),
        ("product", escape(settings.product)),
        ("environment", escape(settings.environment)),
    ):
        page = page.replace(f"{{%{place}%}}", text)
    return page


def _register_frame(board: Dash, services: Services, pages: Sequence[Page]) -> None:
    @board.callback(
        Output("page", "children"),
        Output("page", "data-path"),
        Output("page", "data-title"),
        Input("url", "pathname"),
        State("page", "data-path"),
    )
    async def show_page(path: str, shown: str | None) -> tuple[object, ...]:
        if path in (None, shown):  # the first page came with the layout
            return no_update, no_update, no_update
        page = _shown(pages, path)
        return page.layout, page.path, page.title

    @board.callback(Output("status", "data-drawn"), Input("pulse", "data"))
    async def show_status(_pulse: object) -> str:
        status = await in_thread(services.queries.status, services.settings.clock())
        disputed = status.disputed_clusters
        return drawn(
            {
                "rail-streams": stream_links(status),
                "banner": banner(status),
                "open-count": f"{status.open_clusters:,}",
                "decided-today": f"{status.decided_today:,}",
                "suppressed": f"{status.suppressed_clusters:,}",
                "disputed-count": f"{disputed:,}" if disputed else "",
            }
        )


def _shown(pages: Sequence[Page], path: str) -> Shown:
    """Return what the frame shows at an address; nothing yet if none is given."""
    if not path:
        return Shown(path, "", None)
    page = page_at(pages, path)
    return Shown(path, page.title, page.layout()) if page else Shown(path, "Not found", not_found())


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
