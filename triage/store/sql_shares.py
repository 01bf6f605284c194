"""The head of the queue with its shares: which clusters are uncertain, audits, or drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from triage.policy import Policy
from triage.queries import QueueFilter
from triage.shares import HEAD, Purpose, Shares, mixed
from triage.store import tables as t
from triage.store.bulk import among
from triage.store.sql_recall import awaits_its_look

LOOKED_THROUGH = 500  # audits, for those that are the viewer's
EVEN = 5.0  # the worth of a cluster that is as likely real as not

Rows = Sequence[sa.Row[*tuple[Any, ...]]]
"""Of ``cluster_id``, ``worth`` and what else is asked for."""

_OLDEST = (  # built once, see ``sql_shared``
    sa.select(t.audits.c.cluster_id)
    .join(t.closings, t.closings.c.verdict_id == t.audits.c.verdict_id)
    .where(t.audits.c.wrong.is_(None))
    .order_by(t.closings.c.number, t.audits.c.candidate_id)
    .limit(LOOKED_THROUGH)
)


def mixed_head(
    connection: sa.Connection,
    where: QueueFilter,
    fits: Sequence[sa.ColumnElement[bool]],
    named: Sequence[sa.ColumnElement[bool]],
    look: int,
) -> Mapping[str, float]:
    """Return the worth of the clusters of the head, in the order in which the next looks go.

    ``fits``: the filter, to be read along the order; ``named``: the same for clusters given by id.
    ``look``: number of looks before. Reads a few dozen rows along indexes, however long the queue.
    """
    shares = _shares(connection, where.stream)
    by_worth = _by_worth(connection, fits)
    uncertain = _uncertain(connection, fits, shares.wanted(Purpose.UNCERTAIN, look))
    audits = _audits(connection, named, shares.wanted(Purpose.AUDIT, look))
    drawn = _drawn(connection, named, shares.wanted(Purpose.RANDOM, look))
    order = mixed(
        [row.cluster_id for row in by_worth if row.pull],
        [row.cluster_id for row in uncertain],
        [row.cluster_id for row in audits],
        [row.cluster_id for row in drawn],
        shares,
        look,
    )
    # where little else waits, audits fill the head
    placed = frozenset(order)
    rest = [row.cluster_id for row in by_worth if row.cluster_id not in placed]
    found = {row.cluster_id: row.worth for row in (*by_worth, *uncertain, *audits, *drawn)}
    return {one: found[one] for one in [*order, *rest][: max(len(by_worth), len(order))]}


def _by_worth(connection: sa.Connection, fits: Sequence[sa.ColumnElement[bool]]) -> Rows:
    """Return the clusters most worth a look, in that order."""
    c = t.clusters.c
    walk = sa.select(c.cluster_id, c.worth, c.pull).where(*fits)
    return connection.execute(walk.order_by(c.worth.desc(), c.cluster_id.desc()).limit(HEAD)).all()


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
) -> Rows:
    """Return the clusters next to even odds, along the index of worth in both directions."""
    c = t.clusters.c
    if not count:
        return []
    near = sa.select(c.cluster_id, c.worth, c.pull)
    above = near.where(*fits, c.worth >= EVEN).order_by(c.worth, c.cluster_id)
    below = near.where(*fits, c.worth < EVEN).order_by(c.worth.desc(), c.cluster_id.desc())
    rows = [
        row for half in (above, below) for row in connection.execute(half.limit(count)) if row.pull
    ]
    rows.sort(key=lambda row: (abs(row.worth - EVEN), row.cluster_id))
    return rows[:count]


def _audits(connection: sa.Connection, named: Sequence[sa.ColumnElement[bool]], count: int) -> Rows:
    """Return the audits that wait, oldest first: an unread one holds up all that came after."""
    c = t.clusters.c
    # these first: from the side of the clusters the whole queue would be read
    oldest = connection.scalars(_OLDEST).all() if count else []
    if not oldest:
        return []
    these = sa.select(c.cluster_id, c.worth)
    of_these = connection.execute(these.where(among(connection, c.cluster_id, oldest), *named))
    wait = {row.cluster_id: row for row in of_these}
    return [wait[cluster_id] for cluster_id in oldest if cluster_id in wait][:count]


def _drawn(connection: sa.Connection, named: Sequence[sa.ColumnElement[bool]], count: int) -> Rows:
    """Return the clusters drawn for a look that wait for it, the oldest first.

    Along their own index: by that of the order the whole queue would be read and sorted.
    """
    c = t.clusters.c
    if not count:
        return []
    waiting = sa.select(c.cluster_id, c.worth).where(*named, *awaits_its_look(connection))
    return connection.execute(waiting.order_by(c.arrival, c.cluster_id).limit(count)).all()
