"""Sign-in links and sessions. Tokens are handed out once; the store keeps only their hashes."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

import sqlalchemy as sa

from triage.model import Actor
from triage.store import tables_access as t
from triage.store.database import Database
from triage.store.sql_shared import SqlPart

ABSOLUTE_S = 12 * 3600.0  # a working day; then sign in again
IDLE_S = 2 * 3600.0
KEPT_S = 30 * 86_400.0  # ended sessions are forgotten after a month
SEEN_S = 60.0  # the use of a session is noted at most this often

_ACCOUNT, _SESSION = t.accounts.c, t.sessions.c
_LASTING = (  # asked with every request, so built once
    sa.select(
        _SESSION.actor,
        sa.func.coalesce(_ACCOUNT.role, _SESSION.role).label("role"),
        _SESSION.started_at,
        _SESSION.seen_at,
    )
    .select_from(t.sessions.outerjoin(t.accounts, _ACCOUNT.name == _SESSION.actor))
    .where(
        _SESSION.token_sha256 == sa.bindparam("sha256"),
        _SESSION.ended_at.is_(None),
        _ACCOUNT.disabled_at.is_(None),
    )
)


def new_token() -> str:
    """Return 256 random bits as text for a URL."""
    return secrets.token_urlsafe(32)


class SqlSessions(SqlPart):
    """See ``base.SessionStore``."""

    def __init__(self, database: Database, token: Callable[[], str] = new_token) -> None:
        super().__init__(database)
        self._token = token

    def new_sign_in(self, actor: Actor, at: float, ttl_s: float) -> str:
        """Return a token that can be redeemed once within ``ttl_s`` seconds."""
        with self._db.write() as connection:
            connection.execute(t.sign_ins.delete().where(t.sign_ins.c.expires_at < at - ABSOLUTE_S))
            return self._add_link(connection, actor.name, actor.role, at + ttl_s)

    def redeem(self, token: str, at: float) -> str | None:
        """Use up a sign-in token; return the token of a new session, None if it can't be used."""
        s = t.sign_ins.c
        enabled = sa.not_(sa.exists().where(_ACCOUNT.name == s.actor, _ACCOUNT.disabled_at > 0))
        usable = (s.token_sha256 == _hash(token), s.used_at.is_(None), s.expires_at > at)
        with self._db.write() as connection:
            used = connection.execute(
                t.sign_ins.update()
                .where(*usable, s.sets_password == 0, enabled)
                .values(used_at=at)
                .returning(s.actor, s.role)
            ).first()
            return None if used is None else self._open(connection, used[0], used[1], at)

    def open_session(self, actor: Actor, at: float) -> str:
        """Return the token of a new session of someone who has proved who they are."""
        with self._db.write() as connection:
            return self._open(connection, actor.name, actor.role, at)

    def session(self, token: str, at: float) -> Actor | None:
        """Return who the session belongs to and note the use; None if it ended or expired."""
        row = self._lasting(token, at)
        if row is None:
            return None
        if at >= row["seen_at"] + SEEN_S:
            this = t.sessions.c.token_sha256 == _hash(token)
            with self._db.write() as connection:
                connection.execute(t.sessions.update().where(this).values(seen_at=at))
        return Actor(row["actor"], row["role"])

    def lasts(self, token: str, at: float) -> bool:
        """Return whether the session has neither ended nor expired; asking is no use of it."""
        return self._lasting(token, at) is not None

    def end(self, token: str, at: float) -> None:
        """End a session (idempotent)."""
        s = t.sessions.c
        with self._db.write() as connection:
            connection.execute(
                t.sessions.update()
                .where(s.token_sha256 == _hash(token), s.ended_at.is_(None))
                .values(ended_at=at)
            )

    def _add_link(
        self,
        connection: sa.Connection,
        name: str,
        role: str,
        expires_at: float,
        sets_password: int = 0,
    ) -> str:
        token = self._token()
        connection.execute(
            t.sign_ins.insert().values(
                token_sha256=_hash(token),
                actor=name,
                role=role,
                expires_at=expires_at,
                sets_password=sets_password,
            )
        )
        return token

    def _open(self, connection: sa.Connection, name: str, role: str, at: float) -> str:
        session = self._token()
        connection.execute(t.sessions.delete().where(t.sessions.c.started_at < at - KEPT_S))
        connection.execute(
            t.sessions.insert().values(
                token_sha256=_hash(session), actor=name, role=role, started_at=at, seen_at=at
            )
        )
        return session

    def _lasting(self, token: str, at: float) -> sa.RowMapping | None:
        """Return the session; where its name has an account, with the account's role of now."""
        with self._db.read() as connection:
            row = connection.execute(_LASTING, {"sha256": _hash(token)}).mappings().first()
        if row is None or at >= row["started_at"] + ABSOLUTE_S or at >= row["seen_at"] + IDLE_S:
            return None
        return row


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
