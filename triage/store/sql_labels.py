"""The label log: what is in force at a position, and how it grows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from triage.cases import Rollback, Verdict
from triage.label_fold import Added, LabelFold, Retraction
from triage.label_log import Entry
from triage.labels import NewLabel
from triage.model import MemberState
from triage.queries import AnalystRow
from triage.reliability import Reliability, reliabilities
from triage.store import tables as t
from triage.store.codec import dumps, loads
from triage.store.sql_shared import STANDING
from triage.store.sql_suppression import SqlSuppressionUnit
from triage.store.sql_verdicts import load_verdicts

OVERRULED = "overruled"  # state of a retraction by somebody else than who gave the verdict
NEWEST = 2**62  # a position after all others
LISTED = 100  # roll-backs on the board, newest first


class SqlLabelUnit(SqlSuppressionUnit):
    """See ``base_labels.LabelUnit``."""

    def add_labels(
        self, stream: str, verdict_id: str, labels: Sequence[NewLabel], at: float
    ) -> int:
        """Append to the label log; return its newest position."""
        first = self.next_label(stream)
        rows = [
            {
                "stream": stream,
                "position": first + i,
                "verdict_id": verdict_id,
                "candidate_id": label.candidate_id,
                "y": label.y,
                "weight": label.weight,
                "state": str(label.state),
                "at": at,
            }
            for i, label in enumerate(labels)
        ]
        self._connection.execute(t.labels.insert(), rows)
        return first + len(rows) - 1

    def retract_labels(
        self, stream: str, verdict_id: str, at: float, overruled: bool = False
    ) -> int:
        """Append a retraction of all labels of the verdict; return its position."""
        position = self.next_label(stream)
        self._connection.execute(
            t.labels.insert().values(
                stream=stream,
                position=position,
                verdict_id=verdict_id,
                state=OVERRULED if overruled else None,
                at=at,
            )
        )
        return position

    def restore_labels(
        self, stream: str, verdict_id: str, retracted_at: int, without: Collection[str] = ()
    ) -> int:
        """Append again what the retraction at that position took."""
        n = t.labels.c
        taken = self._connection.execute(
            sa.select(n.candidate_id, n.y, n.weight, n.state, n.at)
            .where(
                n.stream == stream,
                n.verdict_id == verdict_id,
                n.position < retracted_at,
                in_force_until(n, retracted_at - 1),
            )
            .order_by(n.position)
        ).mappings()
        first = self.next_label(stream)
        rows = [
            {"stream": stream, "position": first + i, "verdict_id": verdict_id, **row}
            for i, row in enumerate(row for row in taken if row["candidate_id"] not in without)
        ]
        self._connection.execute(t.labels.insert(), rows)
        return first + len(rows) - 1

    def teaching(self, actor: str, since: float, until: float) -> Sequence[Verdict]:
        """Return the actor's standing verdicts of that time with labels in force, oldest first."""
        v = t.verdicts.c
        return load_verdicts(
            self._connection,
            v.actor == actor,
            v.at >= since,
            v.at < until,
            v.state.in_(STANDING),
            teaches(),
        )

    def stands(self, verdict: Verdict) -> bool:
        """Return whether the verdict has not been taken back."""
        return str(verdict.state) in STANDING

    def add_rollback(self, rollback: Rollback) -> None:
        """Keep a roll-back."""
        given = {name: getattr(rollback, name) for name in Rollback.__slots__}
        self._connection.execute(
            t.rollbacks.insert().values(**{**given, "taken": dumps(rollback.taken)})
        )

    def rollback(self, rollback_id: str) -> Rollback | None:
        """Return one roll-back."""
        b = t.rollbacks.c
        row = (
            self._connection.execute(sa.select(t.rollbacks).where(b.rollback_id == rollback_id))
            .mappings()
            .first()
        )
        return None if row is None else _rollback(row)

    def undo_rollback(self, rollback: Rollback) -> None:
        """Note that a roll-back was undone."""
        b = t.rollbacks.c
        self._connection.execute(
            t.rollbacks.update()
            .where(b.rollback_id == rollback.rollback_id)
            .values(undone_at=rollback.undone_at)
        )


def log_rows(
    connection: sa.Connection, stream: str, after: int, until: int = NEWEST
) -> Sequence[Added | Retraction]:
    """Return the rows of the log after a position and up to another, in order."""
    n, c, w, v = t.labels.c, t.candidates.c, t.truths.c, t.verdicts.c
    rows = connection.execute(
        sa.select(
            n.position,
            n.verdict_id,
            n.state,
            n.candidate_id,
            n.y,
            n.weight,
            sa.func.coalesce(w.source, ""),
            sa.func.coalesce(w.actor, v.actor, ""),
            n.at,
            c.event_time,
            c.vector,
            c.features_version,
            c.body,
        )
        .join_from(t.labels, t.candidates, c.candidate_id == n.candidate_id, isouter=True)
        .outerjoin(t.truths, w.truth_id == n.verdict_id)
        .outerjoin(t.verdicts, v.verdict_id == n.verdict_id)
        .where(n.stream == stream, n.position > after, n.position <= until)
        .order_by(n.position)
    )
    return [_log_row(*row) for row in rows]


def _log_row(position: int, group: str, state: str | None, *rest: Any) -> Added | Retraction:
    candidate_id, y, weight, source, actor, at, event_time, vector, features_version, body = rest
    if candidate_id is None:
        return Retraction(position, group, overruled=state == OVERRULED)
    return Added(
        Entry(
            position=position,
            group=group,
            candidate_id=candidate_id,
            y=y,
            weight=weight,
            state=MemberState(state or ""),
            source=source,
            actor=actor,
            at=at,
            event_time=event_time,
        ),
        bytes(vector),
        features_version,
        loads(body)["entities"],
    )


def in_force_until(
    added: sa.sql.base.ReadOnlyColumnCollection[str, sa.Column[Any]], position: int | None = None
) -> sa.ColumnElement[bool]:
    """Return the condition that a row is a label that no later row up to ``position`` retracts."""
    gone = t.labels.alias("gone").c
    later = [] if position is None else [gone.position <= position]
    retracted = sa.exists().where(
        gone.stream == added.stream,
        gone.verdict_id == added.verdict_id,
        gone.position > added.position,
        gone.candidate_id.is_(None),
        *later,
    )
    return sa.and_(added.candidate_id.is_not(None), ~retracted)


def teaches() -> sa.ColumnElement[bool]:
    """Return the condition that a verdict has labels in force."""
    v, n = t.verdicts.c, t.labels.alias("taught").c
    return sa.exists().where(n.stream == v.stream, n.verdict_id == v.verdict_id, in_force_until(n))


def analyst_rows(connection: sa.Connection) -> Sequence[AnalystRow]:
    """Return everybody who gave a verdict that teaches, by name, over all streams."""
    streams = connection.scalars(sa.select(t.labels.c.stream).distinct()).all()
    agreed: dict[str, Reliability] = {}
    labels: dict[str, int] = {}
    for stream in streams:
        fold = LabelFold()
        fold.take(log_rows(connection, stream, 0))
        for name, one in reliabilities(fold.known, fold.overruled).items():
            before = agreed.get(name, Reliability())
            agreed[name] = Reliability(before.agreed + one.agreed, before.disagreed + one.disagreed)
        for entry in fold.known:
            if not entry.source and entry.state is MemberState.READ:
                labels[entry.actor] = labels.get(entry.actor, 0) + 1
    return [
        AnalystRow(
            analyst=name,
            read=labels.get(name, 0),
            agreed=one.agreed,
            disagreed=one.disagreed,
            reliability=one.mean,
            weight=one.weight,
        )
        for name, one in sorted(agreed.items())
    ]


def rollback_rows(connection: sa.Connection) -> Sequence[Rollback]:
    """Return the newest roll-backs, newest first."""
    b = t.rollbacks.c
    rows = connection.execute(
        sa.select(t.rollbacks).order_by(b.at.desc(), b.rollback_id).limit(LISTED)
    ).mappings()
    return [_rollback(row) for row in rows]


def _rollback(row: sa.RowMapping) -> Rollback:
    taken = tuple((verdict_id, position) for verdict_id, position in loads(row["taken"]))
    return Rollback(**{**row, "taken": taken})
