from __future__ import annotations

import numpy as np
import pytest

from detectors.base import Snapshot, SnapshotError
from detectors.scale import FixedScale, ScoreScale


def test_standardises_by_mean_and_deviation_of_all_blocks() -> None:
    scores = np.random.default_rng(1).normal(5, 2, size=1000)
    scale = ScoreScale(half_life=1e12)
    for block in np.split(scores, [10, 500, 501]):
        scale.learn(block)
    assert scale.mean == pytest.approx(scores.mean())
    assert scale.deviation == pytest.approx(scores.std())
    assert scale.gain == pytest.approx(1 / scores.std())
    assert scale.standardise(scores) == pytest.approx((scores - scores.mean()) / scores.std())


def test_a_score_counts_half_after_the_half_life() -> None:
    scale = ScoreScale(half_life=100)
    scale.learn(np.zeros(100))
    scale.learn(np.ones(100))
    assert scale.mean == pytest.approx(2 / 3)


def test_before_learning_and_while_all_are_alike_every_score_is_zero() -> None:
    scale = ScoreScale()
    assert scale.standardise(np.array([3.0, 4.0])).tolist() == [0, 0]
    scale.learn(np.full(10, -1.0))
    assert scale.standardise(np.array([3.0, 4.0])).tolist() == [0, 0]
    assert scale.gain == 0
    scale.learn(np.array([]))
    assert scale.mean == -1


def test_snapshot_carries_it_over_exactly() -> None:
    one, other = ScoreScale(50), ScoreScale(50)
    scores = np.random.default_rng(1).normal(size=(4, 30))
    one.learn(scores[0])
    one.learn(scores[1])
    other.restore(one.snapshot())
    one.learn(scores[2])
    other.learn(scores[2])
    assert one.standardise(scores[3]).tolist() == other.standardise(scores[3]).tolist()


def test_a_foreign_snapshot_is_refused() -> None:
    with pytest.raises(SnapshotError, match="half_life"):
        ScoreScale(50).restore(ScoreScale(60).snapshot())
    with pytest.raises(SnapshotError):
        ScoreScale(50).restore(Snapshot({"half_life": 50}, {"state": np.zeros(2)}))
    with pytest.raises(ValueError, match="half_life"):
        ScoreScale(0)


def test_a_fixed_scale_means_the_same_at_any_time() -> None:
    scale = FixedScale(-1.0, 0.5)
    scale.learn(np.array([5.0, 9.0]))
    scale.restore(scale.snapshot())
    assert scale.standardise(np.array([-1.0, 0.0])).tolist() == [0.0, 2.0]
