"""The frame around every page: top bar, rail, what was just done, and who hears of it."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from triage_ui.components.dom import attributes, kbd
from triage_ui.components.palette_sheet import palette_sheet, tour_sheet, view_sheet
from triage_ui.settings import BoardSettings

STORES = (
    "cursor",
    "queue-state",
    "cluster-tick",
    "member",
    "page-tick",
    "advice-ask",
    "pulse",
    "scheme",
    "streams",
    "page-title",
)
"""How scripts and callbacks speak: a script sets one, a callback reads it (or the other way)."""


def shell(settings: BoardSettings) -> Component:
    """Return the layout of the whole board."""
    frame: Component = dmc.MantineProvider(
        html.Div(
            [
                html.A("Skip to the content", href="#main", className="skip-link"),
                _top_bar(settings),
                html.Div(id="banner", role="status", **attributes(aria_label="Warm-up")),
                _rail(),
                html.Div(id="page"),
                html.Section(id="toasts", **attributes(aria_label="What was just done")),
                palette_sheet(),
                view_sheet(),
                tour_sheet(),
                html.Div(id="announcer", className="visually-hidden", role="status"),
                dcc.Location(id="url", refresh=False),
                *[dcc.Store(id=name) for name in STORES],
            ],
            className="frame",
            **attributes(data_environment=settings.environment),
        ),
        id="mantine",
        theme={"fontFamily": '"Inter Variable", system-ui, sans-serif'},
    )
    return frame


def _top_bar(settings: BoardSettings) -> Component:
    tag = [html.Span(settings.environment, className="environment")] if settings.environment else []
    return html.Header(
        [
            html.A(
                [settings.product, *tag], href="/", className="brand", **attributes(data_nav="")
            ),
            dmc.TextInput(
                id="search",
                placeholder="Search clusters and entities",
                rightSection=kbd("/"),
                rightSectionPointerEvents="none",
                autoComplete="off",
                className="search",
                **attributes(aria_label="Search clusters and entities"),
            ),
            html.Div(
                [
                    html.Span(
                        [html.Span(className="live-dot"), html.Span("Connecting", id="live-text")],
                        id="live",
                        className="live live-connecting",
                    ),
                    html.Span(
                        ["Today ", html.Strong("–", id="decided-today"), " decided"],
                        className="today",
                    ),
                    html.Button(
                        ["Go to ", kbd("Ctrl K")],
                        type="button",
                        className="go-to",
                        **attributes(data_action="palette", aria_keyshortcuts="Control+K"),
                    ),
                    _icon_button("theme", "Switch between light and dark", "icon-theme"),
                    _icon_button("keys", "Show the keys", "icon-keys", "?"),
                    _me(),
                ],
                className="top-right",
            ),
        ],
        className="top-bar",
    )


def _icon_button(action: str, label: str, icon: str, text: str = "") -> Component:
    return html.Button(
        text or html.Span(className=f"icon {icon}"),
        type="button",
        title=label,
        className="icon-button",
        **attributes(data_action=action, aria_label=label),
    )


def _me() -> Component:
    return html.Details(
        [
            html.Summary(html.Span(id="me-initials"), **attributes(aria_label="Account")),
            html.Div(
                [
                    html.Div(id="me-name", className="me-name"),
                    html.Div(id="me-role", className="me-role"),
                    html.A(
                        "Change password",
                        href="/sign-in/change",
                        id="change-password",
                        className="button",
                    ),
                    html.Button(
                        "Sign out",
                        type="button",
                        className="button",
                        **attributes(data_action="sign-out"),
                    ),
                ],
                className="me-menu",
            ),
        ],
        className="me",
    )


def _rail() -> Component:
    return html.Nav(
        [
            _view("Queue", "open", html.Span(id="open-count", className="count")),
            html.A(
                html.Span("Mine", className="name"),
                href="/?assignee=me",
                className="rail-link",
                **attributes(data_nav="", data_assignee="me"),
            ),
            _view("Second opinions", "second_opinion"),
            _view("Decided", "decided"),
            _view("Disputed", "disputed", html.Span(id="disputed-count", className="count")),
            _page("Suppressions", "/suppressions", html.Span(id="suppressed", className="count")),
            _page("Analysts", "/analysts", id="rail-analysts", hidden=True),  # shown to leads
            _page("Detectors", "/detectors"),
            _page("Metrics", "/figures"),
            html.Div(id="rail-views"),
            html.H2("Streams", className="rail-title"),
            html.Div(id="rail-streams"),
        ],
        className="rail",
        **attributes(aria_label="Views"),
    )


def _view(name: str, status: str, *count: Component) -> Component:
    return html.A(
        [html.Span(name, className="name"), *count],
        href="/",
        className="rail-link",
        **attributes(data_nav="", data_status=status),
    )


def _page(name: str, path: str, *count: Component, **given: Any) -> Component:
    return html.A(
        [html.Span(name, className="name"), *count],
        href=path,
        className="rail-link",
        **attributes(data_nav="", data_page=path),
        **given,
    )
