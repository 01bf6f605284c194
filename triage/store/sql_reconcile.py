"""An older store learns what its topics hold already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from triage.findings import Message
from triage.model import Actor
from triage.reconcile import SentFinding
from triage.store import tables as t
from triage.store.base import RELAY_LEASE
from triage.store.codec import dump_headers, dumps
from triage.store.database import next_of
from triage.store.sql_shared import SqlPart, add_outbox, check_lease


class SqlReconcile(SqlPart):
    """See ``base_reconcile.ReconcileStore``."""

    def numbered_up_to(self, topic: str) -> int:
        """Return the last number that was given to a message of the topic, 0 if there is none."""
        with self._db.read() as connection:
            asked = sa.select(t.topics.c.numbered).where(t.topics.c.topic == topic)
            return connection.scalar(asked) or 0

    def outlets(self) -> Sequence[str]:
        """Return all topics that the store has ever written messages for."""
        with self._db.read() as connection:
            asked = sa.union(sa.select(t.topics.c.topic), sa.select(t.pending.c.topic))
            return sorted(connection.scalars(asked))

    def unknown(self, sent: Sequence[SentFinding]) -> Sequence[SentFinding]:
        """Return those that the store would not send: decided, or taken back, after its backup."""
        with self._db.read() as connection:
            return [each for each in sent if _waiting(connection, each) is None]

    def adopt(
        self,
        sent: Sequence[SentFinding],
        last: Mapping[str, int],
        retractions: Sequence[tuple[str, Message]],
        actor: Actor,
        epoch: int,
        at: float,
    ) -> None:
        """Take these messages for sent, under their numbers; go on numbering after ``last``."""
        with self._db.write() as connection:
            self._db.in_order(connection)
            check_lease(connection, RELAY_LEASE, epoch)
            known = [_waiting(connection, each) for each in sent]
            for each, outbox_id in zip(sent, known, strict=True):
                self._take(connection, each, outbox_id, at)
            for topic, number in last.items():
                now = {"numbered": number, "published": number, "at": at}
                row = self._db.insert(t.topics).values(topic=topic, **now)
                connection.execute(row.on_conflict_do_update(index_elements=["topic"], set_=now))
            rows = [
                _row(message.topic, message.key, message.value, message.headers, verdict_id, at)
                for verdict_id, message in retractions
            ]
            add_outbox(self._db, connection, rows)
            told = {
                "topics": dict(last),
                "known": [_name(e) for e, own in zip(sent, known, strict=True) if own],
                "unknown": [_name(e) for e, own in zip(sent, known, strict=True) if not own],
                "retracted": [verdict_id for verdict_id, _ in retractions],
            }
            _audit(connection, actor, at, told)

    def _take(
        self, connection: sa.Connection, each: SentFinding, outbox_id: int | None, at: float
    ) -> None:
        """Note that a message is out: under its waiting row, or under a row of its own."""
        v, f = t.verdicts.c, t.findings.c
        if outbox_id is None:
            row = _row(each.topic, each.key, each.value, each.headers, each.verdict_id, at)
            (outbox_id,) = add_outbox(self._db, connection, [row])
            known = sa.select(v.verdict_id).where(v.verdict_id == each.verdict_id)
            noted = sa.select(f.revision).where(
                f.finding_id == each.finding_id, f.revision == each.revision
            )
            if connection.scalar(known) and connection.scalar(noted) is None:
                connection.execute(
                    t.findings.insert().values(
                        finding_id=each.finding_id,
                        revision=each.revision,
                        verdict_id=each.verdict_id,
                        kind=str(each.kind),
                        outbox_id=outbox_id,
                        at=at,
                    )
                )
        connection.execute(t.pending.delete().where(t.pending.c.outbox_id == outbox_id))
        number = {"topic": each.topic, "sequence": each.sequence, "outbox_id": outbox_id, "at": at}
        connection.execute(t.numbered.insert().values(**number))
        connection.execute(
            t.verdicts.update()
            .where(v.verdict_id == each.verdict_id, v.state.in_(("pending", "recorded")))
            .values(state="published")
        )


def _waiting(connection: sa.Connection, each: SentFinding) -> int | None:
    """Return the outbox row that would send this revision, None if there is none."""
    f = t.findings.c
    return connection.scalar(
        sa.select(t.pending.c.outbox_id)
        .join(t.findings, f.outbox_id == t.pending.c.outbox_id)
        .where(f.finding_id == each.finding_id, f.revision == each.revision)
    )


def _row(
    topic: str,
    key: bytes | None,
    value: bytes,
    headers: tuple[tuple[str, bytes], ...],
    verdict_id: str,
    at: float,
) -> dict[str, object]:
    return {
        "topic": topic,
        "key": key,
        "value": value,
        "headers": dump_headers(headers),
        "verdict_id": verdict_id,
        "not_before": at,
        "at": at,
    }


def _name(each: SentFinding) -> str:
    return f"{each.finding_id}/{each.revision}"


def _audit(connection: sa.Connection, actor: Actor, at: float, told: Mapping[str, object]) -> None:
    connection.execute(
        t.audit.insert().values(
            seq=next_of(t.audit.c.seq),
            at=at,
            actor=actor.name,
            role=actor.role,
            action="reconcile",
            object="verified findings",
            request_id="",
            before=None,
            after=dumps(told),
        )
    )
