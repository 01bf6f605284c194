"""What every detector must pass.

    from detectors.checks import FEATURES, check_detector
    check_detector(lambda: MyDetector(FEATURES, MyDetector.Params(...), seed=1))

Each of ``CHECKS`` takes a maker of fresh, equal detectors over ``FEATURES`` and raises
AssertionError with the promise that was broken. Make the detector small: it is fed some thousand
rows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from detectors.arrays import Matrix
from detectors.base import Detector, Snapshot, SnapshotError
from detectors.state import pack, unpack

FEATURES = ("a", "b", "c", "d", "e")

Make = Callable[[], Detector]
Check = Callable[[Make], None]

_BLOCK = 100


def check_detector(make: Make) -> None:
    """Run all checks."""
    for check in CHECKS:
        check(make)


def outlier_scores_higher(make: Make) -> None:
    """A row far outside of all that was learned scores above nearly all usual rows."""
    detector = _taught(make)
    usual = detector.score_many(_rows(50, 200))
    for side in (-12.0, 12.0):
        odd = detector.score_many(np.full((1, len(FEATURES)), side, np.float32))
        _require(odd[0] > np.quantile(usual, 0.95), "an obvious outlier scores higher")


def ranks_anomalies(make: Make) -> None:
    """Scored before they are learned, anomalies of an easy stream come out above other rows."""
    detector = make()
    rng = np.random.default_rng(60)
    X = _rows(61, 1200)
    odd = rng.random(len(X)) < 0.03
    X[odd] += rng.choice([-6.0, 6.0], size=(int(odd.sum()), len(FEATURES))).astype(np.float32)
    scores = np.concatenate([_score_then_learn(detector, block) for block in _blocks(X)])
    above = scores[300:][odd[300:], np.newaxis] > scores[300:][~odd[300:]]
    same = scores[300:][odd[300:], np.newaxis] == scores[300:][~odd[300:]]
    auc = float(above.mean() + 0.5 * same.mean())
    _require(auc > 0.8, f"anomalies rank above other rows (AUC {auc:.2f}, wanted 0.8)")


def scores_before_learning(make: Make) -> None:
    """A detector that learned nothing gives every row the same finite score."""
    detector = make()
    scores = detector.score_many(_rows(1, 20, missing=0.2))
    _require(scores.shape == (20,), "one score per row")
    _require(len(set(scores.tolist())) == 1, "all rows score alike before learning")
    _require(bool(np.isfinite(scores).all()), "scores are finite before learning")
    found = detector.explain_many(_rows(1, 20))
    _require(not found.values.any(), "nothing is explained before learning")


def scoring_changes_nothing(make: Make) -> None:
    """Neither scoring nor explaining changes the state."""
    detector = _taught(make)
    before = pack(detector.snapshot())
    detector.score_many(_rows(2, 50))
    detector.explain_many(_rows(3, 5))
    detector.score_one(dict.fromkeys(FEATURES, 1.0))
    _require(pack(detector.snapshot()) == before, "scoring leaves the state as it was")


def input_stays_the_callers(make: Make) -> None:
    """No method changes the array that it is given, nor keeps hold of it."""
    detector = make()
    X = _rows(4, 300, missing=0.1)
    before = X.copy()
    for block in _blocks(X):
        detector.score_many(block)
        detector.learn_many(block)
    detector.explain_many(X[:3])
    _require(np.array_equal(X, before, equal_nan=True), "the caller's rows are unchanged")
    state = pack(detector.snapshot())
    X[:] = 1e6
    _require(pack(detector.snapshot()) == state, "the state does not hold the caller's rows")


def snapshot_is_a_copy(make: Make) -> None:
    """A snapshot stays as it is while the detector learns on."""
    detector = _taught(make)
    snapshot = detector.snapshot()
    before = pack(snapshot)
    for block in _blocks(_rows(5, 600)):
        detector.learn_many(block)
    _require(pack(snapshot) == before, "a snapshot does not change afterwards")


def restore_mid_stream(make: Make) -> None:
    """A restored detector gives equal scores ever after, and equal snapshots."""
    one, other = make(), make()
    blocks = _blocks(_rows(6, 1500, missing=0.05))
    for i, block in enumerate(blocks):
        if i in (0, 1, 4, 9):
            other = make()
            other.restore(unpack(pack(one.snapshot())))
        same = one.score_many(block).tolist() == other.score_many(block).tolist()
        _require(same, f"a detector restored before block {i} scores the same")
        one.learn_many(block)
        other.learn_many(block)
    _require(pack(one.snapshot()) == pack(other.snapshot()), "snapshots of equal state are equal")


def restore_refuses_foreign_state(make: Make) -> None:
    """The snapshot of another kind, version, seed or parameters raises SnapshotError."""
    good = _taught(make).snapshot()
    wrong = [Snapshot({}, {}), Snapshot(good.meta, {})]
    wrong += [Snapshot({**good.meta, key: None}, good.arrays) for key in good.meta]
    for name in good.arrays:
        rest = {key: array for key, array in good.arrays.items() if key != name}
        wrong.append(Snapshot(good.meta, rest))
    for snapshot in wrong:
        try:
            make().restore(snapshot)
        except SnapshotError:
            continue
        raise AssertionError(
            f"a foreign snapshot raises SnapshotError: {dict(snapshot.meta)!r:.200}"
        )


def takes_missing_values(make: Make) -> None:
    """Missing values anywhere, also in whole rows and columns, give finite scores."""
    detector = make()
    X = _rows(7, 500, missing=0.3)
    X[::17] = np.nan
    X[:, 1] = np.nan
    for block in _blocks(X):
        scores = _score_then_learn(detector, block)
        _require(bool(np.isfinite(scores).all()), "rows with missing values score finitely")
    full = detector.score_many(_rows(8, 50))
    _require(bool(np.isfinite(full).all()), "values that were always missing score finitely")
    _require(bool(np.isfinite(detector.explain_many(X[:9]).values).all()), "and are explained so")


def takes_constant_features(make: Make) -> None:
    """Features that never change, and then do, are no problem."""
    detector = make()
    X = _rows(9, 500)
    X[:, 0], X[:, 1] = 0.0, 1e6
    for block in _blocks(X):
        _score_then_learn(detector, block)
    _require(bool(np.isfinite(detector.score_many(_rows(10, 50))).all()), "scores stay finite")
    alike = make()
    for _ in range(5):
        scores = _score_then_learn(alike, np.ones((_BLOCK, len(FEATURES)), np.float32))
        _require(bool(np.isfinite(scores).all()), "rows that are all alike score finitely")


def takes_large_values(make: Make) -> None:
    """The largest numbers that fit into the matrix do not break the scores."""
    detector = make()
    largest = float(np.finfo(np.float32).max)
    for block in _blocks(_rows(11, 300)):
        block[0], block[1] = largest, -largest
        scores = _score_then_learn(detector, block)
        _require(bool(np.isfinite(scores).all()), "huge values score finitely")


def same_seed_same_scores(make: Make) -> None:
    """Two detectors of the same parameters and seed that learn the same are the same."""
    one, other = make(), make()
    np.random.seed(1)  # to see that global randomness plays no part
    for i, block in enumerate(_blocks(_rows(12, 500))):
        one.learn_many(block)
        np.random.seed(i)
        other.learn_many(block)
    X = _rows(13, 100)
    _require(one.score_many(X).tolist() == other.score_many(X).tolist(), "state is reproducible")


def blocks_of_any_size(make: Make) -> None:
    """Blocks of no, one or many rows can be learned, whatever their layout in memory."""
    detector = make()
    X = _rows(14, 900)
    empty = pack(detector.snapshot())
    detector.learn_many(X[:0])
    _require(pack(detector.snapshot()) == empty, "an empty block changes nothing")
    _require(detector.score_many(X[:0]).shape == (0,), "no rows give no scores")
    start = 0
    for size in (1, 1, 2, 3, 1, 50, 7, 600):
        detector.learn_many(X[start : start + size])
        scores = detector.score_many(X)
        _require(bool(np.isfinite(scores).all()), f"scores are finite after a block of {size}")
        start += size
    _require(detector.explain_many(X[:0]).values.shape == (0, len(FEATURES)), "nor explanations")
    turned = np.asfortranarray(X)
    same = detector.score_many(turned).tolist() == detector.score_many(X).tolist()
    _require(same, "the layout in memory plays no part")


def rows_score_independently(make: Make) -> None:
    """The score of a row does not depend on the rows that are scored with it."""
    detector = _taught(make)
    X = _rows(15, 70, missing=0.1)
    alone = [float(detector.score_many(X[i : i + 1])[0]) for i in range(len(X))]
    _require(detector.score_many(X).tolist() == alone, "a row scores the same alone")


def memory_is_bounded(make: Make) -> None:
    """The state does not grow with the number of rows."""
    detector = make()
    sizes = []
    for block in _blocks(_rows(16, 6000)):
        detector.learn_many(block)
        snapshot = detector.snapshot()
        sizes.append(sum(array.nbytes for array in snapshot.arrays.values()) + len(pack(snapshot)))
    _require(sizes[-1] < 1.2 * sizes[len(sizes) // 2] + 20_000, f"memory is bounded: {sizes[::10]}")


def explains_each_feature(make: Make) -> None:
    """Attributions have a value per feature, add up where they say so, and find the culprit."""
    detector = _taught(make)
    X = _rows(17, 8)
    X[0] = 0.0
    X[0, 2] = 15.0
    found = detector.explain_many(X)
    _require(found.values.shape == X.shape, "one attribution per row and feature")
    _require(found.base.shape == (len(X),), "one base per row")
    _require(bool(np.isfinite(found.values).all()), "attributions are finite")
    _require(bool(found.method), "the method has a name")
    _require(int(found.values[0].argmax()) == 2, "the feature that is odd contributes most")
    if found.additive:
        gap = np.abs(found.base + found.values.sum(axis=1) - detector.score_many(X)).max()
        _require(float(gap) <= 1e-9, f"attributions add up to the score (gap {gap:.1e})")


def refuses_rows_of_another_width(make: Make) -> None:
    """A matrix with too few or too many columns raises ValueError."""
    narrow = _rows(18, 4)[:, :-1].copy()
    for detector in (make(), _taught(make)):
        for method in (detector.score_many, detector.learn_many, detector.explain_many):
            try:
                method(narrow)
            except ValueError:
                continue
            raise AssertionError("rows of another width raise ValueError")


def is_a_river_estimator(make: Make) -> None:
    """``score_one`` and ``learn_one`` do what the methods for matrices do, on dicts."""
    one, many = make(), make()
    X = _rows(19, 3 * one.block_of_ones * 20, missing=0.1)
    for row in X:
        one.learn_one(_event(row))
    for start in range(0, len(X), one.block_of_ones):
        many.learn_many(X[start : start + one.block_of_ones])
    Y = _rows(20, 20, missing=0.1)
    scores = many.score_many(Y).tolist()
    _require([one.score_one(_event(row)) for row in Y] == scores, "score_one equals score_many")
    turned = [one.score_one(dict(reversed(_event(row).items()))) for row in Y]
    _require(turned == scores, "the order of an event's keys plays no part")


def says_what_it_is(make: Make) -> None:
    """Kind, names, parameters and trees are what they were made with."""
    detector = make()
    _require(detector.feature_names == FEATURES, "it keeps its feature names")
    _require(isinstance(detector.params, type(detector).Params), "it keeps its parameters")
    _require(bool(type(detector).__doc__), "it says when it works, when not, and what it costs")
    trees = _taught(make).trees
    if trees is not None:
        _require(trees.leaves(_rows(21, 3)).shape == (3, len(trees)), "its trees take its rows")


CHECKS: tuple[Check, ...] = (
    outlier_scores_higher,
    ranks_anomalies,
    scores_before_learning,
    scoring_changes_nothing,
    input_stays_the_callers,
    snapshot_is_a_copy,
    restore_mid_stream,
    restore_refuses_foreign_state,
    takes_missing_values,
    takes_constant_features,
    takes_large_values,
    same_seed_same_scores,
    blocks_of_any_size,
    rows_score_independently,
    memory_is_bounded,
    explains_each_feature,
    refuses_rows_of_another_width,
    is_a_river_estimator,
    says_what_it_is,
)


def _require(condition: bool, promise: str) -> None:
    if not condition:
        raise AssertionError(f"broken: {promise}")


def _rows(seed: int, count: int, missing: float = 0.0) -> Matrix:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(count, len(FEATURES))).astype(np.float32)
    X[:, 1] = 0.5 * X[:, 0] + X[:, 1]
    X[rng.random(X.shape) < missing] = np.nan
    return X


def _blocks(X: Matrix) -> list[Matrix]:
    return [X[start : start + _BLOCK] for start in range(0, len(X), _BLOCK)]


def _taught(make: Make) -> Detector:
    detector = make()
    for block in _blocks(_rows(0, 600)):
        detector.learn_many(block)
    return detector


def _score_then_learn(detector: Detector, block: Matrix) -> npt.NDArray[np.float64]:
    scores = detector.score_many(block)
    detector.learn_many(block)
    return scores


def _event(row: npt.NDArray[np.float32]) -> dict[str, float]:
    return {name: float(value) for name, value in zip(FEATURES, row, strict=True) if value == value}
