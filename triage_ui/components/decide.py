"""The decision bar: five buttons with their keys, and the form that *expected* asks for."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from triage.model import KeepOut, VerdictKind
from triage_ui.components.advice import advice_panel
from triage_ui.components.chips import shape
from triage_ui.components.dom import attributes, kbd
from triage_ui.text import count

KEYS = {
    VerdictKind.REAL: ("R", "Real"),
    VerdictKind.SPURIOUS: ("S", "Spurious"),
    VerdictKind.EXPECTED: ("X", "Expected"),
    VerdictKind.PIPELINE_FAULT: ("P", "Pipeline"),
    VerdictKind.UNSURE: ("U", "Unsure"),
}
KEEP_OUT = {
    KeepOut.ENTITY_AND_REASON: "same both",
    KeepOut.ENTITY: "same entity",
    KeepOut.REASON: "same reason",
    KeepOut.NOTHING: "nothing",
}
DAYS = (1, 7, 30, 90)
DEFAULT_DAYS = 30


def decision_bar() -> Component:
    """Return the bar; scripts listen to its buttons, so that a click costs no round trip."""
    buttons = [
        html.Button(
            [kbd(key), html.Span([shape(kind), word], className="verdict-word")],
            type="button",
            className=f"verdict-button verdict-{kind}",
            **attributes(data_verdict=kind, aria_keyshortcuts=key),
        )
        for kind, (key, word) in KEYS.items()
    ]
    return html.Div(
        [
            advice_panel(),
            _expected_form(),
            html.P("", id="watchers", className="watchers", role="status", hidden=True),
            html.Div(
                id="reason-chips",
                className="reason-chips",
                role="group",
                **attributes(aria_label="Reason, given with the verdict"),
            ),
            html.Div(
                buttons, className="buttons", role="group", **attributes(aria_label="Verdict")
            ),
        ],
        className="decision-bar",
    )


def _expected_form() -> Component:
    return html.Div(
        [
            dmc.TextInput(id="expected-scope", label="What is expected?", autoComplete="off"),
            html.Div(
                "What of its kind stays out of the queue?",
                className="form-label",
                id="expected-keep-out-label",
            ),
            dmc.SegmentedControl(
                id="expected-keep-out",
                data=[{"label": text, "value": str(value)} for value, text in KEEP_OUT.items()],
                value=str(KeepOut.ENTITY_AND_REASON),
                fullWidth=True,
                size="xs",
                **attributes(aria_labelledby="expected-keep-out-label"),
            ),
            html.Div("For how long?", className="form-label", id="expected-days-label"),
            dmc.SegmentedControl(
                id="expected-days",
                data=[{"label": count(days, "day"), "value": str(days)} for days in DAYS],
                value=str(DEFAULT_DAYS),
                fullWidth=True,
                size="xs",
                **attributes(aria_labelledby="expected-days-label"),
            ),
            html.Div(
                [
                    html.Button(
                        ["Expected ", kbd("Enter")],
                        type="button",
                        className="button button-main",
                        **attributes(data_action="expected-save"),
                    ),
                    html.Button(
                        ["Cancel ", kbd("Esc")],
                        type="button",
                        className="button",
                        **attributes(data_action="expected-cancel"),
                    ),
                ],
                className="form-buttons",
            ),
        ],
        id="expected-form",
        className="expected-form",
        hidden=True,
        role="group",
        **attributes(aria_label="Expected: scope and end"),
    )
