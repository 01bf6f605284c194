"""Tokens of programs: only their hashes are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from triage.cases import AuditEntry
from triage.errors import Conflict
from triage.model import Actor
from triage.store import tables_access as t
from triage.store.sessions import SEEN_S
from triage.store.sql_accounts import SqlAccounts
from triage.store.sql_shared import add_audit

PREFIX = "triage_"  # so that scanners of repositories find one that leaked
K = t.api_tokens.c


class SqlAccess(SqlAccounts):
    """See ``base.AccessStore``."""

    def tokens(self) -> Sequence[Mapping[str, Any]]:
        """Return the fields of all tokens, by name and age, without their secrets."""
        wanted = sa.select(K.name, K.role, K.created_at, K.expires_at, K.used_at, K.revoked_at)
        with self._db.read() as connection:
            found = connection.execute(wanted.order_by(K.name, K.created_at))
            return [dict(row) for row in found.mappings()]

    def add_token(
        self, name: str, role: str, at: float, expires_at: float, entry: AuditEntry
    ) -> str:
        """Return a new token. Raises Conflict if one of this name works."""
        secret = PREFIX + self._token()
        with self._db.write() as connection:
            self._db.in_order(connection)
            working = sa.select(K.name).where(K.name == name, *_working(at))
            if connection.scalar(working) is not None:
                raise Conflict(f"a token {name} works already: revoke it, or take another name")
            connection.execute(
                t.api_tokens.insert().values(
                    token_sha256=_hash(secret),
                    name=name,
                    role=role,
                    created_at=at,
                    expires_at=expires_at,
                )
            )
            add_audit(connection, entry)
        return secret

    def revoke_token(self, name: str, at: float, entry: AuditEntry) -> bool:
        """End the token of this name that works; return whether there was one."""
        end = t.api_tokens.update().where(K.name == name, *_working(at)).values(revoked_at=at)
        with self._db.write() as connection:
            self._db.in_order(connection)
            if connection.scalar(end.returning(K.name)) is None:
                return False
            add_audit(connection, entry)
            return True

    def token(self, secret: str, at: float) -> Actor | None:
        """Return who acts with this token and note the use; None if it doesn't work."""
        row = self._working_token(secret, at)
        if row is None:
            return None
        if row.used_at is None or at >= row.used_at + SEEN_S:
            use = t.api_tokens.update().where(K.token_sha256 == _hash(secret))
            with self._db.write() as connection:
                connection.execute(use.values(used_at=at))
        return Actor(f"token/{row.name}", row.role)

    def token_lasts(self, secret: str, at: float) -> bool:
        """Return whether the token works; asking is no use of it."""
        return self._working_token(secret, at) is not None

    def _working_token(self, secret: str, at: float) -> sa.Row[Any, Any, Any] | None:
        wanted = sa.select(K.name, K.role, K.used_at)
        with self._db.read() as connection:
            mine = wanted.where(K.token_sha256 == _hash(secret), *_working(at))
            return connection.execute(mine).first()


def _working(at: float) -> tuple[sa.ColumnElement[bool], ...]:
    return K.revoked_at.is_(None), K.expires_at > at


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
