from __future__ import annotations

import subprocess
import sys

import pytest

from detectors.base import ConfigError
from detectors.online.isolation_forest import IsolationForest
from detectors.registry import DetectorSpec, build, kind_class, kind_names, kinds


def test_every_file_of_the_folder_is_a_kind() -> None:
    assert "isolation_forest" in kind_names()
    assert {name: found.kind for name, found in kinds().items()} == {n: n for n in kind_names()}


def test_a_kind_is_imported_only_when_asked_for() -> None:
    code = (
        "import sys; from detectors.registry import kind_class, kind_names; kind_names();"
        "kind_class('isolation_forest');"
        "print([m for m in ('sklearn', 'river.anomaly', 'shap') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_an_unknown_kind_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"'forest'.*isolation_forest"):
        kind_class("forest")


def test_one_spec_builds_that_detector() -> None:
    params = IsolationForest.Params(trees=7)
    detector = build([DetectorSpec("isolation_forest", params)], ["a", "b"], seed=3)
    assert isinstance(detector, IsolationForest)
    assert (detector.feature_names, detector.params, detector.seed) == (("a", "b"), params, 3)
    assert build([DetectorSpec("isolation_forest")], ["a"], 0).params == IsolationForest.Params()


def test_no_spec_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one"):
        build([], ["a"], 0)
