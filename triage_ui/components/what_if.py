"""A member's score with other values: what it is now, sliders, the smallest change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from triage.advisor import Lever, Scored, WhatIfAnswer
from triage_ui.components.dom import Node, attributes
from triage_ui.text import number, percent, visible

LEVER = "what-if-lever"
LEVER_TEXT = "what-if-lever-text"
"""Types of the ids of a slider and of the text beside it; ``feature`` says of which."""


def what_if(found: WhatIfAnswer, cluster_id: str) -> Component:
    """Return all of it."""
    if not found.levers:
        return html.P("No feature with a value of its own pushes it towards anomaly.")
    return html.Div(
        [
            html.P(score(found.now, found.line, "As it is"), id="what-if-score", role="status"),
            html.P(smallest(found), className="what-if-smallest"),
            html.Div([_lever(lever) for lever in found.levers], className="levers"),
            html.Div(
                [
                    html.Button(
                        "Set the smallest change",
                        id="what-if-set",
                        type="button",
                        className="button",
                        hidden=not found.smallest,
                    ),
                    html.Button("Reset", id="what-if-reset", type="button", className="button"),
                ],
                className="form-buttons",
            ),
            html.P(
                "Of the strongest member. Only what you move changes: what usually goes with it "
                "stays as it was.",
                className="aside",
            ),
            dcc.Store(id="what-if-data", data=_data(found, cluster_id)),
        ],
        className="what-if",
    )


def score(scored: Scored, line: float, what: str) -> list[Node]:
    """Return a score in words."""
    side = "at or above" if scored.alert else "below"
    return [
        f"{what}: ",
        html.Strong(f"{percent(scored.posterior)} likely real"),
        f", margin {number(scored.margin)}, {side} the alert line ({number(line)}).",
    ]


def smallest(found: WhatIfAnswer) -> list[Node]:
    """Return the smallest change in words; that there is none is an answer too."""
    if found.smallest is None:
        return ["No change of at most three of these features would make it normal."]
    if not found.smallest:
        return ["It is below the alert line as it is."]
    parts: list[Node] = ["It would be normal with "]
    for place, one in enumerate(found.smallest):
        parts += [
            (", " if place < len(found.smallest) - 1 else " and ") if place else "",
            f"{visible(one.label, 60)} ",
            html.Strong(html.Bdi(visible(one.after, 60))),
            " instead of ",
            html.Bdi(visible(one.before, 60)),
        ]
    return [*parts, "."]


def places_of(values: Sequence[object]) -> list[int | None]:
    """Return the places of sliders, which a browser sends as texts; None for what is none."""
    texts = [str(value) for value in values]
    return [int(text) if text.isdecimal() and len(text) < 9 else None for text in texts]


def stop_text(data: dict[str, Any], feature: str, at: int | None) -> str:
    """Return how a person reads a slider's place."""
    lever = next((one for one in data["levers"] if one["feature"] == feature), None)
    if lever is None or at is None or not at < len(lever["texts"]):
        return ""
    return str(lever["texts"][at])


def changes(
    data: dict[str, Any], features: Sequence[str], places: Sequence[int | None]
) -> dict[str, float]:
    """Return the values of the sliders that were moved."""
    found: dict[str, float] = {}
    levers = {one["feature"]: one for one in data["levers"]}
    for feature, at in zip(features, places, strict=True):
        lever = levers.get(feature)
        if lever is None or at is None or not at < len(lever["values"]):
            continue
        if at != lever["at"]:
            found[feature] = float(lever["values"][at])
    return found


def _lever(lever: Lever) -> Component:
    name = visible(lever.label, 60)
    this = {"feature": lever.feature, "type": LEVER}
    id_text = json.dumps(this, separators=(",", ":"), ensure_ascii=False)  # as Dash has it
    return html.Div(
        [
            html.Div(
                [
                    html.Label(html.Bdi(name), htmlFor=id_text, className="lever-name"),
                    html.Span(
                        html.Bdi(visible(lever.stops[lever.at].text, 60)),
                        id={"type": LEVER_TEXT, "feature": lever.feature},
                        className="lever-text",
                    ),
                    html.Span(f"+{number(lever.contribution)}", className="aside"),
                ],
                className="lever-head",
            ),
            dcc.Input(
                id=this,
                type="range",
                min=0,
                max=max(1, len(lever.stops) - 1),
                step=1,
                value=lever.at,
            ),
        ],
        className="lever",
        **attributes(data_feature=visible(lever.feature, 100)),
    )


def _data(found: WhatIfAnswer, cluster_id: str) -> dict[str, Any]:
    """Return what the callbacks of the sliders need."""
    wanted = {one.feature: one.value for one in found.smallest or ()}
    return {
        "cluster": cluster_id,
        "candidate": found.candidate_id,
        "levers": [
            {
                "feature": lever.feature,
                "at": lever.at,
                "values": [stop.value for stop in lever.stops],
                "texts": [visible(stop.text, 60) for stop in lever.stops],
                "smallest": next(
                    (
                        place
                        for place, stop in enumerate(lever.stops)
                        if stop.value == wanted.get(lever.feature)
                    ),
                    lever.at,
                ),
            }
            for lever in found.levers
        ],
    }
