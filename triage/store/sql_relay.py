"""What the relay needs of the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from triage.errors import Invalid
from triage.model import OutboxRow
from triage.store import tables as t
from triage.store.base import RELAY_LEASE
from triage.store.codec import load_headers
from triage.store.sql_shared import SqlPart, add_change, check_lease, settle


class SqlRelay(SqlPart):
    """See ``base.RelayStore``.

    An undone verdict's rows leave ``pending`` in the transaction of the undo, so whether a message
    has a number or is gone for good is decided by the order of two transactions.
    """

    def number_outbox(self, topic: str, limit: int, epoch: int, at: float) -> Sequence[OutboxRow]:
        """Give due rows the topic's next numbers; return all rows not yet published.

        Never more than ``limit`` rows are numbered and unpublished.
        """
        p, n, o = t.pending.c, t.numbered.c, t.outbox.c
        with self._db.write() as connection:
            self._db.in_order(connection)
            check_lease(connection, RELAY_LEASE, epoch)
            settle(connection, at)
            state = self._topic(connection, topic, at)
            due = connection.scalars(
                sa.select(p.outbox_id)
                .where(p.topic == topic, p.not_before <= at)
                .order_by(p.outbox_id)
                .limit(max(0, limit - state["numbered"] + state["published"]))
            ).all()
            if due:
                connection.execute(
                    t.numbered.insert(),
                    [
                        {
                            "topic": topic,
                            "sequence": state["numbered"] + 1 + i,
                            "outbox_id": outbox_id,
                            "at": at,
                        }
                        for i, outbox_id in enumerate(due)
                    ],
                )
                connection.execute(t.pending.delete().where(p.outbox_id.in_(due)))
                connection.execute(
                    t.topics.update()
                    .where(t.topics.c.topic == topic)
                    .values(numbered=state["numbered"] + len(due), at=at)
                )
            rows = connection.execute(
                sa.select(t.outbox, n.sequence)
                .join(t.numbered, n.outbox_id == o.outbox_id)
                .where(n.topic == topic, n.sequence > state["published"])
                .order_by(n.sequence)
            ).mappings()
            return [_outbox_row(row) for row in rows]

    def outbox_topics(self) -> Sequence[str]:
        """Return the topics that have rows not yet published."""
        with self._db.read() as connection:
            waiting = set(connection.scalars(sa.select(t.pending.c.topic).distinct()))
            waiting.update(
                connection.scalars(
                    sa.select(t.topics.c.topic).where(t.topics.c.numbered > t.topics.c.published)
                )
            )
            return sorted(waiting)

    def mark_published(self, topic: str, up_to: int, epoch: int, at: float) -> None:
        """Note that every row of the topic up to this sequence is out."""
        n, o, v = t.numbered.c, t.outbox.c, t.verdicts.c
        with self._db.write() as connection:
            self._db.in_order(connection)
            check_lease(connection, RELAY_LEASE, epoch)
            state = self._topic(connection, topic, at)
            if up_to > state["numbered"]:
                raise Invalid(f"{topic}: {up_to} is beyond the last number {state['numbered']}")
            if up_to <= state["published"]:
                return
            out = sa.select(n.outbox_id).where(
                n.topic == topic, n.sequence > state["published"], n.sequence <= up_to
            )
            verdict_ids = list(
                connection.scalars(
                    sa.select(o.verdict_id)
                    .where(o.outbox_id.in_(out), o.verdict_id.is_not(None))
                    .order_by(o.outbox_id)
                )
            )
            connection.execute(
                t.verdicts.update()
                .where(v.verdict_id.in_(verdict_ids), v.state.in_(("pending", "recorded")))
                .values(state="published")
            )
            connection.execute(
                t.topics.update().where(t.topics.c.topic == topic).values(published=up_to, at=at)
            )
            letters = list(
                connection.scalars(
                    sa.select(o.outbox_id).where(o.outbox_id.in_(out), o.verdict_id.is_(None))
                )
            )
            connection.execute(t.numbered.delete().where(n.outbox_id.in_(letters)))
            connection.execute(t.outbox.delete().where(o.outbox_id.in_(letters)))
            if verdict_ids:
                add_change(connection, "published", at, {"verdicts": verdict_ids})

    def _topic(self, connection: sa.Connection, topic: str, at: float) -> sa.RowMapping:
        connection.execute(
            self._db.insert(t.topics)
            .values(topic=topic, numbered=0, published=0, at=at)
            .on_conflict_do_nothing()
        )
        return (
            connection.execute(sa.select(t.topics).where(t.topics.c.topic == topic))
            .mappings()
            .one()
        )


def _outbox_row(row: sa.RowMapping | dict[str, Any]) -> OutboxRow:
    return OutboxRow(
        outbox_id=row["outbox_id"],
        topic=row["topic"],
        key=None if row["key"] is None else bytes(row["key"]),
        value=bytes(row["value"]),
        headers=load_headers(row["headers"]),
        verdict_id=row["verdict_id"],
        not_before=row["not_before"],
        sequence=row["sequence"],
    )
