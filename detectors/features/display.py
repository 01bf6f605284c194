"""Numbers as an analyst reads them."""

from __future__ import annotations

import math

_CURRENCIES = frozenset({"€", "$", "£", "¥", "EUR", "USD", "GBP", "CHF", "JPY"})
_BYTES = frozenset({"B", "bytes"})
_SECONDS = frozenset({"s", "seconds"})
_BYTE_STEPS = ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_TIME_STEPS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))


def value_text(value: float | None, unit: str = "") -> str:
    """Return one value with its unit: ``412.00 €``, ``1.2 MB``, ``3 min``, ``missing``."""
    if value is None or not math.isfinite(value):
        return "missing"
    if unit in _CURRENCIES:
        return f"{value:,.2f} {unit}"
    number, unit = _scaled(value, unit)
    return f"{_number(number)} {unit}".rstrip()


def range_text(low: float | None, high: float | None, unit: str = "") -> str:
    """Return a usual range: ``20–55 €``, ``3–40 min``, one value if both ends read the same."""
    if low is None or high is None or not math.isfinite(low) or not math.isfinite(high):
        return ""
    low_number, low_unit = _scaled(low, unit)
    high_number, high_unit = _scaled(high, unit)
    if low_number == 0.0:
        low_unit = high_unit
    first, last = _number(low_number, 2), _number(high_number, 2)
    if (first, low_unit) == (last, high_unit):
        return f"{last} {high_unit}".rstrip()
    first = first if low_unit == high_unit else f"{first} {low_unit}"
    dash = " to " if "-" in first + last else "–"
    return f"{first}{dash}{last} {high_unit}".rstrip()


def share_text(one_in: float) -> str:
    """Return how common something is: ``62 %`` or ``1 in 2,300``."""
    if one_in <= 10.0:
        return f"{100.0 / max(one_in, 1.0):.0f} %"
    return f"1 in {_number(one_in, 2)}"


def words(name: str) -> str:
    """Return a field's name as words."""
    return name.replace("_", " ").strip() or name


def _scaled(value: float, unit: str) -> tuple[float, str]:
    if unit in _BYTES:
        return _step(value, _BYTE_STEPS, "B")
    if unit in _SECONDS:
        return _step(value, _TIME_STEPS, "s")
    return value, unit


def _step(value: float, steps: tuple[tuple[float, str], ...], smallest: str) -> tuple[float, str]:
    for size, name in steps:
        if abs(value) >= size:
            return value / size, name
    return value, smallest


def _number(value: float, digits: int = 3) -> str:
    """Return the value with that many significant digits, whole numbers below 10,000 in full."""
    if value == 0.0:
        return "0"
    if digits > 2 and value == round(value) and abs(value) < 1e15:
        return f"{value:,.0f}"
    if abs(value) >= 1e15 or abs(value) < 1e-4:
        return f"{value:.{digits - 1}e}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    rounded = round(value, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{rounded:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
