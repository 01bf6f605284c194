from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import triage_ui
import triage_ui.components.chips
import triage_ui.components.dom
from triage_ui import text, wire
from triage_ui.text import visible

ASSETS = Path(triage_ui.__file__).parent / "assets"
HIDDEN = "\u202e\u202d\u2066\u2069\u200b\u200f\ufeff\x00\x1b\x7f\x85\u00ad"


@pytest.mark.parametrize("module", [text, triage_ui.components.chips, triage_ui.components.dom])
def test_examples_hold(module: object) -> None:
    failures, tried = doctest.testmod(module)  # type: ignore[arg-type]  # a module
    assert tried > 0
    assert failures == 0


@given(st.text(max_size=300), st.integers(1, 200))
def test_what_is_shown_hides_and_turns_nothing(raw: str, limit: int) -> None:
    shown = visible(raw, limit)
    assert not set(shown) & set(HIDDEN)
    assert len(shown) <= 8 * limit + 20


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "Zs"]), max_size=100))
def test_ordinary_text_is_shown_as_it_is(raw: str) -> None:
    assert visible(raw) == raw


def test_hostile_text_stays_readable() -> None:
    assert visible("invoice\u202efdp.exe") == "invoice<U+202E>fdp.exe"
    assert visible("x" * 10_000, 100) == "x" * 100 + " … (9,900 more)"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        (float("inf"), None),
        (
            {"a": [float("-inf"), {"b": (1, True, None, "x")}]},
            {"a": [None, {"b": [1, True, None, "x"]}]},
        ),
        ({1: b"raw"}, {"1": "b'raw'"}),
    ],
)
def test_what_json_does_not_know_is_made_harmless(value: object, expected: object) -> None:
    assert wire.clean(value) == expected


def test_the_scripts_can_be_parsed() -> None:
    for script in ASSETS.rglob("*.js"):
        content = script.read_text("utf-8")
        assert content.count("{") == content.count("}"), script
        assert "innerHTML" not in content, f"{script}: text becomes markup"
        assert "eval(" not in content, script


def test_nothing_in_the_assets_asks_for_another_host() -> None:
    for asset in ASSETS.rglob("*"):
        if asset.suffix in {".js", ".css"}:
            content = asset.read_text("utf-8")
            assert "http://" not in content, asset
            assert "https://" not in content, asset
            assert "//cdn" not in content, asset


def test_the_typeface_comes_with_its_licence() -> None:
    licence = (ASSETS / "fonts" / "Inter-LICENSE.txt").read_text("utf-8")
    assert "SIL OPEN FONT LICENSE" in licence.upper()


def test_importing_the_board_loads_no_number_crunchers() -> None:
    program = (
        "import sys, triage_ui.server, triage_ui.serve;"
        "print([m for m in ('numba', 'river', 'shap', 'pandas', 'sklearn', 'scipy')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ASSETS.parents[1],
    )
    assert done.stdout.strip() == "[]"
