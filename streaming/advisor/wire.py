"""Questions and answers as lines of JSON between the board's process and the advisor's."""

from __future__ import annotations

import msgspec

from triage.advisor import Advice, Drafted, DraftRule, IfDecided, WhatIf, WhatIfAnswer

MAX_LINE = 4_000_000
"""Bytes; the largest answer (six levers of forty stops) has some 20 kB."""


class Question(msgspec.Struct, frozen=True):
    """One of the three."""

    number: int
    if_decided: IfDecided | None = None
    what_if: WhatIf | None = None
    draft_rule: DraftRule | None = None


class Answer(msgspec.Struct, frozen=True):
    """One of the first three, or what kept it from answering.

    ``error``: the name of an error of ``triage.errors``; ``message``: what it says.
    """

    number: int
    advice: Advice | None = None
    what_if: WhatIfAnswer | None = None
    drafted: Drafted | None = None
    error: str = ""
    message: str = ""


def dump(value: Question | Answer) -> bytes:
    """Return a line."""
    return msgspec.json.encode(value) + b"\n"


def question(line: bytes) -> Question:
    """Return the question of a line. Raises msgspec.DecodeError."""
    return msgspec.json.decode(line, type=Question)


def answer(line: bytes) -> Answer:
    """Return the answer of a line. Raises msgspec.DecodeError."""
    return msgspec.json.decode(line, type=Answer)
