"""Many rows in one statement, on SQLite and PostgreSQL.

A list of thousands of ids goes over as one parameter (a JSON text, an array), since rendering and
parsing as many parameters costs more than the look-ups.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

CHUNK = 5_000  # rows per statement
_SQLITE = sqlite.dialect()

Item = TypeVar("Item")


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """Cut into lists of at most ``size``."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


def among(
    connection: sa.Connection, column: sa.Column[Any], ids: Collection[str]
) -> sa.ColumnElement[bool]:
    """Return the condition that ``column`` is one of ``ids``."""
    if connection.dialect.name == "sqlite":
        values = sa.func.json_each(json.dumps(list(ids))).table_valued("value")
        return column.in_(sa.select(values.c.value))
    return column == sa.func.any(sa.bindparam(None, list(ids), sa.ARRAY(sa.Text)))


def select_in(
    connection: sa.Connection,
    statement: sa.Select[Any],
    column: sa.Column[Any],
    ids: Collection[str],
) -> Sequence[sa.RowMapping]:
    """Run ``statement`` for the rows whose ``column`` is among ``ids``."""
    if not ids:
        return []
    return connection.execute(statement.where(among(connection, column, ids))).mappings().all()


class Lookup:
    """A statement for the rows whose ``column`` is among given ids, built once."""

    def __init__(self, statement: sa.Select[Any], column: sa.Column[Any]) -> None:
        given = sa.func.json_each(sa.bindparam("ids", type_=sa.Text)).table_valued("value")
        ids = sa.bindparam("ids", type_=sa.ARRAY(sa.Text))
        self._on_sqlite = statement.where(column.in_(sa.select(given.c.value)))
        self._on_postgres = statement.where(column == sa.func.any(ids))

    def rows(
        self, connection: sa.Connection, ids: Collection[str], **given: object
    ) -> Sequence[sa.RowMapping]:
        """Return the rows that are among ``ids``; ``given``: what else the statement names."""
        if not ids:
            return []
        if connection.dialect.name == "sqlite":
            found = connection.execute(self._on_sqlite, {"ids": json.dumps(list(ids)), **given})
        else:
            found = connection.execute(self._on_postgres, {"ids": list(ids), **given})
        return found.mappings().all()


def update_many(
    connection: sa.Connection, table: sa.Table, key: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Set the columns named in ``rows`` where ``key`` matches."""
    if not rows:
        return
    names = (key, *(name for name in rows[0] if name != key))
    if connection.dialect.name == "sqlite":
        statement, order = _update_each(table, names)
        connection.exec_driver_sql(
            statement,
            [tuple(f(row[name]) if f else row[name] for name, f in order) for row in rows],
        )
        return
    for part in chunks(rows):
        arrays = {f"all_{name}": [row[name] for row in part] for name in names}
        connection.execute(_update_from_arrays(table, names), arrays)


@functools.cache
def _update_each(
    table: sa.Table, names: Sequence[str]
) -> tuple[str, Sequence[tuple[str, Callable[[Any], Any] | None]]]:
    """Return an UPDATE of plain tuples, and of which columns, adapted how, they consist.

    It takes half the time of SQLAlchemy's parameters.
    """
    key, *columns = names
    statement = (
        table.update()
        .where(table.c[key] == sa.bindparam("where"))
        .values({name: sa.bindparam(f"new_{name}") for name in columns})
    )
    compiled = statement.compile(dialect=_SQLITE)
    order = [name.removeprefix("new_") for name in compiled.positiontup or ()]
    order = [key if name == "where" else name for name in order]
    adapt = [table.c[name].type.dialect_impl(_SQLITE).bind_processor(_SQLITE) for name in order]
    return str(compiled), list(zip(order, adapt, strict=True))


@functools.cache
def _update_from_arrays(table: sa.Table, names: Sequence[str]) -> sa.Update:
    """Return an UPDATE from rows that PostgreSQL joins as a table: one array per column."""
    key, *columns = names
    arrays = (sa.bindparam(f"all_{name}", type_=sa.ARRAY(table.c[name].type)) for name in names)
    typed = [sa.column(name, table.c[name].type) for name in names]
    fresh = sa.func.unnest(*arrays).table_valued(*typed).render_derived("fresh")
    return (
        table.update()
        .where(table.c[key] == fresh.c[key])
        .values({name: fresh.c[name] for name in columns})
    )
