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

_CATEGORY = re.compile(r"(.*) \((?:\d+ %|1 in [\d,.e+]+)\)", re.DOTALL)
_CLOCK = re.compile(r"(?:[A-Z][a-z]{2} )?(\d\d):\d\d")
_TIMES = re.compile(r"(\d[\d,]*(?:\.\d+)?(?:e[+-]\d+)?)× usual")


def phrase_of(reasons: Sequence[Reason], subject: str | None = None) -> str:
    """Return what is strange, "" if nothing can be said.

    Args:
        reasons: of one feature, of all members that have it; at least one.
        subject: entity field that the sentence is about already; its aggregates need no owner.
    """
    label = plain(reasons[0].label, MAX_LABEL)
    texts = [reason.text for reason in reasons]
    everybody = _common(texts)
    if everybody in ("missing", "", "no earlier event"):
        return f"{label} missing" if everybody == "missing" else ""
    if categories := _all(_CATEGORY, texts):
        return _category(label, categories)
    if hours := _all(_CLOCK, texts):
        return _clock(hours)
    if times := _all(_TIMES, texts):
        ratios = sorted(float(ratio.replace(",", "")) for ratio in times)
        return f"{label.partition(' against ')[0]} {_times(ratios[len(ratios) // 2])}"
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


def _all(form: re.Pattern[str], texts: Sequence[str]) -> Sequence[str]:
    """Return the form's group of each text; nothing unless all have the form."""
    found = [match[1] for text in texts if (match := form.fullmatch(text))]
    return found if len(found) == len(texts) else ()


def _category(label: str, values: Sequence[str]) -> str:
    value = _common(values)
    return f"rare {label}" if value is None else f"rare {label} {plain(value, MAX_TEXT)}"


def _clock(hours: Sequence[str]) -> str:
    hour = _common(hours)
    return "at unusual hours" if hour is None else f"around {hour}:00"


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
