from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.plain import cut, plain


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("terminal 881", "terminal 881"),
        ("  two \t\r\n lines ", "two lines"),
        ("nul\0byte", "nul\ufffdbyte"),
        ("\x1b[31mred", "\ufffd[31mred"),
        ("gpj.\u202eexe", "gpj.\ufffdexe"),  # turns the direction of reading
        ("a\u200b\u200b\u200bb", "a\ufffdb"),  # invisible
        ("\ud800", "\ufffd"),
        ("<b>&amp;", "<b>&amp;"),  # escaping is the page's job
        ("Z" + "\u0335" * 50 + "algo", "Z" + "\u0335" * 2 + "algo"),
        ("e\u0301", "é"),
        ("x" * 50, "x" * 39 + "…"),
        (" usual, no  double blank ", "usual, no double blank"),
        (" trimmed ", "trimmed"),
        ("", ""),
    ],
)
def test_plain(raw: str, shown: str) -> None:
    assert plain(raw, 40) == shown


@given(st.text(), st.integers(1, 60))
def test_it_is_short_on_one_line_and_visible(raw: str, limit: int) -> None:
    shown = plain(raw, limit)
    assert len(shown) <= limit
    assert not any(unicodedata.category(char).startswith("C") for char in shown)
    assert "\n" not in shown
    assert plain(shown, limit) == shown


def test_a_huge_text_costs_little() -> None:
    assert plain("y" * 10_000_000, 10) == "y" * 9 + "…"


def test_cut_leaves_no_loose_comma() -> None:
    assert cut("one, two, three", 10) == "one, two…"
    assert cut("one, two, three", 6) == "one…"
