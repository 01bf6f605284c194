"""The headline: card payments, 100 cards a day, truth that comes after seven days.

The protocol of *Reproducible Machine Learning for Credit Card Fraud Detection*: 100 cards are
checked on each day of a week; the next week is judged by the share of fraud among the 100 cards
that rank highest each day (card precision@100). Cards whose fraud is known by then are left out:
those with fraud at least seven days old, and those that the ranking itself found.

``supervised``: gradient boosting on the same columns, on all labels of the seven days whose truth
is known when each of the two weeks begins.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.loop.card_world import DAY_S, Payments, simulate
from detectors.base import Matrix, Vector
from detectors.features.feature_set import FeatureSet
from streaming.config.load import load
from streaming.config.model import StreamConfig
from streaming.decode import Decoder
from streaming.known import truths_of
from streaming.pipeline import PartitionPipeline
from streaming.records import Record
from triage.model import Candidate, Label

CONFIG = Path(__file__).parent / "cards.yaml"
LOOKS, TEST, END = 122, 129, 136  # first day of the week of looks, of the test week, day after it
HISTORY = 34  # days before the looks from which on a quick run reads: the longest window fills
DELAY = 7  # days until a truth is known
CARDS = 100  # looked at per day
ROUNDS = 4  # per day, in which truth arrives
MIDNIGHT = 1_699_920_000  # seconds since 1970, of day 0
KEPT = (DELAY + 31) * DAY_S  # seconds; older truths are in no window


@dataclass(slots=True)
class World:
    """A seed's payments from ``first`` on, as the stream has them."""

    payments: Payments
    first: int
    records: Sequence[Record] = field(init=False)
    is_fraud: npt.NDArray[np.bool_] = field(init=False)
    frauds: Sequence[Label] = field(init=False)

    def __post_init__(self) -> None:
        p = self.payments
        rows = zip(
            p.time.tolist(), p.card.tolist(), p.terminal.tolist(), p.amount.tolist(), strict=True
        )
        self.records = [
            Record(
                "cards",
                0,
                i,
                None,
                b'{"time":%d,"card":"C%d","terminal":"T%d","amount":%.2f}'
                % (MIDNIGHT + time, card, terminal, amount),
                0,
            )
            for i, (time, card, terminal, amount) in enumerate(rows)
        ]
        self.is_fraud = p.kind > 0
        self.frauds = [self.truth(i) for i in np.flatnonzero(self.is_fraud).tolist()]

    def name(self, i: int) -> str:
        """Return what labels call a payment."""
        return f"payment {i}"

    def truth(self, i: int) -> Label:
        """Return the truth about a payment that need not be a candidate."""
        p = self.payments
        return Label(
            candidate_id=self.name(i),
            verdict_id="",
            y=float(self.is_fraud[i]),
            weight=1.0,
            vector=b"",
            features_version="",
            event_time=MIDNIGHT + float(p.time[i]),
            entities={"card": f"C{p.card[i]}", "terminal": f"T{p.terminal[i]}"},
        )

    def known(self, second: int) -> Sequence[Label]:
        """Return the frauds whose truth is known, as far as a window reaches."""
        times = self.payments.time[self.is_fraud]
        start, stop = np.searchsorted(times, [second - KEPT, second - DELAY * DAY_S], "right")
        return self.frauds[int(start) : int(stop)]

    def rounds(self) -> Sequence[tuple[int, int, slice]]:
        """Return day, second and payments of each round."""
        starts = np.arange(self.first * ROUNDS, END * ROUNDS + 1) * (DAY_S // ROUNDS)
        places = np.searchsorted(self.payments.time, starts).tolist()
        return [
            (second // DAY_S, second, slice(a, b))
            for second, a, b in zip(starts.tolist(), places, places[1:], strict=False)
        ]


@dataclass(frozen=True, slots=True)
class Result:
    """Card precision@100 in the test week; real ones among the looks of the week before."""

    precision: float
    found_by_looks: int
    perfect: float


@dataclass(frozen=True, slots=True)
class Seeded:
    """What all arms came to in the world of one seed, and how much of it is fraud."""

    seed: int
    payments: int
    fraud: float
    results: Mapping[str, Result]


def run_all(seed: int, *, whole: bool) -> Seeded:
    """Run every arm in a world."""
    world = make_world(seed, whole=whole)
    results = {name: run(world, seed) for name, run in ARMS.items()}
    return Seeded(seed, len(world.records), float(world.is_fraud.mean()), results)


def make_world(seed: int, *, whole: bool) -> World:
    """Return a world, ``whole`` from its first day on."""
    first = 0 if whole else LOOKS - HISTORY
    return World(simulate(seed).days(first, END), first)


def run_stream(
    world: World, seed: int, *, feedback: bool, late_truth: bool, statement: int = 0
) -> Result:
    """Run the product's pipeline.

    Args:
        world: the payments.
        seed: of the detector.
        feedback: verdicts of looks teach, and count in the terminals' records.
        late_truth: each fraud counts in its terminal's record after seven days; with ``feedback``
            that of a candidate teaches as well.
        statement: days of the card's payments that a look goes through with its holder; those that
            were fraud and no candidates are reported, which counts in records. 0: none.
    """
    config = load(CONFIG)
    pipeline = PartitionPipeline(config.model_copy(update={"seed": seed}), 0, "cards")
    vectors: dict[str, Candidate] = {}
    margins = np.empty(len(world.records))
    verdicts: list[Label] = []
    today: list[Candidate] = []
    found: set[str] = set()
    for i, (day, second, part) in enumerate(world.rounds()):
        truths = [
            _of_candidate(one, vectors.get(one.candidate_id) if feedback else None)
            for one in (world.known(second) if late_truth else ())
        ]
        if truths:
            pipeline.apply_labels([*truths, *verdicts], i)
        outcome = pipeline.process(world.records[part])
        margins[part] = outcome.margins
        vectors |= {world.name(one.offset): one for one in outcome.candidates}
        today = [*(today if i % ROUNDS else []), *outcome.candidates]
        if i % ROUNDS == ROUNDS - 1 and LOOKS <= day < TEST:
            for one in _top_cards(pipeline, today, found):
                verdicts += _verdict(world, one, statement, vectors)
                found |= {one.entity} if world.is_fraud[one.offset] else set()
            if feedback:
                pipeline.apply_labels([*truths, *verdicts], i)
            else:
                verdicts = []
    return _judge(world, margins, found)


def _top_cards(
    pipeline: PartitionPipeline, candidates: Sequence[Candidate], found: Collection[str]
) -> Sequence[Candidate]:
    """Return the strongest candidate of each of the day's 100 strongest cards."""
    posteriors = pipeline.posteriors([one.vector for one in candidates])
    order = np.argsort(-posteriors, kind="stable").tolist()
    best: dict[str, Candidate] = {}
    for i in order:
        if candidates[i].entity not in found:
            best.setdefault(candidates[i].entity, candidates[i])
    return list(best.values())[:CARDS]


def _verdict(
    world: World, one: Candidate, statement: int, candidates: Collection[str]
) -> Sequence[Label]:
    labels = [_of_candidate(world.truth(one.offset), one)]
    if statement:
        p = world.payments
        now = p.time[one.offset]
        first = int(np.searchsorted(p.time, now - statement * DAY_S))
        own = first + np.flatnonzero(p.card[first : one.offset] == p.card[one.offset])
        fraud = own[world.is_fraud[own]].tolist()
        labels += [world.truth(i) for i in fraud if world.name(i) not in candidates]
    return labels


def _of_candidate(truth: Label, one: Candidate | None) -> Label:
    """Return the truth as one about a candidate's vector, if it was one."""
    if one is None:
        return truth
    return replace(truth, vector=one.vector, features_version=one.features_version)


def run_supervised(world: World, seed: int, days: int = 7) -> Result:
    """Run gradient boosting, trained before each of the two weeks on the last ``days`` known."""
    X, p = columns(load(CONFIG), world), world.payments
    scores, found = np.full(len(p), -np.inf), set[str]()
    for start, end in ((LOOKS, TEST), (TEST, END)):
        train = (p.day >= start - DELAY - days) & (p.day < start - DELAY)
        model = HistGradientBoostingClassifier(random_state=seed)
        model.fit(X[train], world.is_fraud[train])
        week = (p.day >= start) & (p.day < end)
        scores[week] = model.decision_function(X[week])
    for day in range(LOOKS, TEST):
        ranked = _ranked(world, scores, day, found)
        found |= {card for card, i in list(ranked.items())[:CARDS] if world.is_fraud[i]}
    return _judge(world, scores, found)


def columns(config: StreamConfig, world: World) -> Matrix:
    """Return the stream's columns of all payments, records by late truth."""
    decoder, features = Decoder(config.fields), FeatureSet(config.features)
    parts = []
    for _, second, part in world.rounds():
        features.set_truths(truths_of(world.known(second)))
        read = decoder.columns(decoder.decode(world.records[part]).events)
        parts.append(features.extract(read, np.asarray(read["time"], np.float64)))
    return np.vstack(parts)


def _judge(world: World, scores: Vector, found: Collection[str]) -> Result:
    p, hits, possible = world.payments, 0, 0
    for day in range(TEST, END):
        old = world.is_fraud & (p.day >= LOOKS - DELAY) & (p.day < day - DELAY)
        left_out = {f"C{card}" for card in p.card[old].tolist()} | set(found)
        real = {f"C{card}" for card in p.card[world.is_fraud & (p.day == day)].tolist()}
        top = list(_ranked(world, scores, day, left_out))[:CARDS]
        hits += len(real.intersection(top))
        possible += min(CARDS, len(real - left_out))
    looked = (END - TEST) * CARDS
    return Result(hits / looked, len(found), possible / looked)


def _ranked(world: World, scores: Vector, day: int, left_out: Collection[str]) -> Mapping[str, int]:
    """Return the day's cards by their strongest payment, strongest first, with that payment."""
    start, stop = np.searchsorted(world.payments.day, [day, day + 1]).tolist()
    order = start + np.argsort(-scores[start:stop], kind="stable")
    ranked: dict[str, int] = {}
    for i in order.tolist():
        card = f"C{world.payments.card[i]}"
        if card not in left_out:
            ranked.setdefault(card, i)
    return ranked


ARMS: Mapping[str, Callable[[World, int], Result]] = {
    "supervised": run_supervised,
    "late truth, feedback": functools.partial(run_stream, feedback=True, late_truth=True),
    "late truth, no feedback": functools.partial(run_stream, feedback=False, late_truth=True),
    "no feedback": functools.partial(run_stream, feedback=False, late_truth=False),
    "verdicts only": functools.partial(run_stream, feedback=True, late_truth=False),
    "verdicts and missed payments": functools.partial(
        run_stream, feedback=True, late_truth=False, statement=7
    ),
}
