"""What scores one partition: the config in force, and the one that runs beside it."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from streaming.carry import ColumnKeys
from streaming.pipeline import Outcome, PartitionPipeline
from streaming.records import Position, Record
from triage.drift import SCHEMA_DRIFT
from triage.model import Label
from triage.rollout import Rollout, Stage
from triage.store.base import SnapshotRow
from triage.trial import Trial

HASHES = 10_000


class VersionFailed(Exception):
    """An error of the program in a version that comes into force, or did a short while ago.

    Nothing of the records has taken effect. Where it is watched: take the version back and go on
    from the last commit.
    """

    def __init__(self, rollout: Rollout, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.rollout = rollout


class Track:
    """The pipelines of a partition under a roll-out. A pure function of what a pipeline is one of.

    In shadow the tried version's candidates are only compared; in canary they are the outcome for a
    share of the keys, those of the version in force for the rest. While the version in force is
    watched, what only the one before it finds is shown as well, for that share of the keys: else
    nobody would learn that it is lost.

    Attributes:
        live: scores by the version in force. ``beside``: by the other one, if any.
        failed: why the other version can't go on; it is left out from there.
    """

    def __init__(
        self,
        live: PartitionPipeline,
        rollout: Rollout,
        beside: PartitionPipeline | None = None,
    ) -> None:
        self.live = live
        self.beside = beside
        self.rollout = rollout
        self.failed = ""

    @property
    def pipelines(self) -> Sequence[PartitionPipeline]:
        """All that score."""
        return [self.live] if self.beside is None or self.failed else [self.live, self.beside]

    @property
    def label_position(self) -> Position:
        """Label position in force."""
        return self.live.model_version

    def process_live(self, records: Sequence[Record]) -> Outcome:
        """Take the records by the version in force. First of two calls for the same records.

        Raises VersionFailed for an error of a version that is watched: the one before can go on.
        """
        try:
            return self.live.process(records)
        except Exception as error:
            if self.rollout.stage is not Stage.WATCHED:
                raise
            raise VersionFailed(self.rollout, error) from error

    def process_beside(
        self, records: Sequence[Record], outcome: Outcome
    ) -> tuple[Outcome, Trial | None]:
        """Take the same records by the other version; return what takes effect, and the comparison.

        Its errors must not stop the version in force: it is left out from there.
        """
        if self.beside is None or self.failed:
            return outcome, None
        try:
            tried = self.beside.process(records)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not reach the live one
            self.failed = f"{type(error).__name__}: {error}"
            return outcome, Trial(failed=self.failed) if self.rollout.tried else None
        if self.rollout.stage is Stage.WATCHED:
            return self._watched(outcome, tried)
        compared = _compared(outcome, tried)
        if self.rollout.stage is not Stage.CANARY:
            return outcome, compared
        part = self.beside.config.rollout.canary
        mine = {c.candidate_id for c in outcome.candidates if not in_canary(c.entity, part)}
        compared = replace(compared, missed=tuple(c for c in compared.missed if c in mine))
        chosen = [c for c in outcome.candidates if not in_canary(c.entity, part)]
        chosen += [c for c in tried.candidates if in_canary(c.entity, part)]
        chosen.sort(key=lambda candidate: candidate.offset)
        counters = replace(outcome.counters, candidates=len(chosen))
        return replace(outcome, candidates=tuple(chosen), counters=counters), compared

    def _watched(self, outcome: Outcome, before: Outcome) -> tuple[Outcome, Trial | None]:
        """Return what the version in force and the one before it made of records, and compare."""
        found = {candidate.offset for candidate in outcome.candidates}
        part = self.live.config.rollout.canary
        shown = [
            candidate
            for candidate in before.candidates
            if candidate.offset not in found
            and candidate.detector != SCHEMA_DRIFT
            and in_canary(candidate.entity, part)
        ]
        warming = any(one.warm_up_left for one in self.pipelines)
        compared = None if warming else _compared(before, outcome)
        if compared:
            missed = {candidate.candidate_id for candidate in shown}
            compared = replace(compared, missed=tuple(c for c in compared.missed if c in missed))
        both = sorted([*outcome.candidates, *shown], key=lambda candidate: candidate.offset)
        counters = replace(outcome.counters, candidates=len(both))
        return replace(outcome, candidates=tuple(both), counters=counters), compared

    def process(self, records: Sequence[Record]) -> Outcome:
        """Take records; return what takes effect."""
        return self.process_beside(records, self.process_live(records))[0]

    def apply_labels(
        self, labels: Sequence[Label], position: Position, known: Mapping[str, ColumnKeys]
    ) -> bool:
        """Take in exactly these labels, at ``position``; return whether scores change by it."""
        changed = [one.apply_labels(labels, position, known) for one in self.pipelines]
        return any(changed)

    def snapshot(self) -> tuple[bytes, bytes]:
        """Return the state of the version in force, and of the tried one (empty if none is)."""
        beside = b"" if self.beside is None or self.failed else self.beside.snapshot()
        return self.live.snapshot(), beside

    def row(self, offset: Position) -> SnapshotRow:
        """Return the state as the store keeps it, at the position reached."""
        live, beside = self.snapshot()
        return SnapshotRow(
            offset=offset,
            label_position=self.label_position,
            sha256=hash_of(live, beside),
            blob=live,
            rollout=self.rollout.number,
            beside=beside,
        )

    def restore(self, row: SnapshotRow) -> None:
        """Replace the state. Raises SnapshotError if it is of something else."""
        self.live.restore(row.blob)
        if self.beside is not None and row.beside:
            self.beside.restore(row.beside)
        elif self.beside is not None:
            self.failed = "it had failed before"


def in_canary(entity: str, part: float) -> bool:
    """Return whether an entity belongs to the share of the keys; the same for every version."""
    return zlib.crc32(entity.encode("utf-8", "replace")) % HASHES < part * HASHES


def hash_of(live: bytes, beside: bytes) -> str:
    """Return the SHA-256 of a state."""
    return hashlib.sha256(live + beside).hexdigest()


def _compared(outcome: Outcome, tried: Outcome) -> Trial:
    live = {c.offset: c for c in outcome.candidates}
    new = {c.offset for c in tried.candidates}
    missed = [candidate for offset, candidate in live.items() if offset not in new]
    return Trial(
        events=_shared(outcome, tried),
        both=len(live.keys() & new),
        only_live=len(missed),
        only_new=len(new - live.keys()),
        dead_letters_live=outcome.counters.dead_lettered,
        dead_letters_new=tried.counters.dead_lettered,
        missed=tuple(candidate.candidate_id for candidate in missed),
    )


def _shared(outcome: Outcome, tried: Outcome) -> int:
    mine = np.array([record.offset for record in outcome.accepted], np.int64)
    theirs = np.array([record.offset for record in tried.accepted], np.int64)
    return len(np.intersect1d(mine, theirs, assume_unique=True))
