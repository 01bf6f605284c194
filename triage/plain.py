"""Text from events, made fit for a sentence: no control characters, no flood, cut to a length."""

from __future__ import annotations

import unicodedata

ELLIPSIS = "…"
STRANGE = "\ufffd"
MARKS = 2  # accents on one letter; more of them climb over the lines around


def plain(text: str, limit: int) -> str:
    """Return the text on one line, at most ``limit`` characters.

    Characters that are invisible or turn the direction of reading become U+FFFD, so that a forged
    name shows. Escaping for a page is the page's job.
    """
    if text.isascii() and text.isprintable() and "  " not in text:  # nothing to mend
        return cut(text[: 4 * limit].strip(), limit)
    out: list[str] = []
    marks = 0
    for raw in unicodedata.normalize("NFC", text[: 4 * limit]):
        char = _shown(raw)
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        repeats = char in (" ", STRANGE) and out[-1:] == [char]
        if marks <= MARKS and not repeats:
            out.append(char)
    return cut("".join(out).strip(), limit)


def _shown(char: str) -> str:
    if char.isspace():
        return " "
    return STRANGE if unicodedata.category(char).startswith("C") else char


def cut(text: str, limit: int) -> str:
    """Return the text with at most ``limit`` characters, an ellipsis where something is missing."""
    return text if len(text) <= limit else text[: limit - 1].rstrip(" ,:") + ELLIPSIS
