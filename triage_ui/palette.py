"""The colours that plotly needs by value: those of ``assets/css/0_tokens.css``, a test says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one scheme."""

    panel: str
    line: str
    ink: str
    ink_2: str
    ink_3: str
    accent: str
    accent_bg: str
    towards: str
    away: str
    real: str
    spurious: str
    expected: str
    pipeline: str


LIGHT = Palette(
    panel="#ffffff",
    line="#e6e8ec",
    ink="#14171f",
    ink_2="#555d6e",
    ink_3="#626a7b",
    accent="#4453d6",
    accent_bg="#eef0ff",
    towards="#d1495b",
    away="#3a7ca5",
    real="#c2264b",
    spurious="#4d6474",
    expected="#12736a",
    pipeline="#9a5b00",
)
DARK = Palette(
    panel="#161a22",
    line="#262c38",
    ink="#e8ebf2",
    ink_2="#a5adbd",
    ink_3="#8d96a9",
    accent="#8f9bff",
    accent_bg="#20264a",
    towards="#ff8a93",
    away="#79b8e0",
    real="#ff8aa3",
    spurious="#a9bccb",
    expected="#6fd3c6",
    pipeline="#f0b860",
)


def palette(scheme: str | None) -> Palette:
    """Return the palette of a scheme, the light one if it is not known yet."""
    return DARK if scheme == "dark" else LIGHT
