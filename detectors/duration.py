"""Durations as people write them in a config: ``"45s"``, ``"30m"``, ``"1h"``, ``"7d"``."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_PATTERN = re.compile(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*([smhdw])\s*")


def parse_duration(text: str) -> float:
    """Return seconds. Raises ValueError, naming the form, if ``text`` is no positive duration."""
    match = _PATTERN.fullmatch(text)
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if seconds <= 0.0:
        raise ValueError(f"{text!r} is no duration; write a number and s, m, h, d or w, like 1h")
    return seconds


def _checked(text: str) -> str:
    parse_duration(text)
    return text


Duration = Annotated[str, AfterValidator(_checked)]
"""A field of a config that holds a duration; it stays text, so that the config reads as written."""
