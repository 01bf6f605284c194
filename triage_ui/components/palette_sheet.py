"""The command palette, the sheet that names a view, and the tour: shells that scripts fill."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from triage_ui.components.dom import action_button, attributes, kbd


def palette_sheet() -> Component:
    """Return the palette: one field, and what fits below it."""
    return html.Dialog(
        [
            dmc.TextInput(
                id="palette-text",
                placeholder="A page, an action, a cluster, an entity",
                autoComplete="off",
                className="palette-field",
                **attributes(
                    aria_label="Go to, or do",
                    aria_expanded="true",
                    aria_controls="palette-list",
                    aria_autocomplete="list",
                ),
            ),
            html.Div(id="palette-list", role="listbox", **attributes(aria_label="What fits")),
            html.P(
                [kbd("↑"), kbd("↓"), " choose ", kbd("Enter"), " go ", kbd("Esc"), " close"],
                className="quiet palette-help",
            ),
        ],
        id="palette",
        className="sheet palette",
        **attributes(aria_label="Command palette"),
    )


def view_sheet() -> Component:
    """Return the sheet that asks for the name of a view."""
    return html.Dialog(
        [
            html.H2("Save this view", id="view-title"),
            dmc.TextInput(
                id="view-name",
                label="Its name",
                description="The filters and the order, kept with your account.",
                autoComplete="off",
            ),
            dmc.Switch(id="view-shared", label="Share with the team", checked=False),
            html.Div(
                [
                    action_button(["Save ", kbd("Enter")], "view-save", main=True),
                    action_button(["Cancel ", kbd("Esc")], "view-cancel"),
                ],
                className="form-buttons",
            ),
        ],
        id="view-sheet",
        className="sheet",
        **attributes(aria_labelledby="view-title"),
    )


def tour_sheet() -> Component:
    """Return the tour's box; it stands beside what it speaks of and stops nothing."""
    return html.Dialog(
        [
            html.H2("", id="tour-title"),
            html.P("", id="tour-text"),
            html.Div(
                [
                    html.Span("", id="tour-step", className="quiet"),
                    action_button("Skip the tour", "tour-end"),
                    action_button("Next", "tour-next", main=True),
                ],
                className="form-buttons tour-buttons",
            ),
        ],
        id="tour",
        className="sheet tour",
        **attributes(aria_labelledby="tour-title", aria_describedby="tour-text"),
    )
