"""Column types and short forms for the tables, and what all tables belong to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

MAX_NAME = 200  # characters; PostgreSQL's index entries hold 2,704 bytes
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # an INTEGER key is SQLite's rowid


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


class Words(sa.types.TypeDecorator[str]):
    """Text from outside. PostgreSQL refuses NUL, both refuse lone surrogates: shown as U+FFFD.

    Only for looking up and showing; the exact text stands in the candidate's body.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Return a text that both databases take."""
        if value is None:
            return None
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


class Name(Words):
    """Text from outside that is looked up: a long one is cut, its end is a hash of the rest."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Return a text that fits into an index."""
        text = super().process_bind_param(value, dialect)
        if text is None or len(text) <= MAX_NAME:
            return text
        return text[: MAX_NAME - 17] + "~" + hashlib.sha256(text.encode()).hexdigest()[:16]


def key(name: str, kind: Any, of: str | None = None) -> sa.Column[Any]:
    """Return a column of the primary key. ``of``: the column that it refers to."""
    return sa.Column(name, kind, *_reference(of), primary_key=True, autoincrement=False)


def col(name: str, kind: Any, of: str | None = None) -> sa.Column[Any]:
    """Return a column that always has a value."""
    return sa.Column(name, kind, *_reference(of), nullable=False)


def opt(name: str, kind: Any, of: str | None = None) -> sa.Column[Any]:
    """Return a column that may be empty."""
    return sa.Column(name, kind, *_reference(of), nullable=True)


def _reference(of: str | None) -> Sequence[sa.ForeignKey]:
    return [] if of is None else [sa.ForeignKey(of)]
