"""Feeds examples to the product's own pipeline and compares what comes of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from detectors.features.registry import build
from streaming.config.model import StreamConfig
from streaming.config.problems import hint, shown
from streaming.decode import Decoder
from streaming.examples.load import Example, Examples, Expected
from streaming.grouper import Groups
from streaming.pipeline import Outcome, PartitionPipeline
from streaming.records import Record
from streaming.sources.base import SourceRow
from streaming.sources.registry import open_source
from triage.model import Candidate

CHUNK = 2_000  # rows read at a time
TOPIC_ID = "examples"
MS_PER_RECORD = 5  # between arrivals, where events carry no time: 200 a second
DECIMALS = 0.005  # how far a feature may be from the number expected, and
RELATIVE = 0.001  # the share of it, whichever is larger


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one example: ``problems`` is empty if it was as expected."""

    name: str
    place: str
    problems: tuple[str, ...]


def run_examples(
    config: StreamConfig, examples: Examples, progress: Callable[[int], None] = lambda events: None
) -> Iterator[Result]:
    """Yield the result of each example, in order.

    All records go through the detector of one partition, as if the topic had one. Each example
    starts from the detector as the history left it; none sees another's records. ``progress`` is
    told the number of events of the history that were learned. Raises SourceInvalid if the history
    can't be read.
    """
    trial = _Trial(config, examples, progress)
    for number, example in enumerate(examples.examples):
        problems = tuple(trial.problems_of(number, example))
        yield Result(example.name, examples.place(number), problems)


class _Trial:
    def __init__(
        self, config: StreamConfig, examples: Examples, progress: Callable[[int], None]
    ) -> None:
        self._config = config
        self._examples = examples
        features = [build(params) for params in config.features]
        self._features = {name: feature for feature in features for name in feature.names}
        self._columns = list(self._features)
        self._offset = 0
        pipeline = PartitionPipeline(config, 0, TOPIC_ID)
        self._learn_history(pipeline, progress)
        self._learned = pipeline.snapshot()

    def problems_of(self, number: int, example: Example) -> Iterator[str]:
        """Feed the example's records to the detector as it was after the history; compare."""
        pipeline = PartitionPipeline(self._config, 0, TOPIC_ID)
        pipeline.restore(self._learned)
        records = [
            self._record(SourceRow(None, value), self._offset + i)
            for i, value in enumerate(example.records)
        ]
        candidates = pipeline.process(records[:-1]).candidates
        cold, threshold = pipeline.warm_up_left, pipeline.threshold
        last = pipeline.process(records[-1:])
        place = partial(self._examples.place, number, "expect")
        expect = example.expect
        wished = expect.dead_letter or ("duplicate" if expect.duplicate else "accepted")
        fate = _fate(last)
        if fate != wished:
            why = f" ({last.bad[0].message})" if last.bad else ""
            yield f"{place()}: expected the record to be {wished}, is {fate}{why}"
        elif fate == "accepted":
            for name, value in expect.features.items():
                if message := self._feature(last, name, value):
                    yield f"{place('features', name)}: {message}"
            if expect.candidate is not None or expect.title is not None:
                key = "title" if expect.candidate is None else "candidate"
                if cold:
                    message = f"can't be told: warm_up takes {cold:,} more events of history"
                    yield f"{place(key)}: {message}"
                elif message := _alert(last, threshold, wanted=expect.candidate is not False):
                    yield f"{place(key)}: {message}"
                elif expect.title and expect.title not in (
                    title := self._title([*candidates, *last.candidates])
                ):
                    yield f'{place("title")}: "{expect.title}" is not in the title "{title}"'

    def _learn_history(self, pipeline: PartitionPipeline, progress: Callable[[int], None]) -> None:
        if (history := self._examples.history) is None:
            return
        source = open_source(history.source, self._config)
        done = False
        while not done and self._offset < history.events:
            chunk = source.read(self._offset, min(CHUNK, history.events - self._offset))
            pipeline.process(
                [self._record(row, self._offset + i) for i, row in enumerate(chunk.rows)]
            )
            self._offset, done = chunk.position, chunk.done
            progress(self._offset)
        source.close()

    def _record(self, row: SourceRow, offset: int) -> Record:
        topic = self._config.source.topic
        return Record(topic, 0, offset, row.key, row.value, offset * MS_PER_RECORD)

    def _feature(self, last: Outcome, name: str, wanted: Expected) -> str:
        """Return what is wrong with a column of the last record, "" if nothing is."""
        if name not in self._features:
            return f"makes no such column{hint(name, self._columns, 'columns')}"
        feature = self._features[name]
        row = last.X[0].tolist()
        values = [row[self._columns.index(own)] for own in feature.names]
        value = row[self._columns.index(name)]
        decoder = Decoder(self._config.fields)
        text = feature.show(values, decoder.fields(decoder.decode(last.accepted).events[0]))
        if wanted is None:
            right = math.isnan(value)
        elif isinstance(wanted, str):
            right = wanted == text
        elif isinstance(wanted, tuple):
            right = wanted[0] <= value <= wanted[1]
        else:
            right = math.isclose(value, wanted, rel_tol=RELATIVE, abs_tol=DECIMALS)
        found = "missing" if math.isnan(value) else f"{value:.6g}"
        return "" if right else f'expected {_wanted(wanted)}, is {found} ("{text}" on the board)'

    def _title(self, candidates: Sequence[Candidate]) -> str:
        """Return the title of the cluster that the last record's candidate is in."""
        last = candidates[-1].candidate_id
        updates = Groups(self._config).add(candidates)
        return next(one.title for one in updates if last in one.members)


def _fate(last: Outcome) -> str:
    """Return what became of the record: ``accepted``, ``duplicate``, or why it is a dead letter."""
    if last.bad:
        return last.bad[0].code
    return "duplicate" if last.counters.duplicates else "accepted"


def _alert(last: Outcome, threshold: float, *, wanted: bool) -> str:
    """Return what is wrong with whether the record is a candidate, "" if nothing is."""
    if bool(last.candidates) == wanted:
        return ""
    margin = last.margins[0]
    if wanted:
        return f"is no candidate: its margin {margin:.2f} is below the threshold {threshold:.2f}"
    why = last.candidates[0].reasons[0]
    return (
        f"is a candidate: its margin {margin:.2f} reaches the threshold {threshold:.2f}, mostly "
        f"for {why.label}: {why.text}"
    )


def _wanted(wanted: Expected) -> str:
    if wanted is None:
        return "it to be missing"
    return f"{wanted[0]:g} to {wanted[1]:g}" if isinstance(wanted, tuple) else shown(wanted)
