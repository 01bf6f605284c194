"""The list of keys, as HTML of its own: it never changes, and React need not make its elements."""

from __future__ import annotations

from html import escape

KEYS = (
    ("R", "real"),
    ("S", "spurious"),
    ("X", "expected: asks for a scope and an end date"),
    ("P", "pipeline fault"),
    ("U", "unsure: a second, blind opinion"),
    ("1–9", "reason that goes with the verdict"),
    ("A", "assign to me; again: to nobody"),
    ("Z", "take the last verdict back"),
    ("V", "what the verdict would change"),
    ("Shift+A", "the same verdict for others alike"),
    ("J", "next cluster"),
    ("K", "previous cluster"),
    (
        "Shift+J",
        "choose this one and the next; Ctrl and click: any; a verdict is then given to each",
    ),
    ("Shift+K", "choose this one and the one before"),
    ("Enter", "open the cluster"),
    ("Esc", "back"),
    ("N", "show what is new"),
    ("/", "search"),
    ("Ctrl+K", "go to a page, a cluster, an entity; do something"),
    ("?", "this list"),
)

SHEET = """<dialog id="keys-sheet" aria-labelledby="keys-title">
<h2 id="keys-title">Keys</h2>
<dl class="keys">{rows}</dl>
<label class="keys-on">
<input type="checkbox" role="switch" id="keys-on" checked> Single keys are on
</label>
<div class="form-buttons">
<button type="button" class="button" data-action="keys">Close</button>
<button type="button" class="button" data-action="reset-keys">Put all keys back</button>
</div>
</dialog>"""

ROW = (
    '<div><dt><kbd class="key" data-key="{name}">{key}</kbd></dt>'
    "<dd><span>{text}</span>{move}</dd></div>"
)
MOVE = (
    '<button type="button" class="move-key" data-action="move-key" data-key="{name}"'
    ' aria-label="Change the key for: {text}">change</button>'
)


def keys_sheet() -> str:
    """Return the dialog. Keys that are one letter can be moved."""
    return SHEET.format(rows="".join(_row(key, text) for key, text in KEYS))


def _row(key: str, text: str) -> str:
    given = {"name": escape(key.lower()), "key": escape(key), "text": escape(text)}
    movable = len(key) == 1 and key.isalpha()
    return ROW.format(**given, move=MOVE.format(**given) if movable else "")
