"""A partition turns to another roll-out: from which state each version goes on."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from detectors.base import SnapshotError
from streaming.config.model import StreamConfig
from streaming.errors import Stop
from streaming.past import Past
from streaming.pipeline import Outcome, PartitionPipeline
from streaming.records import Position
from streaming.track import Track, VersionFailed, hash_of
from triage.model import Candidate, Counters, JournalEntry
from triage.rollout import Rollout
from triage.store.base import RetainedState

BACK_RECORDS = 500_000  # that a version learns which comes back; about half a minute


@dataclass(frozen=True, slots=True)
class Turned:
    """What a turn leaves behind.

    Attributes:
        retained: the state of the version that was replaced, where the new one's is another.
        late: what a version that came back finds in the records since it was replaced, as far as
            the one in between had not found it.
    """

    retained: RetainedState | None = None
    late: Outcome | None = None


def records_to_warm(config: StreamConfig) -> int:
    """Return how many records make a detector warm, and its threshold settle."""
    return 2 * (config.learning.warm_up + config.learning.threshold_window)


def new_track(past: Past, rollout: Rollout) -> Track:
    """Return a track of pipelines that have seen nothing."""
    live = _empty(past, past.book.config(rollout.version))
    tried = _empty(past, past.book.config(rollout.beside)) if rollout.beside else None
    return Track(live, rollout, tried)


def plan(track: Track, rollout: Rollout, offset: Position, past: Past) -> JournalEntry:
    """Return the journal entry by which the track turns to the roll-out at ``offset``.

    A version goes on with the state that there is where it can: as the version in force, as the one
    that was tried, or as one whose state is the same. Else it learns from the log: what came since
    it was replaced, if its state was retained; or as much as a detector needs to be warm.
    """
    live = past.book.config(rollout.version)
    since: Position | None = None
    base: Position | None = None
    if _goes_on(track, live) is None:
        kept = past.retained(live.state_version())
        base = kept.offset if kept else None
        since = (
            max(offset - BACK_RECORDS, base) if base is not None else offset - records_to_warm(live)
        )
    elif rollout.beside:
        tried = past.book.config(rollout.beside)
        if _tried_goes_on(track, live, tried) is None:
            since = offset - records_to_warm(tried)
    if since is not None:
        since = min(offset, max(since, past.begins()))
    return JournalEntry(offset, track.label_position, rollout.number, since, base)


def take(track: Track, entry: JournalEntry, past: Past, found: Collection[Position] = ()) -> Turned:
    """Turn the track as the entry says. A pure function of track, entry, log and store.

    ``found``: where candidates are already, from ``entry.since`` on. Raises VersionFailed, and
    leaves the track as it is, where the version that comes into force can't take what it has to
    learn; one that is tried is left out.
    """
    rollout = past.book.rollout(entry.rollout)
    config, before = past.book.config(rollout.version), track.live
    late: list[Candidate] = []
    live = _goes_on(track, config)
    learns = live is None
    if live is None:
        live = _empty(past, config)
        late = _learn(live, entry, past, found)
    tried, failed = None, ""
    if rollout.beside:
        settings = past.book.config(rollout.beside)
        tried = _tried_goes_on(track, live.config, settings)
        if tried is None:
            tried = _empty(past, settings)
            if not learns:
                try:
                    _learn(tried, entry, past, found)
                except VersionFailed as error:
                    failed = str(error)
    retained = None
    if before.config.state_version() != config.state_version():
        retained = _retained(before, entry.offset)
    track.live, track.beside, track.rollout, track.failed = live, tried, rollout, failed
    return Turned(retained, _outcome(late, live) if late else None)


def _goes_on(track: Track, config: StreamConfig) -> PartitionPipeline | None:
    """Return what goes on as the config in force, None if there is nothing that can.

    Not what was watched against: what it found and nobody was shown has to come up yet.
    """
    tried = track.beside if track.rollout.tried and not track.failed else None
    if track.live.config.version == config.version:
        return track.live
    if tried is not None and tried.config.version == config.version:
        return tried
    if track.live.config.state_version() == config.state_version():
        return _moved(track.live, config)
    return None


def _tried_goes_on(
    track: Track, live: StreamConfig, tried: StreamConfig
) -> PartitionPipeline | None:
    """Return what goes on beside the config in force."""
    if track.live.config.version == tried.version:
        return track.live
    known = None if track.failed else track.beside
    if known is not None and known.config.version == tried.version:
        return known
    if live.state_version() == tried.state_version() == track.live.config.state_version():
        return _moved(track.live, tried)
    return None


def _moved(pipeline: PartitionPipeline, config: StreamConfig) -> PartitionPipeline:
    """Return the same state under another config."""
    moved = PartitionPipeline(config, pipeline.partition, pipeline.topic_id)
    moved.restore(pipeline.snapshot())
    return moved


def _empty(past: Past, config: StreamConfig) -> PartitionPipeline:
    return PartitionPipeline(config, past.partition.partition, past.topic_id)


def _learn(
    pipeline: PartitionPipeline, entry: JournalEntry, past: Past, found: Collection[Position]
) -> list[Candidate]:
    """Bring a pipeline to ``entry.offset``; return what it finds anew if it comes back.

    One that comes back takes in labels where they took effect meanwhile: it ends where it would
    have been had nothing replaced it. One that begins knows them from its first record on.
    """
    start = entry.offset if entry.since is None else entry.since
    if entry.base is None:
        _apply(pipeline, entry.label_position, past)
        for _ in _process(pipeline, past, entry, start, entry.offset):
            pass
        return []
    _restore(pipeline, entry.base, past)
    late: list[Candidate] = []
    for step in past.journal(entry.base):
        known = step.label_position <= pipeline.model_version
        if known or step.rollout >= entry.rollout or step.label_position > entry.label_position:
            continue
        position = max(start, step.offset)
        for outcome in _process(pipeline, past, entry, start, position):
            late += outcome.candidates
        start = position
        _apply(pipeline, step.label_position, past)
    for outcome in _process(pipeline, past, entry, start, entry.offset):
        late += outcome.candidates
    _apply(pipeline, entry.label_position, past)
    return [candidate for candidate in late if candidate.offset not in found]


def _restore(pipeline: PartitionPipeline, base: Position, past: Past) -> None:
    where = f"{past.stream}[{past.partition.partition}]: the state retained at offset {base}"
    kept = past.retained(pipeline.config.state_version(), base)
    if kept is None:
        raise Stop(f"{where} is gone or damaged. Restore the store from a backup.")
    try:
        pipeline.restore(kept.blob)
    except SnapshotError as error:
        raise Stop(f"{where} is not of this program ({error}). Restore a backup.") from error


def _apply(pipeline: PartitionPipeline, position: Position, past: Past) -> None:
    if pipeline.model_version != position:
        labels = past.labels_at(position, pipeline.config.policy)
        pipeline.apply_labels(labels, position, past.book)


def _process(
    pipeline: PartitionPipeline, past: Past, entry: JournalEntry, start: Position, end: Position
) -> Iterator[Outcome]:
    for records in past.records(start, end):
        try:
            outcome = pipeline.process(records)
        except Exception as error:
            raise VersionFailed(past.book.rollout(entry.rollout), error) from error
        yield outcome


def _retained(pipeline: PartitionPipeline, offset: Position) -> RetainedState:
    blob = pipeline.snapshot()
    return RetainedState(
        state_version=pipeline.config.state_version(),
        offset=offset,
        label_position=pipeline.model_version,
        sha256=hash_of(blob, b""),
        blob=blob,
    )


def _outcome(late: list[Candidate], pipeline: PartitionPipeline) -> Outcome:
    nothing = np.empty(0, np.float64)
    return Outcome(
        candidates=tuple(late),
        bad=(),
        counters=Counters(candidates=len(late)),
        accepted=(),
        margins=nothing,
        scores=nothing,
        X=np.empty((0, len(pipeline.columns)), np.float32),
    )
