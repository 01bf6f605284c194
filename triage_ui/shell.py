"""What Dash has of the board: the page in the frame, and who hears of it.

The frame itself, top bar and rail, is plain HTML (``index.html``): it is there before any script,
and React has nothing to keep awake in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from dash import dcc, html
from dash.development.base_component import Component

from triage_ui.components.dom import attributes

STORES = (
    "cursor",
    "queue-state",
    "cluster-tick",
    "member",
    "page-tick",
    "advice-ask",
    "pulse",
    "scheme",
)
"""How scripts and callbacks speak: a script sets one, a callback reads it (or the other way)."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The page in the frame: its address, its title for the browser's tab, what it holds."""

    path: str
    title: str
    layout: Component | None


def shell(shown: Shown) -> Component:
    """Return the layout of the whole board, a page in it."""
    return html.Div(
        [
            html.Div(
                shown.layout,
                id="page",
                **attributes(data_path=shown.path, data_title=shown.title),
            ),
            html.Div(id="status", hidden=True),  # what it is sent, status.js puts in the frame
            dcc.Location(id="url", refresh=False),
            *[dcc.Store(id=name) for name in STORES],
        ],
        className="shell",
    )
