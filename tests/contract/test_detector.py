"""Every file of detectors/online, with each of its example parameters, against every check."""

from __future__ import annotations

import doctest
import functools
import itertools
import sys
from typing import Any

import pytest
from pydantic import BaseModel
from river import checks, datasets
from river.checks import common

from detectors.base import Detector
from detectors.checks import CHECKS, FEATURES, Check, check_detector
from detectors.online.isolation_forest import IsolationForest
from detectors.registry import kinds

CASES = [
    pytest.param(kind, params, id=f"{name}-{number}")
    for name, kind in kinds().items()
    for number, params in enumerate(kind.examples())
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(("kind", "params"), CASES)
def test_detector(kind: type[Detector], params: BaseModel, check: Check) -> None:
    check(lambda: kind(FEATURES, params, seed=5))


SHUTTLE = list(itertools.islice(datasets.Shuttle(), 700))
"""Real telemetry that river brings along; its checks would download another set."""


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "params"), CASES)
def test_river_takes_it_for_one_of_its_own(kind: type[Detector], params: BaseModel) -> None:
    """All of river's own checks of an estimator apply."""
    detector = kind(params=params, seed=3)
    found: list[Any] = list(checks.yield_checks(detector))
    assert {"check_roc_auc", "check_bounded_memory_growth"} <= {each.__name__ for each in found}
    for check in [*found, functools.partial(common.check_seeding_is_idempotent, dataset=())]:
        if isinstance(check, functools.partial):
            check.func(detector.clone(), dataset=SHUTTLE)
        else:
            check(detector.clone())


@pytest.mark.parametrize("kind", kinds().values(), ids=list(kinds()))
def test_the_example_in_its_docstring_is_true(kind: type[Detector]) -> None:
    result = doctest.testmod(sys.modules[kind.__module__])
    assert result.attempted > 0
    assert result.failed == 0


class Forgetful(IsolationForest):
    """Breaks one promise: a restored one scores by itself."""

    def restore(self, snapshot: object) -> None:
        """Restore nothing."""


def test_a_broken_promise_is_named() -> None:
    small = IsolationForest.Params(trees=30, subsample=64, window=128)
    with pytest.raises(AssertionError, match="restored before block 1"):
        check_detector(lambda: Forgetful(FEATURES, small, seed=1))
