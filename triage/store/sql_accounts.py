"""Local accounts, their links, and the tries to sign in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from triage.cases import AuditEntry
from triage.errors import Conflict
from triage.store import tables_access as t
from triage.store.base_accounts import Quota
from triage.store.sessions import SqlSessions
from triage.store.sql_shared import add_audit

A = t.accounts.c
S = t.sign_ins.c


class SqlAccounts(SqlSessions):
    """See ``base_accounts.AccountStore``."""

    def accounts(self) -> Sequence[Mapping[str, Any]]:
        """Return the fields of all accounts, by name, without their passwords."""
        wanted = sa.select(A.name, A.role, A.created_at, A.password_at, A.disabled_at)
        with self._db.read() as connection:
            return [dict(row) for row in connection.execute(wanted.order_by(A.name)).mappings()]

    def add_account(self, name: str, role: str, at: float, ttl_s: float, entry: AuditEntry) -> str:
        """Add an account without a password; return a link's token. Raises Conflict."""
        values = self._db.insert(t.accounts).values(name=name, role=role, created_at=at)
        new = values.on_conflict_do_nothing().returning(A.name)
        with self._db.write() as connection:
            self._db.in_order(connection)
            if connection.scalar(new) is None:
                raise Conflict(f"there is an account {name} already: `triage account reset` it")
            add_audit(connection, entry)
            return self._add_link(connection, name, role, at + ttl_s, sets_password=1)

    def disable_account(self, name: str, at: float, entry: AuditEntry) -> bool:
        """End sessions and links, let nobody in; return whether there is such an account."""
        disabled = sa.func.coalesce(A.disabled_at, at)
        return self._change(name, at, entry, disabled_at=disabled) is not None

    def reset_account(
        self, name: str, role: str | None, at: float, ttl_s: float, entry: AuditEntry
    ) -> str | None:
        """Forget the password, end sessions and links, enable; return a link's token."""
        values: dict[str, Any] = {"password": None, "password_at": None, "disabled_at": None}
        if role is not None:
            values["role"] = role
        expires_at = at + ttl_s
        return self._change(name, at, entry, link_until=expires_at, **values)

    def owner_of_link(self, token: str, at: float) -> str | None:
        """Return whose password the link sets, None if it can't be used."""
        with self._db.read() as connection:
            return connection.scalar(sa.select(S.actor).where(*_usable(token, at)))

    def choose_password(self, token: str, hashed: str, at: float) -> str | None:
        """Use up the link, set the password, end other sessions; return a new session's token."""
        used = t.sign_ins.update().where(*_usable(token, at)).values(used_at=at).returning(S.actor)
        with self._db.write() as connection:
            self._db.in_order(connection)
            name = connection.scalar(used)
            if name is None:
                return None
            return self._set_password(connection, name, hashed, at, "password_choose")

    def change_password(self, name: str, kept: str, hashed: str, at: float) -> str | None:
        """Put a hash in the place of ``kept``, end all sessions; return a new session's token."""
        mine = (A.name == name, A.password == kept, A.disabled_at.is_(None))
        with self._db.write() as connection:
            self._db.in_order(connection)
            if connection.scalar(sa.select(A.name).where(*mine)) is None:
                return None
            return self._set_password(connection, name, hashed, at, "password_change")

    def strengthen(self, name: str, kept: str, hashed: str) -> None:
        """Put a new hash of the same password in the place of ``kept``."""
        same = (A.name == name, A.password == kept)
        with self._db.write() as connection:
            connection.execute(t.accounts.update().where(*same).values(password=hashed))

    def password_of(self, name: str) -> str | None:
        """Return the hash of an enabled account's password, None if there is none."""
        mine = (A.name == name, A.disabled_at.is_(None))
        with self._db.read() as connection:
            return connection.scalar(sa.select(A.password).where(*mine))

    def enter(self, name: str, at: float) -> str | None:
        """Open a session of an enabled account, note it in the audit trail; return its token."""
        mine = (A.name == name, A.disabled_at.is_(None))
        with self._db.write() as connection:
            self._db.in_order(connection)
            role = connection.scalar(sa.select(A.role).where(*mine))
            if role is None:
                return None
            _note(connection, "sign_in", name, role, at)
            return self._open(connection, name, role, at)

    def take_try(self, quota: Quota, subject: str, at: float) -> float:
        """Use up a try; return 0, or the seconds until there is one (then nothing is used up).

        One statement, so that tries at the same moment can't share one.
        """
        tries = t.sign_in_tries.c
        grown = sa.literal(quota.tries / quota.over_s) * (sa.literal(at) - tries.at)
        left = sa.case((tries.used > grown, tries.used - grown), else_=0.0)
        insert = self._db.insert(t.sign_in_tries).values(
            scope=quota.scope, subject_sha256=_hash(subject), used=1.0, at=at
        )
        take = insert.on_conflict_do_update(
            index_elements=["scope", "subject_sha256"],
            set_={"used": left + 1.0, "at": at},
            where=left + 1.0 <= quota.tries,
        ).returning(tries.used)
        mine = _subject(quota, subject)
        with self._db.write() as connection:
            connection.execute(
                t.sign_in_tries.delete().where(
                    tries.scope == quota.scope, tries.at <= at - quota.over_s
                )
            )
            if connection.scalar(take) is not None:
                return 0.0
            over = connection.scalar(sa.select(left + 1.0 - quota.tries).where(*mine))
            return max(1.0, (over or 0.0) * quota.over_s / quota.tries)

    def give_back(self, quota: Quota, subject: str) -> None:
        """Give back one try: it was right."""
        tries = t.sign_in_tries.c
        fewer = sa.case((tries.used > 1.0, tries.used - 1.0), else_=0.0)
        with self._db.write() as connection:
            connection.execute(
                t.sign_in_tries.update().where(*_subject(quota, subject)).values(used=fewer)
            )

    def _change(
        self,
        name: str,
        at: float,
        entry: AuditEntry,
        link_until: float | None = None,
        **values: Any,
    ) -> str | None:
        """Change an account and end what is signed in; return a link's token, None if unknown."""
        change = t.accounts.update().where(A.name == name).values(**values).returning(A.role)
        with self._db.write() as connection:
            self._db.in_order(connection)
            role = connection.scalar(change)
            if role is None:
                return None
            self._end_all(connection, name, at)
            add_audit(connection, entry)
            if link_until is None:
                return ""
            return self._add_link(connection, name, role, link_until, sets_password=1)

    def _set_password(
        self, connection: sa.Connection, name: str, hashed: str, at: float, action: str
    ) -> str:
        change = t.accounts.update().where(A.name == name)
        change = change.values(password=hashed, password_at=at)
        role = connection.scalar(change.returning(A.role)) or ""
        self._end_all(connection, name, at)
        _note(connection, action, name, role, at)
        return self._open(connection, name, role, at)

    def _end_all(self, connection: sa.Connection, name: str, at: float) -> None:
        """End all sessions of that name, and the links that it could still use."""
        s = t.sessions.c
        open_ones = t.sessions.update().where(s.actor == name, s.ended_at.is_(None))
        connection.execute(open_ones.values(ended_at=at))
        links = t.sign_ins.update().where(S.actor == name, S.used_at.is_(None))
        connection.execute(links.values(used_at=at))


def _subject(quota: Quota, subject: str) -> tuple[sa.ColumnElement[bool], ...]:
    tries = t.sign_in_tries.c
    return tries.scope == quota.scope, tries.subject_sha256 == _hash(subject)


def _usable(token: str, at: float) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        S.token_sha256 == _hash(token),
        S.sets_password == 1,
        S.used_at.is_(None),
        S.expires_at > at,
    )


def _note(connection: sa.Connection, action: str, name: str, role: str, at: float) -> None:
    add_audit(
        connection,
        AuditEntry(
            at=at,
            actor=name,
            role=role,
            action=action,
            object=f"account/{name}",
            request_id=f"{action}/{name}/{at}",
            before=None,
            after=None,
        ),
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
