"""From a journal back to the state that it describes."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from detectors.base import SnapshotError
from streaming.errors import PositionLost, Stop
from streaming.past import Past
from streaming.pipeline import Outcome
from streaming.records import Position
from streaming.track import Track, hash_of
from streaming.turn import new_track, take
from triage.model import JournalEntry, PartitionState
from triage.store.base import SnapshotRow

log = logging.getLogger(__name__)

REMEDY = "Restore the store from a backup, or start with an empty data folder."


def replay(
    track: Track, past: Past, start: Position, end: Position, journal: Sequence[JournalEntry]
) -> Iterator[Outcome]:
    """Bring a track that stands at ``start`` to ``end``; yield what came of the records.

    Each journal entry takes effect exactly at its offset, as it did the first time.
    """
    position = start
    found: list[Position] = []
    for entry in journal:
        for outcome in _process(track, past, position, entry.offset):
            found += [candidate.offset for candidate in outcome.candidates]
            yield outcome
        position = entry.offset
        if entry.rollout != track.rollout.number:
            turned = take(track, entry, past, frozenset(found))
            if turned.retained:
                past.retain(turned.retained)
            if turned.late:
                found += [candidate.offset for candidate in turned.late.candidates]
                yield turned.late
        elif entry.label_position != track.label_position:
            labels = past.labels_at(entry.label_position, track.live.config.policy)
            track.apply_labels(labels, entry.label_position, past.book)
    yield from _process(track, past, position, end)


def from_the_beginning(past: Past, end: Position) -> Iterator[tuple[Track, Outcome | None]]:
    """Replay a partition from its first record by its journal alone; yield the track and outcomes.

    Raises Stop if the journal does not say under which config it began.
    """
    journal = past.journal(0)
    first = journal[0] if journal else None
    if first is None or first.label_position:
        where = f"{past.stream}[{past.partition.partition}]"
        raise Stop(f"{where}: the journal does not say how the partition began. {REMEDY}")
    track = new_track(past, past.book.rollout(first.rollout))
    yield track, None
    for outcome in replay(track, past, first.offset, end, journal[1:]):
        yield track, outcome


def recover(past: Past, state: PartitionState) -> tuple[Track, Position]:
    """Return the track of a partition as it was at its committed position, and the replay's start.

    Starts from the newest sound snapshot and replays up to ``state.next_offset`` with the output
    suppressed. Raises Stop where that would give another state than the one that was lost: no
    snapshot is sound and the log no longer has the first records.
    """
    row, track = newest_sound(past, state)
    if row is None:
        return _rebuilt(past, state), 0
    journal = [
        entry
        for entry in past.journal(row.offset)
        if entry.label_position > row.label_position or entry.rollout > row.rollout
    ]
    for _ in replay(track, past, row.offset, state.next_offset, journal):
        pass
    return track, row.offset


def newest_sound(past: Past, state: PartitionState) -> tuple[SnapshotRow | None, Track]:
    """Return the newest snapshot that is not damaged, and the track as it says.

    None and a track that has seen nothing if there is none. Raises Stop if it is of another program
    or config.
    """
    for row in past.snapshots():
        track = _restored(past, state, row)
        if track is not None:
            return row, track
    return None, new_track(past, past.book.rollout(state.rollout))


def _restored(past: Past, state: PartitionState, row: SnapshotRow) -> Track | None:
    where = f"{state.stream}[{state.partition}]: snapshot at offset {row.offset}"
    if hash_of(row.blob, row.beside) != row.sha256:
        log.warning("%s is damaged (its hash does not match); trying an older one", where)
        return None
    track = new_track(past, past.book.rollout(row.rollout))
    try:
        track.restore(row)
    except SnapshotError as error:
        raise Stop(f"{where} is not of this program and config ({error}). {REMEDY}") from error
    return track


def _rebuilt(past: Past, state: PartitionState) -> Track:
    if state.next_offset == 0:
        return new_track(past, past.book.rollout(state.rollout))
    where = f"{state.stream}[{state.partition}]: no usable snapshot"
    if (start := past.begins()) > 0:
        raise PositionLost(f"{where}, and the log no longer has what came before offset {start}")
    log.warning("%s[%d]: rebuilding from offset 0", state.stream, state.partition)
    track = None
    for now, _ in from_the_beginning(past, state.next_offset):
        track = now
    if track is None:
        raise Stop(f"{where}. {REMEDY}")
    return track


def _process(track: Track, past: Past, start: Position, end: Position) -> Iterator[Outcome]:
    for records in past.records(start, end):
        yield track.process(records)
