"""How the strongest member would score with other values."""

from __future__ import annotations

from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from triage.advisor import WhatIf
from triage.errors import NotAvailable, TriageError
from triage_ui.components.advice import not_available
from triage_ui.components.what_if import (
    LEVER,
    LEVER_TEXT,
    changes,
    places_of,
    score,
    stop_text,
    what_if,
)
from triage_ui.services import Services
from triage_ui.tabs import Tab, cluster_at


def layout() -> Component:
    """Return the tab's shell."""
    return html.Div(html.P("Asking the model …", className="aside"), id="what-if")


def register(board: Dash, services: Services) -> None:
    """Add the tab's callbacks."""
    advisor = services.advisor

    # Not on every tick: what the analyst has moved must stay moved.
    @board.callback(Output("what-if", "children"), Input("url", "pathname"))
    async def show(path: str) -> object:
        cluster_id = cluster_at(path)
        if cluster_id is None:
            return no_update
        try:
            return what_if(await advisor.what_if(WhatIf(cluster_id)), cluster_id)
        except TriageError as error:
            return not_available(str(error))

    @board.callback(
        Output("what-if-score", "children"),
        Output({"type": LEVER_TEXT, "feature": ALL}, "children"),
        Input({"type": LEVER, "feature": ALL}, "value"),
        State({"type": LEVER, "feature": ALL}, "id"),
        State("what-if-data", "data"),
        prevent_initial_call=True,
    )
    async def move(
        values: list[object], ids: list[dict[str, str]], data: dict[str, Any]
    ) -> tuple[object, list[object]]:
        places = places_of(values)
        features = [each["feature"] for each in ids]
        texts: list[object] = [
            html.Bdi(stop_text(data, feature, at))
            for feature, at in zip(features, places, strict=True)
        ]
        moved = changes(data, features, places)
        question = WhatIf(str(data["cluster"]), str(data["candidate"]), moved)
        try:
            found = await advisor.what_if(question)
        except NotAvailable as error:
            return f"Not available: {error}.", texts
        if found.then is None:
            return score(found.now, found.line, "As it is"), texts
        return score(found.then, found.line, "So changed"), texts

    @board.callback(
        Output({"type": LEVER, "feature": ALL}, "value"),
        Input("what-if-set", "n_clicks"),
        Input("what-if-reset", "n_clicks"),
        State("what-if-data", "data"),
        prevent_initial_call=True,
    )
    async def set_all(_set: int | None, _reset: int | None, data: dict[str, Any]) -> list[int]:
        name = "smallest" if ctx.triggered_id == "what-if-set" else "at"
        return [int(lever[name]) for lever in data["levers"]]


TAB = Tab("what_if", "What if", 40, layout, register)
