"""The queue: filters, orders, and how both stay fast with a hundred thousand clusters.

A page is read along the index of its order, which ends early when most clusters fit. Where few fit
(a rare word, one entity) that would walk the whole index, so there the few are found first. SQLite
keeps no statistics; which columns it may use an index for is said by ``_is``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from triage.model import ClusterStatus, VerdictKind
from triage.queries import QueueFilter, QueuePage, QueueRow
from triage.shares import HEAD
from triage.store import tables as t
from triage.store.codec import dumps, loads
from triage.store.sql_disputes import disputed
from triage.store.sql_shared import CLUSTERS, STANDING, WAITING
from triage.store.sql_shares import mixed_head
from triage.store.sql_similar import similar
from triage.worth import worth

FEW = 2_000  # clusters that are looked up one by one
ORDERS: dict[str, sa.Column[Any]] = {
    "worth": t.clusters.c.worth,
    "newest": t.clusters.c.last_time,
    "largest": t.clusters.c.size,
}


def _number(of: sa.Function[Any], *fits: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    counted = sa.select(sa.cast(of, sa.BigInteger)).where(*fits).scalar_subquery()
    return sa.func.coalesce(counted, 0)


def _others(stream: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    o = t.verdicts.alias("others").c
    return sa.exists().where(o.stream == stream, o.actor != sa.bindparam("viewer"))


# Built once, see ``sql_shared``. Newest change, looks given, clusters that wait (of a stream).
_W, _STREAM = t.waiting_clusters.c, sa.bindparam("stream", type_=sa.Text)
_NUMBERS = sa.select(
    _number(sa.func.max(t.changes.c.change_id)),
    _number(sa.func.max(t.verdicts.c.number)),
    _number(sa.func.sum(_W.clusters), sa.or_(_STREAM.is_(None), _W.stream == _STREAM)),
)
# What waits for another's second opinion than the viewer's, and the open audits of verdicts that
# the viewer gave; who works alone audits himself.
_C, _V, _A = t.clusters.c, t.verdicts.c, t.audits.c
_FIRST_OPINIONS = (
    sa.select(_C.cluster_id)
    .join(t.verdicts, _V.cluster_id == _C.cluster_id)
    .where(
        _C.status == str(ClusterStatus.SECOND_OPINION),
        _V.actor == sa.bindparam("viewer"),
        _V.state.in_(STANDING),
        sa.or_(_C.pull > 0, _others(_V.stream)),
    )
)
_OWN_AUDITS = (
    sa.select(_A.cluster_id)
    .join(t.verdicts, _V.verdict_id == _A.verdict_id)
    .join(t.clusters, _C.cluster_id == _A.cluster_id)
    .where(
        _A.wrong.is_(None),
        _V.actor == sa.bindparam("viewer"),
        _C.status == str(ClusterStatus.OPEN),
        _others(_A.stream),
    )
)
_HIDDEN = sa.select(sa.union_all(_FIRST_OPINIONS, _OWN_AUDITS).subquery().c.cluster_id)
_AWAITED = _FIRST_OPINIONS.where(_V.cluster_id.in_(sa.bindparam("these", expanding=True)))


def queue_page(connection: sa.Connection, where: QueueFilter, offset: int, limit: int) -> QueuePage:
    """Return rows ``offset`` to ``offset + limit`` of the filtered, ordered queue."""
    fits: Sequence[sa.ColumnElement[bool]]
    position, look, waiting = connection.execute(_NUMBERS, {"stream": where.stream}).one()
    hidden = _hidden(connection, where)
    found = _few(connection, where, hidden)
    if found is not None:
        total, fits = len(found), [t.clusters.c.cluster_id.in_(found)]
    else:
        total = _total(connection, where, hidden, waiting)
        fits = _conditions(where, hidden, to_find=False)
    if where.order == "worth" and where.status is ClusterStatus.OPEN and found is None:
        named = _conditions(where, hidden, to_find=True, named=True)
        head = mixed_head(connection, where, fits, named, look)
        rows = _behind(connection, head, fits, offset, limit)
    else:
        of_all = where.status is None and found is None
        in_order = _ordered_of_all if of_all else _ordered
        rows = in_order(connection, where.order, fits, offset, limit)
    alike = similar(connection, rows)
    listed = [queue_row(row, alike[row["cluster_id"]]) for row in rows]
    page = blinded(connection, listed, where.viewer)
    return QueuePage(page, total, position)


def _hidden(connection: sa.Connection, where: QueueFilter) -> Sequence[str]:
    """Return what waits, but for others than the viewer: few.

    Read first, by itself: to ask of each row of a long walk whether it is hidden costs more, and
    mostly there are none.
    """
    if where.viewer is None or where.status not in WAITING:
        return []
    return connection.scalars(_HIDDEN, {"viewer": where.viewer}).all()


def _total(
    connection: sa.Connection, where: QueueFilter, hidden: Sequence[str], waiting: int
) -> int:
    """Return how many clusters fit. How many wait is known; only what is hidden is counted."""
    counted = sa.select(sa.func.count()).select_from(t.clusters)
    if where.viewer is None or where.status is not ClusterStatus.OPEN or _narrow(where):
        return connection.scalar(counted.where(*_conditions(where, hidden, to_find=True))) or 0
    if not hidden:
        return waiting
    fits = _conditions(where, [], to_find=True, named=True)
    these = t.clusters.c.cluster_id.in_(hidden)
    return waiting - (connection.scalar(counted.where(these, *fits)) or 0)


def _ordered(
    connection: sa.Connection,
    name: str,
    fits: Sequence[sa.ColumnElement[bool]],
    offset: int,
    limit: int,
) -> Sequence[sa.RowMapping]:
    c, order = t.clusters.c, ORDERS.get(name, t.clusters.c.worth)
    walk = sa.select(c.cluster_id).where(*fits)
    return _stand(connection, walk.order_by(order.desc(), c.cluster_id.desc()), offset, limit)


def _ordered_of_all(
    connection: sa.Connection,
    name: str,
    fits: Sequence[sa.ColumnElement[bool]],
    offset: int,
    limit: int,
) -> Sequence[sa.RowMapping]:
    """The same whether they wait or not: two walks along the index, merged as they go."""
    c, order = t.clusters.c, ORDERS.get(name, t.clusters.c.worth)
    walks = [
        sa.select(c.cluster_id, order.label("place")).where(c.waiting == waiting, *fits)
        for waiting in (0, 1)
    ]
    merged = sa.union_all(*walks).order_by(sa.desc("place"), sa.desc("cluster_id"))
    return _stand(connection, merged, offset, limit)


def _stand(
    connection: sa.Connection,
    walk: sa.Select[Any] | sa.CompoundSelect[Any],
    offset: int,
    limit: int,
) -> Sequence[sa.RowMapping]:
    """Return the clusters that stand at these places of a walk along an index of ids.

    The walk comes first, by itself: what it passes by is counted in the index, and no row is read.
    """
    return _rows(connection, connection.scalars(walk.offset(offset).limit(limit)).all())


def _rows(connection: sa.Connection, ids: Sequence[str]) -> Sequence[sa.RowMapping]:
    """Return the clusters with these ids, in this order."""
    found = {row["cluster_id"]: row for row in CLUSTERS.rows(connection, ids)}
    return [found[cluster_id] for cluster_id in ids]


def _behind(
    connection: sa.Connection,
    head: Mapping[str, float],
    fits: Sequence[sa.ColumnElement[bool]],
    offset: int,
    limit: int,
) -> Sequence[sa.RowMapping]:
    """Return rows of the queue that begins with ``head``; the others come in order of worth."""
    page = list(head)[offset : offset + limit]
    if len(page) < limit and len(head) >= HEAD:
        after = max(0, offset - len(head))
        page += _others_by_worth(connection, fits, head, after, limit - len(page))
    return _rows(connection, page)


def _others_by_worth(
    connection: sa.Connection,
    fits: Sequence[sa.ColumnElement[bool]],
    head: Mapping[str, float],
    offset: int,
    limit: int,
) -> Sequence[str]:
    """Return clusters in order of worth without those of the head, which fit too.

    To ask of each row on the way whether it is one of the head takes several times as long as to
    pass it by. So the walk ends ``offset`` rows from the top, whichever they are; as many of the
    head as stood among them are left out behind. Ids are UUIDs in lower case: where worths are
    equal, this and every database order them alike.
    """
    c = t.clusters.c
    walk = sa.select(c.worth, c.cluster_id).where(*fits)
    walk = walk.order_by(c.worth.desc(), c.cluster_id.desc())
    rows = connection.execute(walk.offset(offset).limit(limit + len(head))).all()
    if not rows:
        return []
    first = tuple(rows[0])
    passed = sum((worth, cluster_id) > first for cluster_id, worth in head.items())
    others = [row.cluster_id for row in rows if row.cluster_id not in head]
    return others[passed : passed + limit]


def _few(
    connection: sa.Connection, where: QueueFilter, hidden: Sequence[str]
) -> Sequence[str] | None:
    """Return the clusters that fit if they are few; None if not, or if the filter is a wide one."""
    if not _narrow(where):
        return None
    fits = _conditions(where, hidden, to_find=True)
    found = connection.scalars(sa.select(t.clusters.c.cluster_id).where(*fits).limit(FEW + 1)).all()
    return None if len(found) > FEW else found


def _narrow(where: QueueFilter) -> bool:
    named = (where.entity, where.assignee, where.feature, where.cohort)
    return bool(where.text) or where.disputed or any(each is not None for each in named)


def queue_row(row: sa.RowMapping, alike: Mapping[str, int] | None = None) -> QueueRow:
    """Return the row of the queue for a row of ``clusters``; ``alike``: see ``similar``."""
    return QueueRow(
        cluster_id=row["cluster_id"],
        stream=row["stream"],
        title=row["title"],
        subtitle=row["subtitle"],
        status=ClusterStatus(row["status"]),
        revision=row["revision"],
        worth=row["worth"] if row["pull"] else worth(row["posterior"]),  # an audit tells nothing
        posterior=row["posterior"],
        score=row["score"],
        weakest=row["weakest"],
        size=row["size"],
        entities=row["entities"],
        top=tuple((label, mean) for label, mean in loads(row["top"])),
        first_time=row["first_time"],
        last_time=row["last_time"],
        created_at=row["created_at"],
        suggested=VerdictKind(row["suggested"]),
        verdict=None if row["verdict"] is None else VerdictKind(row["verdict"]),
        predecessor=row["predecessor"],
        assignee=row["assignee"] or "",
        similar=alike or {},
    )


def blinded(
    connection: sa.Connection, rows: Sequence[QueueRow], viewer: str | None
) -> Sequence[QueueRow]:
    """Return the rows; those that wait for the viewer's second opinion look open."""
    awaited = [row.cluster_id for row in rows if row.status is ClusterStatus.SECOND_OPINION]
    if viewer is None or not awaited:
        return rows
    own = connection.scalars(_AWAITED, {"viewer": viewer, "these": awaited})
    theirs = frozenset(awaited).difference(own)
    return [
        dataclasses.replace(row, status=ClusterStatus.OPEN) if row.cluster_id in theirs else row
        for row in rows
    ]


def _conditions(
    where: QueueFilter, hidden: Sequence[str], to_find: bool, named: bool = False
) -> list[sa.ColumnElement[bool]]:
    """Return the filter, ``to_find`` (or count) what fits, else to read it in order.

    ``hidden``: what the viewer may not see. ``named``: the clusters are given by their ids, so no
    other index may be taken.
    """
    c = t.clusters.c
    indexed = not (named or (to_find and _narrow(where)))
    conditions: list[sa.ColumnElement[bool]] = []
    if where.stream is not None:
        conditions.append(_is(c.stream, where.stream, indexed))
    if where.status is ClusterStatus.DECIDED:
        if not to_find:  # what is decided does not wait: to count it, its status is enough
            conditions.append(_is(c.waiting, 0, indexed))
        conditions.append(_is(c.status, where.status, indexed and to_find))
    elif where.status is ClusterStatus.SUPPRESSED:
        conditions.append(_is(c.status, where.status, indexed))
    elif where.status is None:
        conditions.append(c.status != ClusterStatus.MERGED)
    else:
        conditions.extend(_waiting(where.status, where.viewer, to_find, indexed))
    if hidden:
        conditions.append(c.cluster_id.not_in(hidden))
    if where.assignee is not None:
        conditions.append(_is(c.assignee, where.assignee, to_find and not named))
    if where.feature is not None:  # as the JSON of ``top`` has it
        conditions.append(c.top.contains(f"[{dumps(where.feature)},", autoescape=True))
    if where.disputed:
        conditions.append(c.cluster_id.in_(disputed()))
    if where.entity is not None:
        conditions.append(c.cluster_id.in_(_with_entity(where.entity)))
    if where.cohort is not None:
        conditions.append(c.cluster_id.in_(_of_cohort(*where.cohort)))
    conditions.extend(
        sa.or_(
            c.search.contains(word.lower(), autoescape=True),
            c.cluster_id.in_(_with_entity(word)),
        )
        for word in (where.text or "").split()
    )
    return conditions


def _waiting(
    status: ClusterStatus, viewer: str | None, to_find: bool, indexed: bool
) -> list[sa.ColumnElement[bool]]:
    c = t.clusters.c
    if status is ClusterStatus.OPEN and viewer is not None:
        conditions = [_is(c.waiting, 1, indexed)]
    elif status is ClusterStatus.OPEN and not to_find:
        conditions = [_is(c.waiting, 1, indexed), _is(c.status, status, False)]
    else:
        conditions = [_is(c.status, status, indexed)]
    return conditions


def _is(column: sa.Column[Any], value: str | int, indexed: bool) -> sa.ColumnElement[bool]:
    """Return ``column = value``, as an expression that no index fits unless ``indexed``."""
    if indexed:
        return column == value
    return (column.concat("") if isinstance(value, str) else column + 0) == value


def _with_entity(value: str) -> sa.Select[Any]:
    e = t.cluster_entities.c
    return sa.select(e.cluster_id).where(e.value == value)


def _of_cohort(name: str, value: str) -> sa.Select[Any]:
    one = t.cluster_cohorts.c
    return sa.select(one.cluster_id).where(one.value == value, one.name == name, one.members > 0)
