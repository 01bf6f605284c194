"""Clusters as they came, and what the random looks among them say."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from triage.bound import Drawn
from triage.draw import is_drawn, probability
from triage.model import VerdictKind
from triage.recall import Arrivals, Recall, recall_of
from triage.store import tables as t
from triage.store.bulk import among, update_many
from triage.store.database import Database
from triage.store.sql_closing import VERDICTS
from triage.store.sql_shared import get_mark, policy_of, set_mark

ARRIVALS = "arrivals:"  # number of clusters that came, by stream


def arrive(
    db: Database, connection: sa.Connection, stream: str, cluster_ids: Sequence[str]
) -> None:
    """Number the clusters that have no number yet, and draw some of them for a look."""
    c = t.clusters.c
    these = among(connection, c.cluster_id, cluster_ids)
    new = connection.scalars(
        sa.select(c.cluster_id).where(these, c.arrival.is_(None)).order_by(c.cluster_id)
    ).all()
    if not new:
        return
    policy = policy_of(connection, stream)
    before = get_mark(connection, ARRIVALS + stream)
    looks = get_mark(connection, VERDICTS + stream)
    rows = []
    for number, cluster_id in enumerate(new, before + 1):
        chance = probability(policy.random_share, looks, number - 1, 1)
        drawn = is_drawn(policy.audit_seed, ("random look", cluster_id), chance)
        rows.append(
            {"cluster_id": cluster_id, "arrival": number, "chance": chance, "drawn": int(drawn)}
        )
    update_many(connection, t.clusters, "cluster_id", rows)
    set_mark(db, connection, ARRIVALS + stream, before + len(new))


def awaits_its_look(connection: sa.Connection) -> Sequence[sa.ColumnElement[bool]]:
    """Return the conditions of the index of drawn clusters that wait.

    SQLite takes an index of all that wait instead, and sorts them, unless told that most do.
    """
    c = t.clusters.c
    waiting: sa.ColumnElement[bool] = c.waiting == sa.literal_column("1")
    if connection.dialect.name == "sqlite":
        waiting = sa.func.likely(waiting)
    return (c.drawn == sa.literal_column("1"), waiting)


def recalls(connection: sa.Connection) -> Sequence[Recall]:
    """Return the recall of each stream that has clusters with a number, by stream."""
    name = t.marks.c.name
    marks = connection.scalars(
        sa.select(name).where(name.startswith(ARRIVALS, autoescape=True)).order_by(name)
    )
    streams = [mark.removeprefix(ARRIVALS) for mark in marks.all()]
    return [recall_of(stream, _arrivals(connection, stream)) for stream in streams]


def _arrivals(connection: sa.Connection, stream: str) -> Arrivals:
    c = t.clusters.c
    oldest, waiting = connection.execute(
        sa.select(sa.func.min(c.arrival), sa.func.count()).where(
            c.stream == stream, *awaits_its_look(connection)
        )
    ).one()
    known = [c.stream == stream, c.arrival.is_not(None), c.chance > 0]
    if oldest is not None:
        known.append(c.arrival < oldest)
    real = sa.case((c.verdict == str(VerdictKind.REAL), 1), else_=0)
    rows = connection.execute(
        sa.select(
            c.chance,
            sa.func.count(),
            sa.func.sum(c.drawn * real),
            sa.func.sum(c.drawn * sa.case((c.verdict.is_not(None), 1), else_=0)),
            sa.func.sum(real),
        )
        .where(*known)
        .group_by(c.chance)
    ).all()
    return Arrivals(
        drawn=[Drawn(chance, count, int(hits)) for chance, count, hits, _, _ in rows],
        read=sum(int(row[3]) for row in rows),
        found=sum(int(row[4]) for row in rows),
        waiting=waiting,
    )
