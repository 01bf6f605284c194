"""What the scoring worker needs of the store."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from triage.errors import Fenced, StateDiverged, TopicReplaced
from triage.model import (
    Candidate,
    Counters,
    JournalEntry,
    Label,
    PartitionState,
)
from triage.policy import Policy
from triage.store import tables as t
from triage.store.base import OpenCandidate, PartitionCommit, RetainedState, SnapshotRow
from triage.store.bulk import chunks, select_in
from triage.store.codec import candidate_row, dump_headers
from triage.store.database import next_number
from triage.store.sql_drifts import keep_drifts
from triage.store.sql_label_log import SqlLabelLog
from triage.store.sql_rescore import rescore
from triage.store.sql_shared import add_change, add_outbox, newest_label, policy_of, settle
from triage.store.sql_trials import add_trial
from triage.store.sql_truth import labels_of_events
from triage.truth import each_event_once

KEPT_SNAPSHOTS = 3
COUNTERS = (
    "accepted", "dead_lettered", "duplicates", "late", "skipped", "candidates", "held_back",
)  # fmt: skip


class SqlWorker(SqlLabelLog):
    """See ``base.WorkerStore``."""

    def own(
        self,
        stream: str,
        partition: int,
        topic_id: str,
        config_version: str,
        rollout: int = 0,
    ) -> PartitionState:
        """Take the partition over: epoch + 1."""
        where = (t.partitions.c.stream == stream, t.partitions.c.partition == partition)
        fresh = PartitionState(
            stream, partition, topic_id, config_version, epoch=0, rollout=rollout
        )
        with self._db.write() as connection:
            connection.execute(
                self._db.insert(t.partitions)
                .values(**_partition_row(fresh))
                .on_conflict_do_nothing()
            )
            row = (
                connection.execute(sa.select(t.partitions).where(*where).with_for_update())
                .mappings()
                .one()
            )
            if row["topic_id"] != topic_id:
                raise TopicReplaced(
                    f"{stream}/{partition}: the stored positions are of topic {row['topic_id']},"
                    f" the source now has {topic_id}: the topic was deleted and made anew, or the"
                    " config names another one. A stream keeps its topic: give the stream a new"
                    " name, or use an empty data folder"
                )
            epoch = row["epoch"] + 1
            connection.execute(t.partitions.update().where(*where).values(epoch=epoch))
            return _partition_state({**row, "epoch": epoch})

    def snapshots(self, stream: str, partition: int) -> Sequence[SnapshotRow]:
        """Return the kept snapshots, newest first."""
        s = t.snapshots.c
        with self._db.read() as connection:
            rows = connection.execute(
                sa.select(s.offset, s.label_position, s.sha256, s.blob, s.rollout, s.beside)
                .where(s.stream == stream, s.partition == partition)
                .order_by(s.snapshot.desc())
            )
            return [
                SnapshotRow(row[0], row[1], row[2], bytes(row[3]), row[4], bytes(row[5] or b""))
                for row in rows
            ]

    def retained(self, stream: str, partition: int) -> Sequence[RetainedState]:
        """Return the retained states, newest first."""
        r = t.retained.c
        with self._db.read() as connection:
            rows = connection.execute(
                sa.select(r.state_version, r.offset, r.label_position, r.sha256, r.blob)
                .where(r.stream == stream, r.partition == partition)
                .order_by(r.rollout.desc())
            )
            return [RetainedState(*row[:4], bytes(row[4])) for row in rows]

    def candidate_offsets(self, stream: str, partition: int, from_offset: int) -> Sequence[int]:
        """Return where candidates of the partition are, from ``from_offset`` on."""
        c = t.candidates.c
        with self._db.read() as connection:
            return list(
                connection.scalars(
                    sa.select(c.offset).where(
                        c.stream == stream, c.partition == partition, c.offset >= from_offset
                    )
                )
            )

    def journal(self, stream: str, partition: int, from_offset: int) -> Sequence[JournalEntry]:
        """Return the entries at ``from_offset`` or later, in the order they took effect."""
        j = t.journal.c
        with self._db.read() as connection:
            rows = connection.execute(
                sa.select(j.offset, j.label_position, j.rollout, j.since, j.base)
                .where(j.stream == stream, j.partition == partition, j.offset >= from_offset)
                .order_by(j.entry)
            )
            return [JournalEntry(*row) for row in rows]

    def commit(self, stream: str, partitions: Sequence[PartitionCommit], at: float) -> None:
        """Write everything of one commit interval, or nothing."""
        ordered = sorted(partitions, key=lambda part: part.partition)
        with self._db.write() as connection:
            moved = {part.partition: _move(connection, stream, part, at) for part in ordered}
            for part in ordered:
                self._keep_snapshot(connection, stream, part)
                _retain(connection, stream, part)
                keep_drifts(connection, stream, part)
            self._db.in_order(connection)
            for part in ordered:
                _append_journal(connection, stream, part)
                add_outbox(self._db, connection, _dead_letters(part, at))
            insert_candidates(connection, [c for part in ordered for c in part.candidates])
            for part in ordered:
                add_trial(self._db, connection, stream, part)
            labels = {partition: position for partition, (position, _) in moved.items()}
            rescore(connection, stream, ordered, labels, at)
            settle(connection, at)
            if any(warm for _, warm in moved.values()):
                add_change(connection, "status", at, {"stream": stream})

    def label_position(self, stream: str) -> int:
        """Return the newest position of the stream's label log."""
        with self._db.read() as connection:
            return newest_label(connection, stream)

    def labels_at(
        self, stream: str, position: int, policy: Policy | None = None
    ) -> Sequence[Label]:
        """Return the labels in force at a position; after the first time only new rows are read."""
        with self._folding, self._db.read() as connection:
            fold = self._fold(connection, stream, position)
            others = labels_of_events(connection, stream, position)
            policy = policy or policy_of(connection, stream)
            return each_event_once([*fold.labels(policy), *others], policy.truth_within)

    def open_candidates(self, stream: str, partition: int) -> Sequence[OpenCandidate]:
        """Return the candidates of the partition that wait for a verdict, oldest first."""
        m = t.members.c
        with self._db.read() as connection:
            rows = connection.execute(
                sa.select(
                    m.candidate_id,
                    t.candidates.c.vector,
                    m.posterior,
                    t.candidates.c.features_version,
                )
                .join(t.candidates, t.candidates.c.seq == m.seq)
                .where(
                    m.stream == stream,
                    m.partition == partition,
                    m.state == sa.literal_column("'open'"),  # literal: the partial index fits
                )
                .order_by(m.seq)
            )
            return [OpenCandidate(row[0], bytes(row[1]), row[2], row[3]) for row in rows]

    def _keep_snapshot(self, connection: sa.Connection, stream: str, part: PartitionCommit) -> None:
        if part.snapshot is None:
            return
        s = t.snapshots.c
        where = (s.stream == stream, s.partition == part.partition)
        # counted per partition, whose row this transaction has locked
        number = (connection.scalar(sa.select(sa.func.max(s.snapshot)).where(*where)) or 0) + 1
        connection.execute(
            t.snapshots.insert().values(
                stream=stream,
                partition=part.partition,
                snapshot=number,
                offset=part.snapshot.offset,
                label_position=part.snapshot.label_position,
                sha256=part.snapshot.sha256,
                blob=part.snapshot.blob,
                rollout=part.snapshot.rollout,
                beside=part.snapshot.beside or None,
            )
        )
        old = s.snapshot <= number - KEPT_SNAPSHOTS
        connection.execute(t.snapshots.delete().where(*where, old))


def insert_candidates(connection: sa.Connection, new: Sequence[Candidate]) -> None:
    """Insert those that aren't there yet. Only after ``Database.in_order``.

    Raises ``StateDiverged`` if one is there with another score.
    """
    if not new:
        return
    c = t.candidates.c
    stored = {
        row["candidate_id"]: row["score"]
        for row in select_in(
            connection,
            sa.select(c.candidate_id, c.score),
            c.candidate_id,
            [candidate.candidate_id for candidate in new],
        )
    }
    seq = next_number(connection, c.seq)
    rows: list[dict[str, Any]] = []
    for candidate in new:
        score = stored.get(candidate.candidate_id)
        if score is None:
            stored[candidate.candidate_id] = candidate.score
            rows.append(candidate_row(candidate, seq + len(rows)))
        elif not math.isclose(score, candidate.score, rel_tol=1e-9, abs_tol=1e-9):
            raise StateDiverged(
                f"candidate {candidate.candidate_id} ({candidate.stream}/{candidate.partition} at"
                f" {candidate.offset}) has score {score}, this time {candidate.score}: the replay"
                " differs from the first run"
            )
    for part in chunks(rows, 500):
        connection.execute(t.candidates.insert(), part)
        connection.execute(
            t.members.insert(),
            [
                {
                    "candidate_id": row["candidate_id"],
                    "seq": row["seq"],
                    "stream": row["stream"],
                    "partition": row["partition"],
                    "cluster_id": None,
                    "posterior": row["posterior"],
                    "state": "open",
                }
                for row in part
            ],
        )


def _move(
    connection: sa.Connection, stream: str, part: PartitionCommit, at: float
) -> tuple[int, bool]:
    """Move the partition's row under its epoch.

    Returns the label position before, and whether the partition became warm.
    """
    p = t.partitions.c
    where = (p.stream == stream, p.partition == part.partition, p.epoch == part.epoch)
    before = connection.execute(
        sa.select(p.label_position, p.warm_up_left).where(*where).with_for_update()
    ).first()
    if before is None:
        raise Fenced(
            f"{stream}/{part.partition}: epoch {part.epoch} is over, another worker owns it"
        )
    added = {name: p[name] + getattr(part.counters, name) for name in COUNTERS}
    connection.execute(
        t.partitions.update()
        .where(*where)
        .values(
            config_version=part.config_version,
            rollout=part.rollout,
            next_offset=part.next_offset,
            label_position=part.label_position,
            warm_up_left=part.warm_up_left,
            last_event_time=part.last_event_time,
            committed_at=at,
            delay=p.delay if part.delay is None else part.delay,
            **added,
        )
    )
    return before[0], bool(before[1]) and not part.warm_up_left


def _append_journal(connection: sa.Connection, stream: str, part: PartitionCommit) -> None:
    if part.journal:
        first = next_number(connection, t.journal.c.entry)
        connection.execute(
            t.journal.insert(),
            [
                {
                    "entry": first + i,
                    "stream": stream,
                    "partition": part.partition,
                    "offset": entry.offset,
                    "label_position": entry.label_position,
                    "rollout": entry.rollout,
                    "since": entry.since,
                    "base": entry.base,
                }
                for i, entry in enumerate(part.journal)
            ],
        )


def _retain(connection: sa.Connection, stream: str, part: PartitionCommit) -> None:
    if part.retained is None:
        return
    r = t.retained.c
    where = (r.stream == stream, r.partition == part.partition)
    kept = part.retained
    connection.execute(
        t.retained.insert().values(
            stream=stream,
            partition=part.partition,
            rollout=part.rollout,
            state_version=kept.state_version,
            offset=kept.offset,
            label_position=kept.label_position,
            sha256=kept.sha256,
            blob=kept.blob,
        )
    )
    newest = connection.scalars(
        sa.select(r.rollout).where(*where).order_by(r.rollout.desc()).limit(KEPT_SNAPSHOTS)
    ).all()
    connection.execute(t.retained.delete().where(*where, r.rollout < newest[-1]))


def _dead_letters(part: PartitionCommit, at: float) -> Sequence[dict[str, object]]:
    return [
        {
            "topic": letter.topic,
            "key": letter.key,
            "value": letter.value,
            "headers": dump_headers(letter.headers),
            "verdict_id": None,
            "not_before": 0.0,
            "at": at,
        }
        for letter in part.dead_letters
    ]


def _partition_row(state: PartitionState) -> dict[str, object]:
    return {
        "stream": state.stream,
        "partition": state.partition,
        "topic_id": state.topic_id,
        "config_version": state.config_version,
        "rollout": state.rollout,
        "epoch": state.epoch,
        "next_offset": 0,
        "label_position": 0,
        **dict.fromkeys(COUNTERS, 0),
        "warm_up_left": 0,
    }


def _partition_state(row: Mapping[str, Any]) -> PartitionState:
    values = {name: row[name] for name in PartitionState.__slots__ if name != "counters"}
    counters = Counters(**{name: row[name] for name in COUNTERS})
    return PartitionState(**values, counters=counters)
