"""Is a ranking ever worse with feedback than without? And are its probabilities true?

``make bench-learning``. The labelled streams of the data folder * and three generated ones that
drift, in order (sets without an order are shuffled by the seed), at most 200,000 of each. The
product's ``StreamModel`` with its defaults scores and learns blocks of 1,024 (shorter ones where
the file is short); after each block one or three looks (one, where blocks are short) take the
likeliest candidates, one item each, and the truth answers at once. Mean over five seeds, each with
a forest of its own; the interval is Student's, of the paired differences to the same run without
feedback. Average precision and AUC are of scores given before learning from the event, over all
items. A figure counts as worse if the whole interval of the difference lies below 0: by chance one
in forty does. ``--half-life 5000`` lets labels age, by so many events. ``--detector``, given more
than once, takes an ensemble of these kinds instead of the isolation forest.

The reliability tables take all streams together, with three looks per 1,024 events: the
probabilities given to the items that nobody asked about, without and with feedback, and those that
whoever takes a look sees, right before the answer. The last line is one line of JSON.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.intervals import half_interval
from benchmarks.side_by_side import side_by_side
from detectors.base import Matrix, Vector
from detectors.learning.label_model import Labels
from detectors.learning.laplace import sigmoid
from detectors.learning_settings import LearningSettings
from detectors.model import StreamModel
from detectors.registry import DetectorSpec, build, kind_names
from streaming.evaluate.measures import average_precision, roc_auc
from streaming.evaluate.table import LabelledTable, read_labelled
from triage.shares import Purpose, Shares

BLOCK = 1024
BUDGET = 0.01  # of the events may become candidates
EVENTS = 200_000  # the whole of all streams but two
SEEDS = 5
LOOKS = (1, 3)
OPEN = 3_000  # candidates that wait at most
EDGES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
DATA = Path(os.environ.get("TRIAGE_DATA") or Path(__file__).parents[1] / "../shared/data").resolve()
ORDERED = (
    "kdd99_stream",
    "aws_cloudtrail_stratus",
    "aws_registration_20k",
    "aws_transactions_cold",
    "asd_12servers",
)
UNORDERED = (
    "adb_cover",
    "adb_http",
    "adb_smtp",
    "adx_abalone",
    "adx_ann_thyroid_1v3",
    "adx_cardiotocography_1",
    "adx_covtype_sub",
    "adx_kddcup_sub",
    "adx_mammography",
    "adx_yeast",
)
FIGURES = ("found", "ap", "auc")

Truth = npt.NDArray[np.bool_]
Stream = Callable[[int, int], tuple[Matrix, Truth]]
"""Takes a number of events and a seed."""

Means = dict[int, tuple[Vector, Vector, Vector]]
"""Number of looks -> ``FIGURES`` without and with feedback, and half the interval between them."""

FOREST = ("isolation_forest",)
GREEDY = Shares(audit=0.0, uncertain=0.0)
"""Every look goes to the likeliest."""

Judged = dict[str, list[tuple[Vector, Truth]]]
"""Margins and truth by ``CURVES``."""

CURVES = ("never asked, without", "never asked, with", "at the look, with")


@dataclass(frozen=True, slots=True)
class Run:
    """What one replay came to. ``margins`` and ``unasked`` are per item.

    ``asked``: items in the order of the looks. ``seen``: the margin that each look saw.
    """

    found: int
    margins: Vector
    unasked: Truth
    asked: Sequence[int]
    seen: Sequence[float]


def replay(
    X: Matrix,
    truth: Truth,
    looks: int,
    seed: int,
    *,
    feedback: bool,
    half_life: int = 0,
    shares: Shares = GREEDY,
    latest: bool = False,
    kinds: Sequence[str] = FOREST,
) -> Run:
    """Score, learn and look, block by block; events come a second apart.

    Args:
        X, truth: the events. ``seed``: of the forest.
        looks: per 1,024 events, one item each, out of all candidates that wait.
        feedback: learn from the answers.
        half_life: events after which a label counts half; 0: labels don't age.
        shares: which looks go to the most uncertain candidate instead of the likeliest; the part
            of audits goes to the likeliest, as on a board where nothing is closed unread.
        latest: look among the candidates of the last block only, and never at older ones.
        kinds: of the detectors, with their defaults.
    """
    names = [str(column) for column in range(X.shape[1])]
    block = min(BLOCK, max(64, len(X) // 20))
    settings = LearningSettings(
        block=block,
        warm_up=block,
        alert_budget=BUDGET,
        label_half_life=f"{half_life}s" if half_life else None,
    )
    detector = build([DetectorSpec(kind) for kind in kinds], names, seed)
    model = StreamModel(detector, settings, seed)
    margins, unasked = np.zeros(len(X)), np.ones(len(X), np.bool_)
    waiting: list[int] = []
    asked: list[int] = []
    seen: list[float] = []
    for start in range(0, len(X), block):
        rows = X[start : start + block]
        scored = model.admit(model.score(rows), np.arange(start, start + len(rows), dtype=float))
        margins[start : start + block] = scored.margin
        if len(rows) == block:
            model.learn(rows, scored.z, scored.margin)
        older = [] if latest else waiting
        waiting = [*older, *(start + np.flatnonzero(scored.alert)).tolist()][-OPEN:]
        for _ in range(min(max(1, round(looks * len(rows) / BLOCK)), len(waiting))):
            purpose = shares.purpose(len(asked))
            now = model.margins(X[waiting])
            place = place_of_next(now, purpose)
            seen.append(float(now[place]))
            asked.append(waiting.pop(place))
            if feedback:
                told = truth[asked].astype(np.float64)
                ids = [str(one) for one in asked]
                times = np.array(asked, np.float64)
                model.set_labels(Labels(ids, X[asked], told, np.ones(len(ids)), times), len(ids))
    unasked[asked] = False
    return Run(int(truth[asked].sum()), margins, unasked, asked, seen)


def place_of_next(margins: Vector, purpose: Purpose) -> int:
    """Return which of the candidates with these margins a look for this purpose goes to."""
    return int(np.argmax(-np.abs(margins) if purpose is Purpose.UNCERTAIN else margins))


def figures(run: Run, truth: Truth) -> tuple[float, ...]:
    """Return ``FIGURES`` of a run."""
    ap, auc = average_precision(run.margins, truth), roc_auc(run.margins, truth)
    return float(run.found), ap or 0.0, auc or 0.5


def drifting(number: int, events: int, seed: int) -> tuple[Matrix, Truth]:
    """Return four behaviours that wander, with a leap half-way; another world per number and seed.

    1 % harmless outliers with heavy tails, 0.5 % anomalies of two to four features far out.
    """
    rng = np.random.default_rng([number, seed])
    features, kinds = 10, 4
    centre = rng.normal(scale=3, size=(kinds, features))
    which = rng.choice(kinds, size=events, p=[0.4, 0.3, 0.2, 0.1])
    phase, pace = rng.uniform(0, 6.28, (kinds, features)), rng.uniform(3, 9, (kinds, features))
    age = np.linspace(0, 1, events)[:, np.newaxis]
    spread = np.exp(rng.normal(scale=0.3, size=(kinds, features)))[which]
    X = centre[which] + 2.0 * np.sin(phase[which] + pace[which] * age)
    X += rng.normal(size=X.shape) * spread
    X[events // 2 :] += rng.normal(size=features)
    harmless = rng.random(events) < 0.01
    X[harmless] += rng.standard_t(2, size=(int(harmless.sum()), features))
    truth = rng.random(events) < 0.005
    for row in np.flatnonzero(truth):
        far = rng.choice(features, size=rng.integers(2, 5), replace=False)
        X[row, far] += rng.choice([-1, 1], size=len(far)) * rng.uniform(3, 6, size=len(far))
    return X.astype(np.float32), truth


def of_file(path: Path, *, shuffled: bool) -> Stream:
    """Return the labelled rows of a file."""
    return functools.partial(_rows, path, shuffled)


def _rows(path: Path, shuffled: bool, events: int, seed: int) -> tuple[Matrix, Truth]:
    table = _table(path)
    known = np.flatnonzero(table.truth >= 0)
    order = np.random.default_rng(seed).permutation(known) if shuffled else known
    return np.ascontiguousarray(table.X[order[:events]]), table.truth[order[:events]] == 1


@functools.lru_cache(maxsize=1)
def _table(path: Path) -> LabelledTable:
    return read_labelled(path, "label")


def streams() -> Iterator[tuple[str, Stream]]:
    """Yield all streams by name; what the data folder lacks is left out with a line."""
    for number in range(3):
        yield f"drift_{number}", functools.partial(drifting, number)
    for name in (*ORDERED, *UNORDERED):
        path = DATA / f"{name}.parquet"
        if path.is_file():
            yield name, of_file(path, shuffled=name in UNORDERED)
        else:
            print(f"  {name}: not in the data folder (TRIAGE_DATA), skipped")


@dataclass(frozen=True, slots=True)
class Setup:
    """What all replays of a run of the command have in common."""

    events: int = EVENTS
    seeds: int = SEEDS
    half_life: int = 0
    kinds: Sequence[str] = FOREST

    def pair(self, stream: Stream, looks: int, seed: int) -> tuple[Truth, tuple[Run, Run]]:
        """Return the truth of a stream, and the runs without and with feedback."""
        X, truth = stream(self.events, seed)
        without, with_ = (
            replay(X, truth, looks, seed, feedback=on, half_life=self.half_life, kinds=self.kinds)
            for on in (False, True)
        )
        return truth, (without, with_)


def compare(stream: Stream, setup: Setup, reliability: Judged, pool: Executor) -> Means:
    """Return per number of looks the means without and with feedback, and the interval."""
    found: Means = {}
    seeds = range(setup.seeds)
    for looks in LOOKS:
        rows = []
        for truth, runs in pool.map(functools.partial(setup.pair, stream, looks), seeds):
            rows.append([figures(run, truth) for run in runs])
            if looks == LOOKS[-1]:
                for key, judged in zip(CURVES, _judged(truth, *runs), strict=True):
                    reliability[key].append(judged)
        table = np.array(rows)  # seeds x (without, with) x figures
        change = table[:, 1] - table[:, 0]
        found[looks] = (table[:, 0].mean(axis=0), table[:, 1].mean(axis=0), half_interval(change))
    return found


def _judged(truth: Truth, without: Run, with_: Run) -> Sequence[tuple[Vector, Truth]]:
    """Return the margins and the truth of each of ``CURVES``."""
    return (
        (without.margins[without.unasked], truth[without.unasked]),
        (with_.margins[with_.unasked], truth[with_.unasked]),
        (np.array(with_.seen), truth[with_.asked]),
    )


def curve(parts: Sequence[tuple[Vector, Truth]]) -> list[tuple[float, float, int]]:
    """Return mean probability, share of anomalies and items per bin of ``EDGES``."""
    p = sigmoid(np.concatenate([margins for margins, _ in parts]))
    truth = np.concatenate([truth for _, truth in parts])
    bins = np.clip(np.digitize(p, EDGES) - 1, 0, len(EDGES) - 2)
    return [
        (round(float(p[bins == b].mean()), 4), round(float(truth[bins == b].mean()), 4), int(n))
        for b in range(len(EDGES) - 1)
        if (n := np.count_nonzero(bins == b))
    ]


def compare_all(setup: Setup, only: str = "") -> Mapping[str, object]:
    """Compare on all streams whose name contains ``only``; print a line each, return figures."""
    with side_by_side() as pool:
        return _compare_all(setup, only, pool)


def _compare_all(setup: Setup, only: str, pool: Executor) -> Mapping[str, object]:
    reliability: Judged = {key: [] for key in CURVES}
    result: dict[str, object] = {}
    worse: list[str] = []
    compared = 0
    print(f"{setup.events:,} events, {setup.seeds} seeds, {' and '.join(setup.kinds)}")
    print("without -> with feedback (half interval)")
    for name, stream in streams():
        if only not in name:
            continue
        for looks, found in compare(stream, setup, reliability, pool).items():
            each = list(zip(FIGURES, *found, strict=True))
            cells = [f"{figure} {a:.3f} -> {b:.3f} ({half:.3f})" for figure, a, b, half in each]
            bad = [figure for figure, a, b, half in each if b - a + half < 0]
            worse += [f"{name}/{looks}/{figure}" for figure in bad]
            compared += len(each)
            print(f"  {name:24} {looks}  {'   '.join(cells)}   {' '.join(bad)}", flush=True)
            result[f"{name}_{looks}"] = {
                figure: [None if np.isnan(one) else round(float(one), 4) for one in (a, b, half)]
                for figure, a, b, half in each
            }
    curves = {key: curve(parts) for key, parts in reliability.items() if parts}
    for key, points in curves.items():
        print(f"reliability, {key} feedback: probability said -> share real (items)")
        print("  " + "  ".join(f"{p:.3f} -> {share:.3f} ({n})" for p, share, n in points))
    return {"streams": result, "compared": compared, "worse": worse, "reliability": curves}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--only", default="", help="streams whose name contains this")
    parser.add_argument("--half-life", type=int, default=0, help="of labels, in events; 0: none")
    parser.add_argument("--detector", action="append", choices=kind_names())
    given = parser.parse_args(arguments)
    kinds = tuple(given.detector or FOREST)
    try:
        build([DetectorSpec(kind) for kind in kinds], ["any"], seed=0)
    except ValueError as error:  # a kind that has no defaults
        parser.error(f"--detector: {error}")
    setup = Setup(given.events, given.seeds, given.half_life, kinds)
    print(json.dumps(compare_all(setup, given.only)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
