"""Statements that several parts of the store need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from triage.cases import AuditEntry
from triage.errors import Fenced
from triage.model import ClusterStatus
from triage.policy import Policy
from triage.store import tables as t
from triage.store.bulk import Lookup
from triage.store.codec import dumps
from triage.store.database import Database, next_of

STANDING = ("pending", "recorded", "published")  # states of verdicts that were not taken back
WAITING = (ClusterStatus.OPEN, ClusterStatus.SECOND_OPINION)  # for a person
KEPT_CHANGES = 10_000  # a board that was away for longer reloads

# What is asked often is built once: to build a statement takes longer than to run it.
_ADD_CHANGE = (
    t.changes.insert()
    .values(change_id=next_of(t.changes.c.change_id))
    .returning(t.changes.c.change_id)
)
CLUSTERS = Lookup(sa.select(t.clusters), t.clusters.c.cluster_id)
_ADD_AUDIT = t.audit.insert().values(seq=next_of(t.audit.c.seq))
_MARK = sa.select(t.marks.c.value).where(t.marks.c.name == sa.bindparam("name"))
_POSITION = sa.select(sa.func.max(t.changes.c.change_id))
_POLICY = sa.select(t.streams.c.policy).where(t.streams.c.stream == sa.bindparam("stream"))
_NEWEST_LABEL = sa.select(
    *(  # a truth has a place of its own, joined or not
        sa.select(sa.func.max(table.c.position))
        .where(table.c.stream == sa.bindparam("stream"))
        .scalar_subquery()
        for table in (t.labels, t.truths)
    )
)


class SqlPart:
    """Base of the parts of ``sql.SqlStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database


def add_change(connection: sa.Connection, kind: str, at: float, data: Mapping[str, Any]) -> None:
    """Append to ``changes``. Only after ``Database.in_order``."""
    new = {"kind": kind, "at": at, "data": dumps(data)}
    change_id = connection.execute(_ADD_CHANGE, new).scalar_one()
    if change_id % 100 == 0:
        connection.execute(
            t.changes.delete().where(t.changes.c.change_id <= change_id - KEPT_CHANGES)
        )


def add_audit(connection: sa.Connection, entry: AuditEntry) -> None:
    """Append to the audit trail. Only after ``Database.in_order``."""
    row = {
        "at": entry.at,
        "actor": entry.actor,
        "role": entry.role,
        "action": entry.action,
        "object": entry.object,
        "request_id": entry.request_id,
        "before": None if entry.before is None else dumps(entry.before),
        "after": None if entry.after is None else dumps(entry.after),
    }
    connection.execute(_ADD_AUDIT, row)


def add_outbox(
    db: Database, connection: sa.Connection, rows: Sequence[Mapping[str, Any]]
) -> Sequence[int]:
    """Append to ``outbox`` and ``pending``; return the ids. Only after ``Database.in_order``.

    Each row has topic, key, value, headers, verdict_id, not_before, at.
    """
    if not rows:
        return []
    # not the largest id: published dead letters are deleted, their ids must not come again
    first = get_mark(connection, "outbox") + 1
    numbered = [{"outbox_id": first + i, **row} for i, row in enumerate(rows)]
    connection.execute(t.outbox.insert(), numbered)
    connection.execute(
        t.pending.insert(),
        [
            {name: row[name] for name in ("outbox_id", "topic", "verdict_id", "not_before")}
            for row in numbered
        ],
    )
    set_mark(db, connection, "outbox", first + len(rows) - 1)
    return [row["outbox_id"] for row in numbered]


def set_mark(db: Database, connection: sa.Connection, name: str, value: int) -> None:
    """Store a number under a name."""
    insert = db.insert(t.marks).values(name=name, value=value)
    connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def add_to_mark(db: Database, connection: sa.Connection, name: str, more: int) -> None:
    """Add to the number stored under a name, 0 if there is none."""
    insert = db.insert(t.marks).values(name=name, value=more)
    total = t.marks.c.value + insert.excluded.value
    connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"value": total}))


def get_mark(connection: sa.Connection, name: str) -> int:
    """Return the number stored under a name, 0 if there is none."""
    return connection.scalar(_MARK, {"name": name}) or 0


def position(connection: sa.Connection) -> int:
    """Return the id of the newest change."""
    return connection.scalar(_POSITION) or 0


def newest_label(connection: sa.Connection, stream: str) -> int:
    """Return the newest position of the stream's label log, 0 if it is empty."""
    return max(place or 0 for place in connection.execute(_NEWEST_LABEL, {"stream": stream}).one())


def check_lease(connection: sa.Connection, name: str, epoch: int) -> None:
    """Raise ``Fenced`` unless the lease has this epoch."""
    row = connection.execute(sa.select(t.leases).where(t.leases.c.name == name)).mappings().first()
    if row is None or row["epoch"] != epoch:
        now = "nobody" if row is None else f"{row['holder']} (epoch {row['epoch']})"
        raise Fenced(f"the lease {name!r} of epoch {epoch} is held by {now}: stop")


def settle(connection: sa.Connection, at: float) -> None:
    """Verdicts whose grace is over are recorded."""
    connection.execute(
        t.verdicts.update()
        .where(t.verdicts.c.state == sa.literal_column("'pending'"), t.verdicts.c.grace_until <= at)
        .values(state="recorded")
    )


def policy_of(connection: sa.Connection, stream: str) -> Policy:
    """Return the stream's policy in force; the defaults if none was registered."""
    kept = connection.scalar(_POLICY, {"stream": stream})
    return Policy() if kept is None else Policy.model_validate_json(kept)
