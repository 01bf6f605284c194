"""A store with a hundred thousand open clusters, made in minutes.

A thousand clusters are made as in the tests; the database itself then copies their rows under new
ids, further back in time and a little less worth each time.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tests.support.seed import seed_store
from triage.model import ClusterStatus
from triage.store import tables as t
from triage.store.database import Database
from triage.store.store import open_store

TEMPLATE = 1_000  # clusters
LESS = 0.0005  # of its worth that each copy has less


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is to be: open clusters, candidates."""

    clusters: int
    candidates: int


def fill(url: str, size: Size) -> Size:
    """Fill the empty store at ``url``; return what is in it."""
    with closing(open_store(url)) as store:
        seed_store(store, TEMPLATE, seed=7, at=time.time())
    with closing(Database(url)) as database:
        with database.read() as connection:
            first = Size(_open(connection), _number(connection, t.candidates))
            seq = connection.scalar(sa.select(sa.func.max(t.candidates.c.seq))) or 0
        copy, have = 1, first
        while have.clusters < size.clusters or have.candidates < size.candidates:
            decided = have.clusters >= size.clusters
            with database.write() as connection:
                _copy(connection, copy, seq, decided)
            grown = 0 if decided else first.clusters
            have = Size(have.clusters + grown, have.candidates + first.candidates)
            copy += 1
        if not database.is_sqlite:  # it would do so by itself, later; SQLite keeps no statistics
            with database.write() as connection:
                connection.exec_driver_sql("ANALYZE")
        return have


def _copy(connection: sa.Connection, copy: int, seq: int, decided: bool) -> None:
    """Copy the first thousand clusters with all that belongs to them."""
    tail = f"-{copy}"
    c, k = t.clusters.c, t.candidates.c
    earlier = 40.0 * copy  # seconds
    worth = c.worth * (1 - LESS * copy)
    as_decided: dict[str, Any] = {}
    if decided:
        as_decided = {"status": ClusterStatus.DECIDED.value, "waiting": 0, "verdict": "spurious"}
    own = sa.not_(c.cluster_id.like("%-%-%-%-%-%"))
    _clone(
        connection,
        t.clusters,
        own,
        {
            "cluster_id": c.cluster_id + tail,
            "worth": worth,
            "last_time": c.last_time - earlier,
            "first_time": c.first_time - earlier,
            **as_decided,
        },
    )
    for table, changed in (
        (t.cluster_reasons, {}),
        (t.cluster_entities, {"value": t.cluster_entities.c.value + tail}),
    ):
        given = {"cluster_id": table.c.cluster_id + tail, **changed}
        _clone(connection, table, sa.not_(table.c.cluster_id.like("%-%-%-%-%-%")), given)
    _clone(
        connection,
        t.candidates,
        k.seq <= seq,
        {
            "seq": k.seq + copy * seq,
            "candidate_id": k.candidate_id + tail,
            "offset": k.offset + copy * 10_000_000,
            "event_time": k.event_time - earlier,
            "event_id": k.event_id + tail,
        },
    )
    m = t.members.c
    state = {"state": "propagated"} if decided else {}
    _clone(
        connection,
        t.members,
        m.seq <= seq,
        {
            "candidate_id": m.candidate_id + tail,
            "seq": m.seq + copy * seq,
            "cluster_id": m.cluster_id + tail,
            **state,
        },
    )


def _clone(
    connection: sa.Connection,
    table: sa.Table,
    which: sa.ColumnElement[bool],
    changed: Mapping[str, Any],
) -> None:
    names = [column.name for column in table.c]
    values = [sa.type_coerce(_value(changed.get(n, table.c[n])), table.c[n].type) for n in names]
    connection.execute(table.insert().from_select(names, sa.select(*values).where(which)))


def _value(given: Any) -> Any:
    return given if isinstance(given, sa.ColumnElement) else sa.literal(given)


def _open(connection: sa.Connection) -> int:
    found = sa.select(sa.func.count()).select_from(t.clusters)
    return connection.scalar(found.where(t.clusters.c.status == "open")) or 0


def _number(connection: sa.Connection, table: sa.Table) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
