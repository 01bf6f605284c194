"""The unit of work of the handlers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from triage.cases import AuditEntry, Case, FindingRevision, Verdict
from triage.findings import FindingKind, Message
from triage.model import Candidate, ClusterStatus, MemberState, VerdictKind
from triage.policy import Policy
from triage.queries import VerdictRow
from triage.store import tables as t
from triage.store.base import UnitOfWork
from triage.store.bulk import select_in
from triage.store.codec import dump_headers, dumps, load_candidate
from triage.store.database import next_of
from triage.store.sql_closing import VERDICTS
from triage.store.sql_disputes import SqlDisputeUnit
from triage.store.sql_labels import teaches
from triage.store.sql_presence import touch
from triage.store.sql_shared import (
    STANDING,
    WAITING,
    SqlPart,
    add_audit,
    add_change,
    add_outbox,
    add_to_mark,
    policy_of,
)
from triage.store.sql_verdicts import load_verdict, load_verdicts, standing_on, verdict_row

# Built once, see ``sql_shared``.
_C, _M, _R, _V = t.clusters.c, t.members.c, t.requests.c, t.verdicts.c
_ANSWERED = sa.select(_R.sha256, _R.verdict_id).where(
    _R.actor == sa.bindparam("actor"), _R.key == sa.bindparam("key")
)
_CASE = sa.select(t.clusters).where(_C.cluster_id == sa.bindparam("cluster_id"))
_MEMBERS = (
    sa.select(_M.candidate_id).where(_M.cluster_id == sa.bindparam("cluster_id")).order_by(_M.seq)
)
_READ = (
    t.members.update()
    .where(_M.cluster_id == sa.bindparam("of"))
    .values(
        state=sa.case(
            (_M.candidate_id.in_(sa.bindparam("read", expanding=True)), str(MemberState.READ)),
            else_=str(MemberState.OPEN),
        )
    )
)
_DECIDE = (
    t.clusters.update()
    .where(_C.cluster_id == sa.bindparam("of"))
    .values({name: sa.bindparam(name) for name in ("status", "waiting", "revision", "verdict")})
)
_ADD_VERDICT = t.verdicts.insert().values(number=next_of(_V.number))


class SqlCases(SqlPart):
    """See ``base.CaseStore``."""

    @contextlib.contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        """Begin a transaction: committed at the end, rolled back on any error."""
        with self._db.write() as connection:
            self._db.in_order(connection)
            yield SqlUnitOfWork(self._db, connection)


class SqlUnitOfWork(SqlDisputeUnit):
    """See ``base.UnitOfWork``."""

    def policy(self, stream: str) -> Policy:
        """Return the stream's policy in force."""
        return policy_of(self._connection, stream)

    def answered(self, actor: str, key: str) -> tuple[str, str] | None:
        """Return (content hash, id of what it made) of a request that was answered before."""
        row = self._connection.execute(_ANSWERED, {"actor": actor, "key": key}).first()
        return None if row is None else (row[0], row[1])

    def remember(self, actor: str, key: str, sha256: str, made: str, at: float) -> None:
        """Note the answer to a request."""
        row = {"actor": actor, "key": key, "sha256": sha256, "verdict_id": made, "at": at}
        self._connection.execute(t.requests.insert(), row)

    def case(self, cluster_id: str) -> Case | None:
        """Return a cluster as a handler needs it."""
        row = self._connection.execute(_CASE, {"cluster_id": cluster_id}).mappings().first()
        if row is None:
            return None
        return Case(
            cluster_id=row["cluster_id"],
            stream=row["stream"],
            detector=row["detector"],
            title=row["title"],
            subtitle=row["subtitle"],
            status=ClusterStatus(row["status"]),
            revision=row["revision"],
            verdict=None if row["verdict"] is None else VerdictKind(row["verdict"]),
            origin=row["origin"],
            counted=bool(row["counted"]),
            suggested=VerdictKind(row["suggested"]),
        )

    def member_ids(self, cluster_id: str) -> Sequence[str]:
        """Return all members, oldest first."""
        return self._connection.scalars(_MEMBERS, {"cluster_id": cluster_id}).all()

    def candidates(self, candidate_ids: Sequence[str]) -> Sequence[Candidate]:
        """Return these candidates in the order asked for."""
        rows = select_in(
            self._connection, sa.select(t.candidates), t.candidates.c.candidate_id, candidate_ids
        )
        found = {row["candidate_id"]: load_candidate(row) for row in rows}
        return [found[candidate_id] for candidate_id in candidate_ids]

    def verdict(self, verdict_id: str) -> Verdict | None:
        """Return one verdict."""
        return load_verdict(self._connection, verdict_id)

    def standing(self, cluster_id: str) -> Sequence[Verdict]:
        """Return the cluster's verdicts that have not been taken back, oldest first."""
        return standing_on(self._connection, cluster_id)

    def expired(self, at: float, limit: int) -> Sequence[Verdict]:
        """Return standing verdicts that have expired with labels in force, oldest first."""
        v = t.verdicts.c
        return load_verdicts(
            self._connection,
            v.kind == VerdictKind.EXPECTED,
            v.state.in_(STANDING),
            v.expires_at <= at,
            v.label_position.is_not(None),
            teaches(),
            limit=limit,
        )

    def add_verdict(self, verdict: Verdict) -> None:
        """Store a new verdict."""
        row = {
            "verdict_id": verdict.verdict_id,
            "cluster_id": verdict.cluster_id,
            "stream": verdict.stream,
            "kind": str(verdict.kind),
            "state": str(verdict.state),
            "actor": verdict.actor,
            "at": verdict.at,
            "reason": verdict.reason,
            "scope": verdict.scope,
            "expires_at": verdict.expires_at,
            "read_ids": dumps(verdict.read_ids),
            "read": len(verdict.read_ids),
            "propagated": verdict.propagated,
            "grace_until": verdict.grace_until,
            "label_position": verdict.label_position,
            "suggested": None if verdict.suggested is None else str(verdict.suggested),
        }
        self._connection.execute(_ADD_VERDICT, row)
        add_to_mark(self._db, self._connection, VERDICTS + verdict.stream, 1)

    def update_verdict(self, verdict: Verdict) -> None:
        """Store a verdict's new state, label position and members."""
        self._connection.execute(
            t.verdicts.update()
            .where(t.verdicts.c.verdict_id == verdict.verdict_id)
            .values(
                state=str(verdict.state),
                label_position=verdict.label_position,
                read_ids=dumps(verdict.read_ids),
                read=len(verdict.read_ids),
                propagated=verdict.propagated,
            )
        )

    def update_case(self, case: Case) -> None:
        """Store the cluster's status, revision and verdict."""
        row = {
            "of": case.cluster_id,
            "status": str(case.status),
            "waiting": int(case.status in WAITING),
            "revision": case.revision,
            "verdict": None if case.verdict is None else str(case.verdict),
        }
        self._connection.execute(_DECIDE, row)

    def touch(self, cluster_id: str, actor: str, at: float) -> None:
        """Note that a person has the cluster in hand, unless somebody had before."""
        touch(self._db, self._connection, cluster_id, actor, at)

    def set_read(self, cluster_id: str, read: Sequence[str]) -> None:
        """Set the state of all members: read, or open if they are not named."""
        self._connection.execute(_READ, {"of": cluster_id, "read": list(read)})

    def send(self, message: Message, at: float, verdict_id: str | None, not_before: float) -> int:
        """Put a message into the outbox; return its outbox id."""
        row = {
            "topic": message.topic,
            "key": message.key,
            "value": message.value,
            "headers": dump_headers(message.headers),
            "verdict_id": verdict_id,
            "not_before": not_before,
            "at": at,
        }
        return add_outbox(self._db, self._connection, [row])[0]

    def withdraw(self, verdict_id: str) -> bool:
        """Take back the verdict's messages that have no number; return whether there were any."""
        gone = self._connection.execute(
            t.pending.delete().where(t.pending.c.verdict_id == verdict_id)
        )
        return gone.rowcount > 0

    def sent(self, verdict_id: str) -> int:
        """Return how many messages of the verdict have a number."""
        n, o = t.numbered.c, t.outbox.c
        rows = sa.select(n.sequence).join(t.outbox, o.outbox_id == n.outbox_id)
        return len(self._connection.execute(rows.where(o.verdict_id == verdict_id)).all())

    def finding(self, verdict_id: str) -> FindingRevision | None:
        """Return the newest revision of the verdict's finding."""
        f = t.findings.c
        row = (
            self._connection.execute(
                sa.select(t.findings)
                .where(f.verdict_id == verdict_id)
                .order_by(f.revision.desc())
                .limit(1)
            )
            .mappings()
            .first()
        )
        if row is None:
            return None
        return FindingRevision(**{**row, "kind": FindingKind(row["kind"])})

    def add_finding(self, revision: FindingRevision) -> None:
        """Note a revision of a finding."""
        self._connection.execute(
            t.findings.insert().values(
                finding_id=revision.finding_id,
                revision=revision.revision,
                verdict_id=revision.verdict_id,
                kind=str(revision.kind),
                outbox_id=revision.outbox_id,
                at=revision.at,
            )
        )

    def audit(self, entry: AuditEntry) -> None:
        """Append to the audit trail."""
        add_audit(self._connection, entry)

    def change(self, kind: str, at: float, data: Mapping[str, Any]) -> None:
        """Tell the boards."""
        add_change(self._connection, kind, at, data)

    def verdict_row(self, verdict_id: str) -> VerdictRow | None:
        """Return the verdict as the board shows it."""
        return verdict_row(self._connection, verdict_id)
