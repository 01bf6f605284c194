"""The head of the queue with its shares: which clusters are uncertain, audits, or drawn."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from triage.policy import Policy
from triage.queries import QueueFilter
from triage.shares import Purpose, Shares, mixed
from triage.store import tables as t
from triage.store.sql_recall import awaits_its_look

LOOKED_THROUGH = 500  # audits, for those that are the viewer's
EVEN = 5.0  # the worth of a cluster that is as likely real as not


def mixed_head(
    connection: sa.Connection,
    where: QueueFilter,
    by_worth: Sequence[sa.RowMapping],
    fits: Sequence[sa.ColumnElement[bool]],
    named: Sequence[sa.ColumnElement[bool]],
) -> Sequence[sa.RowMapping]:
    """Return the rows of the head as the next looks go; ``by_worth``: the head in order of worth.

    ``fits``: the filter, to be read along the order; ``named``: the same for clusters given by id.
    Looks up a few dozen rows along indexes, however long the queue is.
    """
    shares = _shares(connection, where.stream)
    look = connection.scalar(sa.select(sa.func.max(t.verdicts.c.number))) or 0
    uncertain = _uncertain(connection, fits, shares.wanted(Purpose.UNCERTAIN, look))
    audits = _audits(connection, named, shares.wanted(Purpose.AUDIT, look))
    drawn = _drawn(connection, named, shares.wanted(Purpose.RANDOM, look))
    rows = {row["cluster_id"]: row for row in (*by_worth, *uncertain, *audits, *drawn)}
    order = mixed(
        [row["cluster_id"] for row in by_worth if row["pull"]],
        [row["cluster_id"] for row in uncertain],
        [row["cluster_id"] for row in audits],
        [row["cluster_id"] for row in drawn],
        shares,
        look,
    )
    # where little else waits, audits fill the head
    rest = [row["cluster_id"] for row in by_worth if row["cluster_id"] not in set(order)]
    return [rows[cluster_id] for cluster_id in (*order, *rest)][: max(len(by_worth), len(order))]


def _shares(connection: sa.Connection, stream: str | None) -> Shares:
    """Return the stream's shares; of all streams together the largest."""
    s = t.streams.c
    kept = sa.select(s.policy) if stream is None else sa.select(s.policy).where(s.stream == stream)
    policies = [Policy.model_validate_json(text) for text in connection.scalars(kept)]
    policies = policies or [Policy()]
    return Shares(
        audit=max(policy.audit_share for policy in policies),
        uncertain=max(policy.uncertain_share for policy in policies),
        random=max(policy.random_share for policy in policies),
    )


def _uncertain(
    connection: sa.Connection, fits: Sequence[sa.ColumnElement[bool]], count: int
) -> Sequence[sa.RowMapping]:
    """Return the clusters next to even odds, along the index of worth in both directions."""
    c = t.clusters.c
    if not count:
        return []
    above = sa.select(t.clusters).where(*fits, c.worth >= EVEN).order_by(c.worth, c.cluster_id)
    below = sa.select(t.clusters).where(*fits, c.worth < EVEN)
    below = below.order_by(c.worth.desc(), c.cluster_id.desc())
    rows = [
        row
        for half in (above, below)
        for row in connection.execute(half.limit(count)).mappings()
        if row["pull"]
    ]
    rows.sort(key=lambda row: (abs(row["worth"] - EVEN), row["cluster_id"]))
    return rows[:count]


def _audits(
    connection: sa.Connection, named: Sequence[sa.ColumnElement[bool]], count: int
) -> Sequence[sa.RowMapping]:
    """Return the audits that wait, oldest first: an unread one holds up all that came after."""
    a, k, c = t.audits.c, t.closings.c, t.clusters.c
    if not count:
        return []
    # these first: from the side of the clusters the whole queue would be read
    oldest = connection.scalars(
        sa.select(a.cluster_id)
        .join(t.closings, k.verdict_id == a.verdict_id)
        .where(a.wrong.is_(None))
        .order_by(k.number, a.candidate_id)
        .limit(LOOKED_THROUGH)
    ).all()
    rows = {
        row["cluster_id"]: row
        for row in connection.execute(
            sa.select(t.clusters).where(c.cluster_id.in_(oldest), *named)
        ).mappings()
    }
    return [rows[cluster_id] for cluster_id in oldest if cluster_id in rows][:count]


def _drawn(
    connection: sa.Connection, named: Sequence[sa.ColumnElement[bool]], count: int
) -> Sequence[sa.RowMapping]:
    """Return the clusters drawn for a look that wait for it, the oldest first.

    Along their own index: by that of the order the whole queue would be read and sorted.
    """
    c = t.clusters.c
    if not count:
        return []
    waiting = sa.select(t.clusters).where(*named, *awaits_its_look(connection))
    oldest = waiting.order_by(c.arrival, c.cluster_id).limit(count)
    return connection.execute(oldest).mappings().all()
