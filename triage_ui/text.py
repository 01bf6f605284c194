"""Text for people. Whatever comes from a stream passes through ``visible`` before it is shown."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from triage.model import VerdictKind, VerdictState

SHOWN = 20_000
"""Characters of one value that are shown; the rest is counted."""

_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff]"  # halves of a character: UTF-8 has none
)

VERDICT_WORDS = {
    VerdictKind.REAL: "Real",
    VerdictKind.SPURIOUS: "Spurious",
    VerdictKind.EXPECTED: "Expected",
    VerdictKind.PIPELINE_FAULT: "Pipeline fault",
    VerdictKind.UNSURE: "Unsure",
}

STATE_WORDS = {
    VerdictState.PENDING: "pending",
    VerdictState.RECORDED: "recorded",
    VerdictState.PUBLISHED: "published",
    VerdictState.UNDONE: "undone",
    VerdictState.RETRACTED: "retracted",
}


def visible(text: object, limit: int = SHOWN) -> str:
    r"""Return text with nothing in it that hides or turns other text, cut at ``limit``.

    Controls, zero-width and direction marks appear as ``<U+202E>``.

    >>> visible("pay\u202egnp")
    'pay<U+202E>gnp'
    >>> visible("x" * 30, limit=10)
    'xxxxxxxxxx … (20 more)'
    """
    raw = str(text)
    shown = _CONTROLS.sub(lambda match: f"<U+{ord(match[0]):04X}>", raw[:limit])
    more = len(raw) - limit
    return f"{shown} … ({more:,} more)" if more > 0 else shown


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun.

    >>> count(1, "member"), count(1204, "member")
    ('1 member', '1,204 members')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def number(value: float) -> str:
    """Return a number with as many digits as an eye can use.

    >>> number(412.3), number(31.4159), number(3.14159), number(0.00042), number(1_234_567.8)
    ('412', '31.4', '3.14', '0.00042', '1,234,568')
    """
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 1 or value == 0:
        return f"{value:.{1 if size >= 10 else 2}f}".rstrip("0").rstrip(".")
    return f"{value:.2g}"


def percent(share: float) -> str:
    """Return a probability in per cent; certainty is never claimed.

    >>> percent(0.912), percent(0.9999)
    ('91 %', '>99 %')
    """
    whole = round(100 * share)
    if whole >= 100:
        return ">99 %"
    return f"{whole} %" if whole > 0 else "<1 %"


def span(seconds: float) -> str:
    """Return a length of time in its largest unit.

    >>> span(42), span(190), span(9000), span(200_000)
    ('42 s', '3 min', '2.5 h', '2.3 d')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{number(round(seconds / 3600, 1))} h"
    return f"{number(round(seconds / 86_400, 1))} d"


def clock(at: float, now: float | None = None) -> str:
    """Return a time of day in UTC, with the date unless it is the day of ``now``.

    >>> clock(0.0), clock(3600.0, now=4000.0)
    ('1 Jan 1970 00:00:00', '01:00:00')
    """
    moment = datetime.fromtimestamp(at, UTC)
    day = None if now is None else datetime.fromtimestamp(now, UTC)
    if day is not None and moment.date() == day.date():
        return f"{moment:%H:%M:%S}"
    year = "" if day is not None and moment.year == day.year else f"{moment:%Y} "
    return f"{moment.day} {moment:%b} {year}{moment:%H:%M:%S}"


def day(at: float) -> str:
    """Return a day in UTC.

    >>> day(0.0)
    '1 Jan 1970'
    """
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment.day} {moment:%b %Y}"


def ago(at: float, now: float) -> str:
    """Return how long ago something was."""
    return "now" if now - at < 1 else f"{span(now - at)} ago"
