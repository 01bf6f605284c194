"""Disputes of verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from triage.cases import Dispute, DisputeState
from triage.model import VerdictKind
from triage.store import tables as t
from triage.store.codec import dumps, loads
from triage.store.sql_regroup import SqlRegroupUnit

D = t.disputes.c
_ALL = sa.select(t.disputes).order_by(D.at.desc(), D.dispute_id)
_ON = _ALL.where(D.cluster_id == sa.bindparam("cluster_id"))  # built once, see ``sql_shared``
OPEN: sa.ColumnElement[str] = sa.literal_column("'open'")  # as in the index, so that it fits


class SqlDisputeUnit(SqlRegroupUnit):
    """See ``base_disputes.DisputeUnit``."""

    def add_dispute(self, begun: Dispute) -> None:
        """Keep a dispute."""
        self._connection.execute(t.disputes.insert().values(**_columns(begun)))

    def dispute(self, dispute_id: str) -> Dispute | None:
        """Return one dispute."""
        found = _disputes(self._connection, D.dispute_id == dispute_id)
        return found[0] if found else None

    def open_dispute(self, verdict_id: str) -> Dispute | None:
        """Return the dispute of a verdict that waits for a lead."""
        found = _disputes(self._connection, D.verdict_id == verdict_id, D.state == OPEN)
        return found[0] if found else None

    def settle_dispute(self, ended: Dispute) -> None:
        """Store how a dispute ended."""
        these = D.dispute_id == ended.dispute_id
        self._connection.execute(t.disputes.update().where(these).values(**_columns(ended)))


def disputes_of(connection: sa.Connection, cluster_id: str) -> Sequence[Dispute]:
    """Return the disputes of a cluster's verdicts, newest first."""
    return _loaded(connection.execute(_ON, {"cluster_id": cluster_id}))


def disputed() -> sa.Select[tuple[str]]:
    """Return the clusters that wait for a lead."""
    return sa.select(D.cluster_id).where(D.state == OPEN)


def _disputes(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> Sequence[Dispute]:
    return _loaded(connection.execute(_ALL.where(*where)))


def _loaded(rows: sa.CursorResult[Any]) -> Sequence[Dispute]:
    return [
        Dispute(
            **{
                **row,
                "kind": VerdictKind(row["kind"]),
                "state": DisputeState(row["state"]),
                "read_ids": tuple(loads(row["read_ids"])),
            }
        )
        for row in rows.mappings()
    ]


def _columns(one: Dispute) -> dict[str, object]:
    given = {name: getattr(one, name) for name in Dispute.__slots__}
    return given | {
        "kind": str(one.kind),
        "state": str(one.state),
        "read_ids": dumps(list(one.read_ids)),
    }
