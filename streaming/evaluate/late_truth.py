"""Truth that comes by itself, some time after the event: a chargeback, a closed case."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np

from streaming.config.model import StreamConfig
from streaming.decode import Decoder
from streaming.evaluate.span import Moment, Span
from streaming.evaluate.truth import UNKNOWN
from streaming.records import Record
from triage.model import Candidate, Label


class LateTruth:
    """Reveals the truth of each event a fixed time after it happened.

    Of candidates both answers are told. Of the other events only real anomalies are, as a
    chargeback would: nobody reports what was fine.

    Args:
        config: of the stream.
        delay: from an event to its truth.
        teaches: candidates' truths are labels of their vectors too; else they only count in the
            records of their entities.
    """

    def __init__(self, config: StreamConfig, delay: Span, *, teaches: bool) -> None:
        self._decoder = Decoder(config.fields)
        self._time = config.time
        self._entities = config.entity_fields()
        self._delay = delay
        self._teaches = teaches
        self._coming: list[tuple[float, int, Label]] = []
        self._count = 0

    def note(
        self,
        candidates: Sequence[Candidate],
        truths: Sequence[int],
        missed: Sequence[Record],
        place: int,
    ) -> None:
        """Note events of which the truth will be known.

        Args:
            candidates: among the events.
            truths: of the candidates.
            missed: real anomalies among the accepted events that became no candidates.
            place: number of events so far, these included.
        """
        for candidate, truth in zip(candidates, truths, strict=True):
            if truth != UNKNOWN:
                self._add(_of_candidate(candidate, truth, teaches=self._teaches), place)
        for label in self._of_events(missed):
            self._add(label, place)

    def due(self, now: Moment) -> Sequence[Label]:
        """Return what became known since the last call."""
        labels = []
        while self._coming and self._delay.reached(self._coming[0][0], now):
            labels.append(heapq.heappop(self._coming)[2])
        return labels

    def _add(self, label: Label, place: int) -> None:
        due = self._delay.after(Moment(place, label.event_time))
        heapq.heappush(self._coming, (due, self._count, label))
        self._count += 1

    def _of_events(self, records: Sequence[Record]) -> Sequence[Label]:
        decoded = self._decoder.decode(records)
        if not decoded.events:
            return []
        columns = self._decoder.columns(decoded.events)
        arrived = [record.timestamp_ms / 1000 for record in decoded.records]
        times = np.asarray(columns[self._time] if self._time else arrived, np.float64).tolist()
        return [
            Label(
                candidate_id=f"{record.partition}/{record.offset}",
                verdict_id="",
                y=1.0,
                weight=1.0,
                vector=b"",
                features_version="",
                event_time=times[i],
                entities={
                    name: str(value)
                    for name in self._entities
                    if (value := columns[name][i]) is not None
                },
            )
            for i, record in enumerate(decoded.records)
        ]


def _of_candidate(candidate: Candidate, truth: int, *, teaches: bool) -> Label:
    return Label(
        candidate_id=candidate.candidate_id,
        verdict_id="",
        y=float(truth),
        weight=1.0,
        vector=candidate.vector if teaches else b"",
        features_version=candidate.features_version if teaches else "",
        event_time=candidate.event_time,
        entities=candidate.entities,
    )
