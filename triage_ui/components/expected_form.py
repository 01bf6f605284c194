"""What *expected* asks for, as HTML of its own: a script puts it in the decision bar when asked."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from triage.model import KeepOut
from triage_ui.text import count

KEEP_OUT = {
    KeepOut.ENTITY_AND_REASON: "same both",
    KeepOut.ENTITY: "same entity",
    KeepOut.REASON: "same reason",
    KeepOut.NOTHING: "nothing",
}
DAYS = {str(days): count(days, "day") for days in (1, 7, 30, 90)}
DEFAULT_DAYS = "30"

FORM = """<template id="expected-template">
<label for="expected-scope" class="form-label">What is expected?</label>
<input type="text" id="expected-scope" class="field" autocomplete="off">
<div id="expected-keep-out-label" class="form-label">What of its kind stays out of the queue?</div>
{keep_out}
<div id="expected-days-label" class="form-label">For how long?</div>
{days}
<div class="form-buttons">
<button type="button" class="button button-main" data-action="expected-save">Expected \
<kbd class="key" data-key="enter">Enter</kbd></button>
<button type="button" class="button" data-action="expected-cancel">Cancel \
<kbd class="key" data-key="esc">Esc</kbd></button>
</div>
</template>"""
CHOICES = (
    '<div id="{name}" class="choices" role="radiogroup" aria-labelledby="{name}-label">{each}</div>'
)
CHOICE = '<label><input type="radio" name="{name}" value="{value}"{checked}> {text}</label>'


def expected_form() -> str:
    """Return the form, chosen what is chosen mostly."""
    keep_out = {str(value): text for value, text in KEEP_OUT.items()}
    return FORM.format(
        keep_out=_choices("expected-keep-out", keep_out, str(KeepOut.ENTITY_AND_REASON)),
        days=_choices("expected-days", DAYS, DEFAULT_DAYS),
    )


def _choices(name: str, texts: Mapping[str, str], chosen: str) -> str:
    each = [
        CHOICE.format(
            name=name,
            value=escape(value),
            checked=" checked" if value == chosen else "",
            text=escape(text),
        )
        for value, text in texts.items()
    ]
    return CHOICES.format(name=name, each="".join(each))
