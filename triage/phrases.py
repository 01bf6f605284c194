"""What is strange about a feature, in a few words: "amount 8x usual", "rare service ftp".

Reads the texts that the features made for people (``detectors.features``), since a reason carries
nothing else about its kind. A text of another form is told as it is.
"""

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
NOTHING = {"missing": "{} missing", "no earlier event": "", "": ""}
COMMON = 0.6  # a text is told as everybody's if this share has it

_CATEGORY = re.compile(r"(.*) \((\d+ %|1 in [\d,.e+]+)\)", re.DOTALL)
_CLOCK = re.compile(r"(?:[A-Z][a-z]{2} )?(\d\d):\d\d")
_TIMES = re.compile(r"(\d[\d,]*(?:\.\d+)?(?:e[+-]\d+)?)× usual")
_PER_TIME = re.compile(r"([\d,.]+)( \S.*)? in (\S.*)")
_DISTINCT = re.compile(r"distinct of (.+) of .+ in .+")
_SINCE = "time since last of "
_QUANTITY = re.compile(r"(\d[\d,]*(?:\.\d+)?) ?([^\d\s–]*)")
_DECIMALS = re.compile(r"\d[\d,]*\.\d+")
_UNITS = {"kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "min": 60.0, "h": 3600.0, "d": 86_400.0}


def phrase_of(
    reasons: Sequence[Reason], owner: str | None = None, told_of_owner: bool = False
) -> str:
    """Return what is strange, "" if that can't be said in words.

    Args:
        reasons: of one feature, of all members that have it; at least one.
        owner: name for people of the entity field that the feature belongs to, if any.
        told_of_owner: the sentence is about that entity already.
    """
    label = plain(reasons[0].label, MAX_LABEL)
    texts = [reason.text for reason in reasons]
    common = _common(texts)
    if common in NOTHING:
        return NOTHING[common].format(label)
    for form in (_category(label, texts), _clock(texts), _ratio(label, texts, owner)):
        if form is not None:
            return form
    if reasons[0].label.startswith(_SINCE):
        return _silence(reasons)
    if owner is not None and _all(_PER_TIME, texts):
        text = _pace(reasons)
        return text if told_of_owner else f"{text} of one {owner}"
    return _number(label, reasons)


def rare_value(reasons: Sequence[Reason]) -> str | None:
    """Return the rare category that most members have, None if it is no such feature."""
    categories = _all(_CATEGORY, [reason.text for reason in reasons])
    return _common([match[1] for match in categories]) if _is_rare(categories) else None


def measure(label: str) -> str:
    """Return what is measured: "amount" of the label "amount against own usual"."""
    return plain(label, MAX_LABEL).partition(" against ")[0]


def plural(word: str) -> str:
    """Return the plural of a field's name."""
    if word.endswith(("s", "x", "ch", "sh")):
        return f"{word}es"
    if word.endswith("y") and word[-2:-1] not in tuple("aeiou"):
        return f"{word[:-1]}ies"
    return f"{word}s"


def _number(label: str, reasons: Sequence[Reason]) -> str:
    """Tell a number by its ratio, else with its usual range; nothing if it lies inside."""
    middle = _middle(reasons)
    if _inside(middle.text, middle.usual):
        return ""
    if middle.ratio is not None and not 1 / UNUSUAL < middle.ratio < UNUSUAL:
        return f"{label} {_times(middle.ratio)}"
    text, usual = plain(middle.text, MAX_TEXT), plain(middle.usual, MAX_TEXT)
    return f"{label} {text} (usual {usual})" if usual else f"{label} {text}".rstrip()


def _inside(text: str, usual: str) -> bool:
    """Whether a value lies in its usual range, as far as the texts tell."""
    values: list[tuple[str, str]] = _QUANTITY.findall(text)
    ends: list[tuple[str, str]] = _QUANTITY.findall(usual)
    if len(values) != 1 or len(ends) != 2:
        return False
    (value,), ((low, low_unit), (high, high_unit)) = values, ends
    lowest = _quantity(low, low_unit or high_unit)
    return lowest <= _quantity(value[0], value[1]) <= _quantity(high, high_unit)


def _quantity(number: str, unit: str) -> float:
    return float(number.replace(",", "")) * _UNITS.get(unit, 1.0)


def _silence(reasons: Sequence[Reason]) -> str:
    middle = _middle(reasons)
    if middle.ratio is None or 1 / UNUSUAL < middle.ratio < UNUSUAL:
        return ""
    text = plain(middle.text, MAX_TEXT)
    return f"after {text} of silence" if middle.ratio > 1 else f"only {text} apart"


def _pace(reasons: Sequence[Reason]) -> str:
    """Tell the largest aggregate of an entity, or the smallest where few are strange."""
    few = (_middle(reasons).ratio or 1.0) < 1.0
    ordered = sorted(reasons, key=lambda reason: (_value(reason), reason.text))
    extreme = ordered[0 if few else -1]
    match = _PER_TIME.fullmatch(extreme.text)
    distinct = _DISTINCT.fullmatch(extreme.label)
    text = plain(_DECIMALS.sub(_rounded, extreme.text), MAX_TEXT)
    if match and not match[2] and distinct:  # "4 in 1 h": of what is in the label only
        noun = distinct[1] if match[1] == "1" else plural(distinct[1])
        text = plain(f"{match[1]} {noun} in {match[3]}", MAX_TEXT)
    elif match and not match[2]:
        return f"{plain(extreme.label, MAX_LABEL)} {match[1]}"
    return f"only {text}" if few else text


def _category(label: str, texts: Sequence[str]) -> str | None:
    categories = _all(_CATEGORY, texts)
    if not categories:
        return None
    if not _is_rare(categories):
        return ""
    values = [match[1] for match in categories]
    common = _common(values)
    if common is None:
        return f"{len(set(values))} rare {plural(label)}"
    return f"{label} missing" if common == "missing" else f"rare {label} {plain(common, MAX_TEXT)}"


def _rounded(match: re.Match[str]) -> str:
    """Return a number without cents where they don't matter."""
    value = float(match[0].replace(",", ""))
    return f"{value:,.0f}" if value >= 100 else match[0]


def _is_rare(categories: Sequence[re.Match[str]]) -> bool:
    rare = [match for match in categories if match[2].startswith("1 in")]
    return 2 * len(rare) > len(categories)


def _clock(texts: Sequence[str]) -> str | None:
    hours = [match[1] for match in _all(_CLOCK, texts)]
    if not hours:
        return None
    hour = _common(hours)
    return "at unusual hours" if hour is None else f"around {hour}:00"


def _ratio(label: str, texts: Sequence[str], owner: str | None) -> str | None:
    ratios = sorted(float(match[1].replace(",", "")) for match in _all(_TIMES, texts))
    if not ratios:
        return None
    times = _times(ratios[len(ratios) // 2])
    if owner is not None:
        times = f"{times.removesuffix('usual')}the {owner}'s usual"
    return f"{measure(label)} {times}"


def _times(ratio: float) -> str:
    if ratio > MAX_RATIO:
        return f"over {MAX_RATIO:,.0f}x usual"
    if ratio >= 3:
        return f"{ratio:,.0f}x usual"
    if ratio >= UNUSUAL:
        return f"{ratio:.1f}x usual"
    if ratio > 1 / UNUSUAL:
        return "near usual"
    return "far below usual" if ratio <= 0.25 else "below usual"


def _all(form: re.Pattern[str], texts: Sequence[str]) -> Sequence[re.Match[str]]:
    """Return the matches; nothing unless all texts have the form."""
    found = [match for text in texts if (match := form.fullmatch(text))]
    return found if len(found) == len(texts) else ()


def _common(texts: Sequence[str]) -> str | None:
    """Return the text that most have, None if none is that common."""
    text, count = min(Counter(texts).items(), key=lambda item: (-item[1], item[0]))
    return text if count >= COMMON * len(texts) else None


def _middle(reasons: Sequence[Reason]) -> Reason:
    ordered = sorted(
        reasons, key=lambda reason: (_value(reason), reason.text, reason.usual, reason.ratio or 0.0)
    )
    return ordered[len(ordered) // 2]


def _value(reason: Reason) -> float:
    return -math.inf if reason.value is None else reason.value
