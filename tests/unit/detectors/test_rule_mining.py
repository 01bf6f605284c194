from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from detectors.learning.rule_mining import Box, Flags, Judged, Known, lower_bound, mine, upper_bound

FEATURES = 5


def world(seed: int = 0, groups: int = 40, benign: int = 20, noise: float = 0.0) -> Known:
    """Ordinary rows; confirmed groups high in feature 1 and low in 3; benign ones elsewhere."""
    rng = np.random.default_rng(seed)
    ordinary = rng.normal(size=(2000, FEATURES))
    real = rng.normal(size=(3 * groups, FEATURES))
    real[:, 1] = rng.uniform(5.0, 8.0, len(real))
    real[:, 3] = rng.uniform(-9.0, -4.0, len(real))
    dismissed = rng.normal(size=(benign, FEATURES)) + 6.0
    swapped = rng.random(len(real)) < noise
    X = np.concatenate([ordinary, real, dismissed]).astype(np.float32)
    return Known(
        X=X,
        groups=np.concatenate(
            [
                np.full(2000, -1),
                np.repeat(np.arange(groups), 3),
                groups + np.arange(benign),
            ]
        ),
        real=np.concatenate([np.zeros(2000, bool), ~swapped, np.zeros(benign, bool)]),
        benign=np.concatenate([np.zeros(2000, bool), swapped, np.ones(benign, bool)]),
    )


def halves(known: Known) -> Flags:
    """Whole groups on one side; ordinary rows alternate."""
    place = np.arange(len(known.groups))
    even: Flags = np.where(known.groups < 0, place, known.groups) % 2 == 0
    return even


def mined(known: Known) -> list[Judged]:
    return list(mine(known, halves(known)))


def test_it_finds_the_box_and_judges_it_on_what_it_has_not_seen() -> None:
    (found,) = mined(world())
    assert set(found.box.limited()) <= {1, 3}
    assert found.contradicted == 0
    assert found.wrong == 0
    assert found.right == 20  # half of the groups, each once, though each has three rows
    assert found.precision == pytest.approx(0.025 ** (1 / 20), abs=1e-6)
    assert found.ordinary < 0.005


def test_a_row_with_a_missing_value_is_within_no_limit() -> None:
    (found,) = mined(world())
    row = np.zeros((1, FEATURES), np.float32)
    row[:, found.box.limited()] = np.nan
    assert not found.box.holds(row).any()


def test_two_kinds_make_two_boxes() -> None:
    one, other = world(1), world(2)
    X = other.X.copy()
    X[other.real] = X[other.real][:, ::-1]
    both = Known(
        np.concatenate([one.X, X]),
        np.concatenate([one.groups, np.where(other.groups < 0, -1, other.groups + 1000)]),
        np.concatenate([one.real, other.real]),
        np.concatenate([one.benign, other.benign]),
    )
    assert len(mined(both)) == 2


def test_a_contradiction_in_either_half_is_counted() -> None:
    known = world()
    (found,) = mined(known)
    inside = np.flatnonzero(found.box.holds(known.X) & known.real & ~halves(known))
    benign, real = known.benign.copy(), known.real.copy()
    benign[inside[0]], real[inside[0]] = True, False
    (again,) = mine(Known(known.X, known.groups, real, benign), halves(known))
    assert again.contradicted == 1


def test_too_few_groups_make_no_rule() -> None:
    assert mined(world(groups=2)) == []
    assert mined(world(groups=0, benign=3)) == []


def test_noise_alone_makes_no_sure_rule() -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(600, FEATURES)).astype(np.float32)
    real = np.arange(600) < 60
    known = Known(X, np.where(real, np.arange(600), -1), real, np.zeros(600, bool))
    assert all(one.precision < 0.5 for one in mined(known))


@given(st.integers(1, 60), st.floats(0.001, 0.2), st.data())
@settings(max_examples=60)
def test_the_bounds_are_those_of_clopper_and_pearson(
    total: int, risk: float, data: st.DataObject
) -> None:
    right = data.draw(st.integers(0, total))
    low = 0.0 if right == 0 else float(stats.beta.ppf(risk, right, total - right + 1))
    high = 1.0 if right == total else float(stats.beta.ppf(1 - risk, right + 1, total - right))
    assert lower_bound(right, total, risk) == pytest.approx(low, abs=1e-6)
    assert upper_bound(right, total, risk) == pytest.approx(high, abs=1e-6)


@given(st.integers(0, 200))
@settings(max_examples=15, deadline=None)
def test_a_bound_is_seldom_too_high(seed: int) -> None:
    """Never by much, in worlds whose rule is right in four of five cases."""
    for found in mined(world(seed, noise=0.2)):
        assert 0.0 <= found.precision <= found.right / max(1, found.right + found.wrong)


def test_an_open_box_holds_everything() -> None:
    box = Box(np.full(2, -math.inf), np.full(2, math.inf))
    assert box.holds(np.array([[1.0, np.nan]], np.float32)).all()
    assert box.limited() == []
