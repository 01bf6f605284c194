"""The decision bar: five buttons with their keys."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from triage.model import VerdictKind
from triage_ui.components.advice import advice_panel
from triage_ui.components.chips import shape
from triage_ui.components.dom import attributes, kbd

KEYS = {
    VerdictKind.REAL: ("R", "Real"),
    VerdictKind.SPURIOUS: ("S", "Spurious"),
    VerdictKind.EXPECTED: ("X", "Expected"),
    VerdictKind.PIPELINE_FAULT: ("P", "Pipeline"),
    VerdictKind.UNSURE: ("U", "Unsure"),
}


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
            html.Div(  # filled when it is asked for: expected_form.py
                id="expected-form",
                className="expected-form",
                hidden=True,
                role="group",
                **attributes(aria_label="Expected: scope and end"),
            ),
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
