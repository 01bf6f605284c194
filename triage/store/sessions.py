"""Sign-in links and sessions. Tokens are handed out once; the store keeps only their hashes."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

import sqlalchemy as sa

from triage.model import Actor
from triage.store import tables as t
from triage.store.database import Database
from triage.store.sql_shared import SqlPart

ABSOLUTE_S = 12 * 3600.0  # a working day; then sign in again
IDLE_S = 2 * 3600.0
KEPT_S = 30 * 86_400.0  # ended sessions are forgotten after a month
SEEN_S = 60.0  # the use of a session is noted at most this often


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
        token = self._token()
        with self._db.write() as connection:
            connection.execute(t.sign_ins.delete().where(t.sign_ins.c.expires_at < at - ABSOLUTE_S))
            connection.execute(
                t.sign_ins.insert().values(
                    token_sha256=_hash(token),
                    actor=actor.name,
                    role=actor.role,
                    expires_at=at + ttl_s,
                )
            )
        return token

    def redeem(self, token: str, at: float) -> str | None:
        """Use up a sign-in token; return the token of a new session, None if it can't be used."""
        s = t.sign_ins.c
        with self._db.write() as connection:
            used = connection.execute(
                t.sign_ins.update()
                .where(s.token_sha256 == _hash(token), s.used_at.is_(None), s.expires_at > at)
                .values(used_at=at)
                .returning(s.actor, s.role)
            ).first()
            if used is None:
                return None
            session = self._token()
            connection.execute(t.sessions.delete().where(t.sessions.c.started_at < at - KEPT_S))
            connection.execute(
                t.sessions.insert().values(
                    token_sha256=_hash(session),
                    actor=used[0],
                    role=used[1],
                    started_at=at,
                    seen_at=at,
                )
            )
            return session

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

    def _lasting(self, token: str, at: float) -> sa.RowMapping | None:
        s = t.sessions.c
        with self._db.read() as connection:
            row = (
                connection.execute(
                    sa.select(s.actor, s.role, s.started_at, s.seen_at).where(
                        s.token_sha256 == _hash(token), s.ended_at.is_(None)
                    )
                )
                .mappings()
                .first()
            )
        if row is None or at >= row["started_at"] + ABSOLUTE_S or at >= row["seen_at"] + IDLE_S:
            return None
        return row


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
