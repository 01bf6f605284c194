"""Members of a cluster and the record of one, as the board may have them: masked by the policy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import sqlalchemy as sa

from triage.case_queries import RecordDetail
from triage.links import links_of
from triage.masking import masked, masked_candidate
from triage.model import Candidate, MemberState
from triage.queries import MemberRow
from triage.store import tables as t
from triage.store.codec import load_candidate
from triage.store.sql_shared import policy_of

BESIDE = 100  # members that the record's page offers
_MEMBERS = (  # built once, see ``sql_shared``
    sa.select(t.candidates, t.members.c.posterior.label("latest"), t.members.c.state)
    .join(t.members, t.members.c.seq == t.candidates.c.seq)
    .where(t.members.c.cluster_id == sa.bindparam("cluster_id"))
    .order_by(t.members.c.posterior.desc(), t.members.c.seq)
    .offset(sa.bindparam("offset"))
    .limit(sa.bindparam("limit"))
)


def cluster_members(
    connection: sa.Connection, cluster_id: str, offset: int, limit: int
) -> Sequence[MemberRow]:
    """Return members, strongest posterior first."""
    page = {"cluster_id": cluster_id, "offset": offset, "limit": limit}
    listed = connection.execute(_MEMBERS, page).mappings().all()
    names = policy_of(connection, listed[0]["stream"]).masked if listed else ()
    return [
        MemberRow(
            masked_candidate(load_candidate(row), names), row["latest"], MemberState(row["state"])
        )
        for row in listed
    ]


def shown_candidates(
    connection: sa.Connection, rows: Iterable[sa.RowMapping]
) -> Iterator[tuple[sa.RowMapping, Candidate]]:
    """Yield rows of ``candidates``, each with its candidate as the board may have it."""
    masks: dict[str, Collection[str]] = {}
    for row in rows:
        stream = row["stream"]
        if stream not in masks:
            masks[stream] = policy_of(connection, stream).masked
        yield row, masked_candidate(load_candidate(row), masks[stream])


def record_detail(
    connection: sa.Connection, cluster_id: str, candidate_id: str | None
) -> RecordDetail | None:
    """See ``case_queries.CaseQueries.record``."""
    m = t.members.c
    beside = connection.execute(
        sa.select(m.candidate_id, t.candidates.c.entity, t.candidates.c.event_time)
        .join(t.members, m.seq == t.candidates.c.seq)
        .where(m.cluster_id == cluster_id)
        .order_by(m.posterior.desc(), m.seq)
        .limit(BESIDE)
    ).all()
    if not beside:
        return None
    row = (
        connection.execute(
            sa.select(t.candidates)
            .join(t.members, m.seq == t.candidates.c.seq)
            .where(m.cluster_id == cluster_id, m.candidate_id == (candidate_id or beside[0][0]))
        )
        .mappings()
        .first()
    )
    if row is None:
        return None
    candidate = load_candidate(row)
    policy = policy_of(connection, candidate.stream)
    return RecordDetail(
        candidate_id=candidate.candidate_id,
        entity=candidate.entity,
        event_time=candidate.event_time,
        event_id=candidate.event_id,
        partition=candidate.partition,
        offset=candidate.offset,
        fields=masked(candidate.record, policy.masked),
        links=links_of(policy.links, candidate),
        beside=[(each.candidate_id, each.entity, each.event_time) for each in beside],
    )
