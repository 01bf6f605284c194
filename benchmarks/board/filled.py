"""A store with a hundred thousand open clusters, made in bulk.

A thousand clusters are made as in the tests; the database itself then copies their rows under new
ids, further back in time and a little less worth each time, while it keeps neither indexes nor a
journal: both come back at the end.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tests.support.counts import counted
from tests.support.seed import seed_store
from triage.model import ClusterStatus
from triage.store import tables as t
from triage.store.database import Database
from triage.store.store import open_store
from triage.store.tables_counts import COUNTS

TEMPLATE = 1_000  # clusters
LESS = 0.0005  # of its worth that each copy has less
APART = 40.0  # seconds that each copy is earlier
COPIED = (t.clusters, t.cluster_reasons, t.cluster_entities, t.candidates, t.members)
UNSAFE = {  # if the machine stops meanwhile, the store is made anew
    "sqlite": (
        "PRAGMA journal_mode = OFF",
        "PRAGMA synchronous = OFF",
        "PRAGMA cache_size = -1000000",  # kB
        "PRAGMA temp_store = MEMORY",
    ),
    "postgresql": (
        "SET synchronous_commit = off",
        "SET session_replication_role = replica",  # foreign keys of copies are right
        "SET maintenance_work_mem = '512MB'",
    ),
}

copies = sa.Table(
    "copies",
    sa.MetaData(),
    sa.Column("copy", sa.Integer),
    sa.Column("decided", sa.Integer),
    prefixes=["TEMPORARY"],
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is to be: open clusters, candidates."""

    clusters: int
    candidates: int


def fill(url: str, size: Size) -> Size:
    """Fill the empty store at ``url``; return what is in it."""
    with closing(open_store(url)) as store:
        seed_store(store, min(TEMPLATE, size.clusters), seed=7, at=time.time())
    with closing(Database(url)) as database:
        address = database.engine.url
    engine = sa.create_engine(address)
    with engine.connect() as connection:
        for setting in UNSAFE[engine.dialect.name]:
            connection.exec_driver_sql(setting)
        connection.commit()
        _multiply(connection, size)
        connection.commit()
        made = Size(_open(connection), _number(connection, t.candidates))
        connection.rollback()
        if engine.dialect.name == "postgresql":  # it does so by itself, a minute or two later
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()
    return made


def _multiply(connection: sa.Connection, size: Size) -> None:
    first = Size(_open(connection), _number(connection, t.candidates))
    seq = connection.scalar(sa.select(sa.func.max(t.candidates.c.seq))) or 0
    opened = -(-size.clusters // first.clusters)
    number = max(opened, -(-size.candidates // first.candidates))
    copies.create(connection)
    made = [{"copy": copy, "decided": int(copy >= opened)} for copy in range(1, number)]
    if not made:
        return
    connection.execute(copies.insert(), made)
    indexes = [index for table in COPIED for index in table.indexes]
    for index in indexes:
        index.drop(connection)
    for table in COPIED:
        _copy(connection, table, _template(connection, table), seq)
    for index in indexes:
        index.create(connection)
    for table in COUNTS:  # as replica PostgreSQL runs no triggers
        connection.execute(table.delete())
        connection.execute(table.insert().from_select(list(table.c), counted(table)))


def _template(connection: sa.Connection, table: sa.Table) -> sa.Table:
    """Set the rows of a table aside: it grows while they are copied."""
    columns = [sa.Column(column.name, column.type) for column in table.c]
    aside = sa.Table(f"template_{table.name}", sa.MetaData(), *columns, prefixes=["TEMPORARY"])
    aside.create(connection)
    connection.execute(aside.insert().from_select(list(aside.c), sa.select(table)))
    return aside


def _copy(connection: sa.Connection, table: sa.Table, template: sa.Table, seq: int) -> None:
    """Copy the rows of the template under new ids, once for each row of ``copies``."""
    changed = _changes(template, seq)
    values = [
        sa.type_coerce(changed.get(column.name, template.c[column.name]), column.type)
        for column in table.c
    ]
    each = sa.select(*values).select_from(copies.join(template, sa.true()))
    connection.execute(table.insert().from_select([column.name for column in table.c], each))


def _changes(template: sa.Table, seq: int) -> Mapping[str, Any]:
    """Return what differs in a copy, by column."""
    c, copy, decided = template.c, copies.c.copy, copies.c.decided == 1
    tail = sa.literal("-") + sa.cast(copy, sa.Text)
    earlier = APART * copy
    fresh: dict[str, Any] = {
        name: c[name] + tail
        for name in ("cluster_id", "candidate_id", "event_id", "entity", "value")
        if name in c
    }
    fresh |= {
        name: c[name] - earlier for name in ("first_time", "last_time", "event_time") if name in c
    }
    if "seq" in c:
        fresh["seq"] = c.seq + copy * seq
    if "offset" in c:
        fresh["offset"] = c.offset + copy * 10_000_000
    if "worth" in c:
        status = ClusterStatus.DECIDED.value
        fresh |= {
            "worth": c.worth * (1 - LESS * copy),
            "status": sa.case((decided, status), else_=c.status),
            "waiting": sa.case((decided, 0), else_=c.waiting),
            "verdict": sa.case((decided, "spurious"), else_=c.verdict),
        }
    elif "state" in c:
        fresh["state"] = sa.case((decided, "propagated"), else_=c.state)
    return fresh


def _open(connection: sa.Connection) -> int:
    found = sa.select(sa.func.count()).select_from(t.clusters)
    return connection.scalar(found.where(t.clusters.c.status == "open")) or 0


def _number(connection: sa.Connection, table: sa.Table) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
