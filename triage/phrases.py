"""What is strange about a feature, in a few words: "amount 8x usual", "rare service ftp"."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from triage.model import Reason
from triage.plain import plain

MAX_LABEL = 40
MAX_TEXT = 36
UNUSUAL = 1.5  # a ratio is told from this factor on, or below its inverse
MAX_RATIO = 1_000.0
COMMON = 0.6  # a text is told as everybody's if this share has it

_CATEGORY = re.compile(r"(?P<value>.*) \((?:\d+ %|1 in [\d,.e+]+)\)", re.DOTALL)
_CLOCK = re.compile(r"(?P<day>[A-Z][a-z]{2} )?(?P<hour>\d\d):\d\d")
_TIMES = re.compile(r"(?P<ratio>[\d,.e+-]+)× usual")


def phrase_of(reasons: Sequence[Reason], subject: str | None = None) -> str:
    """Return what is strange, "" if nothing can be said.

    Args:
        reasons: of one feature, of all members that have it; at least one.
        subject: entity field that the sentence is about already; its aggregates need no owner.
    """
    label = plain(reasons[0].label, MAX_LABEL)
    texts = [reason.text for reason in reasons]
    everybody = _common(texts)
    if everybody is not None and everybody in ("missing", "", "no earlier event"):
        return f"{label} missing" if everybody == "missing" else ""
    if all(_CATEGORY.fullmatch(text) for text in texts):
        return _category(label, texts)
    if all(_CLOCK.fullmatch(text) for text in texts):
        return _clock(texts)
    if all(_TIMES.fullmatch(text) for text in texts):
        return f"{label.partition(' against ')[0]} {_times(_median_times(texts))}"
    if reasons[0].entity is not None and " in " in texts[0]:
        return _pace(reasons, subject)
    return _number(label, reasons)


def _number(label: str, reasons: Sequence[Reason]) -> str:
    ratios = sorted(reason.ratio for reason in reasons if reason.ratio is not None)
    ratio = ratios[len(ratios) // 2] if ratios else None
    if ratio is not None and (ratio >= UNUSUAL or ratio <= 1 / UNUSUAL):
        return f"{label} {_times(ratio)}"
    middle = _middle(reasons)
    usual = plain(middle.usual, MAX_TEXT)
    text = plain(middle.text, MAX_TEXT)
    return f"{label} {text} (usual {usual})" if usual else f"{label} {text}".rstrip()


def _pace(reasons: Sequence[Reason], subject: str | None) -> str:
    """Return the largest aggregate of an entity: "9 payments in 1 h"."""
    largest = max(reasons, key=lambda reason: (_value(reason), reason.text))
    text = plain(largest.text, MAX_TEXT)
    bare = text[:1].isdigit() and re.match(r"[\d,.]+ in ", text) is not None
    if bare:  # "4 in 1 h": of what is in the label only
        label = plain(largest.label, MAX_LABEL)
        return f"{label} {text.partition(' in ')[0]}"
    return text if subject == largest.entity else f"{text} of one {plain(str(largest.entity), 24)}"


def _category(label: str, texts: Sequence[str]) -> str:
    values = [_CATEGORY.fullmatch(text)["value"] for text in texts]  # type: ignore[index]
    value = _common(values)
    return f"rare {label}" if value is None else f"rare {label} {plain(value, MAX_TEXT)}"


def _clock(texts: Sequence[str]) -> str:
    hours = Counter(_CLOCK.fullmatch(text)["hour"] for text in texts)  # type: ignore[index]
    hour, count = min(hours.items(), key=lambda item: (-item[1], item[0]))
    return f"around {hour}:00" if count >= COMMON * len(texts) else "at unusual hours"


def _median_times(texts: Sequence[str]) -> float:
    found = sorted(
        float(_TIMES.fullmatch(text)["ratio"].replace(",", ""))  # type: ignore[index]
        for text in texts
    )
    return found[len(found) // 2]


def _times(ratio: float) -> str:
    if ratio > MAX_RATIO:
        return f"over {MAX_RATIO:,.0f}x usual"
    if ratio >= 3:
        return f"{ratio:,.0f}x usual"
    if ratio >= UNUSUAL:
        return f"{ratio:.1f}x usual"
    return "far below usual" if ratio <= 0.25 else "below usual"


def _common(texts: Sequence[str]) -> str | None:
    text, count = min(Counter(texts).items(), key=lambda item: (-item[1], item[0]))
    return text if count >= COMMON * len(texts) else None


def _middle(reasons: Sequence[Reason]) -> Reason:
    ordered = sorted(reasons, key=lambda reason: (_value(reason), reason.text, reason.usual))
    return ordered[len(ordered) // 2]


def _value(reason: Reason) -> float:
    return -math.inf if reason.value is None else reason.value
