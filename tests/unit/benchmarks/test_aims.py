from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import explain, forest
from benchmarks.loop import __main__ as loop
from benchmarks.loop import never_asked
from benchmarks.loop.aims import aims
from benchmarks.loop.comparison import Plan, compare, errors
from benchmarks.loop.discovery import Pool

pytestmark = pytest.mark.slow


@pytest.fixture
def pools() -> list[Pool]:
    X = np.random.default_rng(3).normal(0, 1, (400, 3)).astype(np.float32)
    X[:20, 0] += 6
    return [Pool("toy", X, np.arange(400) < 20)]


def test_the_figures_of_pools_have_plain_names(pools: list[Pool]) -> None:
    plan = Plan(range(2), budget=10, others=["random looks"])
    discovery = compare(pools, plan).figures
    assert set(discovery["area"]) == {"ours", "AAD", "OMD", "random looks"}
    found = aims({"discovery": discovery, "errors": errors(pools, plan, full=False).figures})
    assert found["discovery: ours minus AAD"] == discovery["ours minus"]["AAD"]
    below = discovery["sets where ours is below by more than the interval"]
    assert found["discovery: sets where ours is below the better of AAD and OMD"] == below
    wrong = [name for name in found if "wrong verdicts" in name]
    assert len(wrong) == 8  # alone and together, one reader and a team, at 100 and 300 labels
    json.dumps(found)


def test_the_figures_of_streams_have_plain_names() -> None:
    result = {
        "cards": {
            "supervised": (0.4, 0.0),
            "late truth, feedback": (0.42, 0.0),
            "no feedback": (0.03, 0.0),
            "late truth, feedback, minus supervised": (0.02, 0.0),
            "verdicts only: part of the way to supervised": (0.5, 0.0),
            "verdicts and missed payments: part of the way to supervised": (0.7, 0.0),
        },
        "never asked": {"a": {"feedback": {"ap of never asked": (0.7, 0.0)}}},
        "feedback": {"worse": ["a/1/ap"], "compared": 6},
        "no labels": {
            "mean_auc_ap": {
                "forest": (0.9, 0.5),
                "both": (0.92, 0.55),
                "sklearn": (0.89, 0.4),
                "river": (0.91, 0.3),
            }
        },
    }
    found = aims(result)
    assert found["payments: late truth, feedback, minus supervised"] == (0.02, 0.0)
    assert found["average precision of never asked, 3 looks per 1,024, a: feedback"] == (0.7, 0.0)
    assert found["worse with feedback than without"] == ["a/1/ap"]
    assert found["without labels, AUC minus the best peer's: isolation forest"] == -0.01
    names = "isolation forest and deviation"
    assert found[f"without labels, average precision over scikit-learn's: {names}"] == 1.375


def test_parts_that_were_not_run_have_no_figures() -> None:
    assert aims({"full": False, "skipped": ["a"], "cards": {}}) == {}


def test_the_last_line_of_the_loop_tells_them(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    pools: list[Pool],
) -> None:
    monkeypatch.setattr(loop, "_pools", lambda: pools)
    out = tmp_path / "out"
    asked = ["--parts", "discovery", "--seeds", "2", "--others", "--out", str(out)]
    assert loop.main(asked) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["aims"]["discovery, area: ours"] == last["discovery"]["area"]["ours"]
    assert "discovery: ours minus OMD" in (out / "report.html").read_text(encoding="utf-8")


def test_forest_and_explanations_tell_theirs() -> None:
    speeds = {"forest_eps": 1e6, "times_sklearn": 30.0, "times_river": 12.0}
    measured = {**speeds, "refit_ms": 90.0, "growth_mb": 0.0}
    ap = {"a": {"forest": 0.4, "river": 0.3}, "b": {"forest": 0.1, "river": 0.2}}
    found = forest.aims(measured, ap)
    assert found["forest, times river HalfSpaceTrees"] == 12.0
    assert found["forest, sets where a peer's average precision is higher"] == ["b"]
    kernel = {"ours_ms": 7.0, "shap_library_ms": 100.0, "largest_difference": 1e-15}
    rates = {"ours": {"top_1": 0.7, "hit_100": 0.69, "hit_150": 0.83}}
    told = explain.aims({10: kernel}, rates)
    assert told["100 candidates of 10 features explained, trees refreshed, ms"] == 7.0
    assert told["root causes, HitRate@150 %, ours"] == 0.83


def test_streams_that_are_not_there_are_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(never_asked, "DATA", tmp_path)
    assert never_asked.never_asked([0]) == {}
    assert "adb_cover" in capsys.readouterr().out
