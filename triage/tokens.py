"""Tokens for programs: named, for one role, until a day, revocable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from triage.access import Action, authorise
from triage.accounts import NAME, check_role
from triage.cases import AuditEntry
from triage.errors import Invalid, NotFound
from triage.model import Actor
from triage.store.base_accounts import TokenStore

MAX_DAYS = 366.0
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is shown. ``used_at``: its last use, to the minute."""

    name: str
    role: str
    created_at: float
    expires_at: float
    used_at: float | None
    revoked_at: float | None


class Tokens:
    """Gives tokens out and takes them back. Both are in the audit trail."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store

    def all(self) -> Sequence[Token]:
        """Return all tokens, by name, also those that no longer work."""
        return [Token(**row) for row in self._store.tokens()]

    def add(self, name: str, role: str, days: float, actor: Actor, at: float) -> str:
        """Return a new token: it is shown this once, the store keeps its hash.

        What is done with it is done by the actor ``token/NAME``.

        Raises:
            Invalid: the name, role or time can't be. Conflict: one of this name works already.
            NotAllowed.
        """
        authorise(actor, Action.MANAGE_ACCESS)
        check_role(role)
        if not NAME.fullmatch(name):
            raise Invalid(f"token {name!r}: up to 64 small letters, digits and ._@+-")
        if not 0 < days <= MAX_DAYS:
            raise Invalid(f"a token lasts for at most {MAX_DAYS:.0f} days")
        entry = _entry("token_add", name, actor, at, role)
        return self._store.add_token(name, role, at, at + days * DAY_S, entry)

    def revoke(self, name: str, actor: Actor, at: float) -> None:
        """End the token of this name that works.

        Raises:
            NotFound, NotAllowed.
        """
        authorise(actor, Action.MANAGE_ACCESS)
        if not self._store.revoke_token(name, at, _entry("token_revoke", name, actor, at)):
            raise NotFound(f"no token {name} works: `triage token list` shows all")


def _entry(action: str, name: str, actor: Actor, at: float, role: str | None = None) -> AuditEntry:
    return AuditEntry(
        at=at,
        actor=actor.name,
        role=actor.role,
        action=action,
        object=f"token/{name}",
        request_id=f"{action}/{name}/{at}",
        before=None,
        after=None if role is None else {"role": role},
    )
