"""Local accounts: who may sign in with a password, and what a lead does with accounts.

An account begins without a password: adding or resetting it gives a link, to be used once, on whose
page the person chooses one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triage.access import ALLOWED, Action, authorise
from triage.cases import AuditEntry
from triage.errors import Invalid, NotFound, NotSignedIn, TooMany
from triage.model import Actor
from triage.passwords import Passwords, check_password
from triage.store.base_accounts import AccountStore, Quota

NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
LINK_S = 24 * 3600.0  # seconds in which the link to choose a password can be used
PER_ACCOUNT = Quota("account", tries=10, over_s=900.0)
PER_ADDRESS = Quota("address", tries=50, over_s=900.0)
"""Tries to sign in; who has used them up waits until one has grown again. A link works anyway."""
WRONG = "Name or password is wrong."
GONE = "This link no longer works."


@dataclass(frozen=True, slots=True)
class Account:
    """An account. ``password_at``: when its password was chosen, None while it has none."""

    name: str
    role: str
    created_at: float
    password_at: float | None
    disabled_at: float | None


class Accounts:
    """Changes accounts, and lets people in. Every change is in the audit trail."""

    def __init__(self, store: AccountStore, passwords: Callable[[], Passwords] = Passwords) -> None:
        self._store = store
        self._passwords = passwords()

    def all(self) -> Sequence[Account]:
        """Return all accounts, by name."""
        return [Account(**row) for row in self._store.accounts()]

    def add(self, name: str, role: str, actor: Actor, at: float) -> str:
        """Add an account; return the token of the link on which its password is chosen.

        Raises:
            Invalid: the name or role can't be. Conflict: there is one. NotAllowed.
        """
        authorise(actor, Action.MANAGE_ACCESS)
        _check_name(name)
        check_role(role)
        entry = _entry("account_add", name, actor, at, {"role": role})
        return self._store.add_account(name, role, at, LINK_S, entry)

    def disable(self, name: str, actor: Actor, at: float) -> None:
        """Let the person in no more, and end what is signed in; idempotent.

        Raises:
            NotFound, NotAllowed.
        """
        authorise(actor, Action.MANAGE_ACCESS)
        entry = _entry("account_disable", name, actor, at, {})
        if not self._store.disable_account(name, at, entry):
            raise _unknown(name)

    def reset(self, name: str, role: str | None, actor: Actor, at: float) -> str:
        """Forget the password, end what is signed in, enable the account; return a link's token.

        ``role``: the new one, None to keep it. Raises NotFound, Invalid, NotAllowed.
        """
        authorise(actor, Action.MANAGE_ACCESS)
        if role is not None:
            check_role(role)
        entry = _entry("account_reset", name, actor, at, {} if role is None else {"role": role})
        token = self._store.reset_account(name, role, at, LINK_S, entry)
        if token is None:
            raise _unknown(name)
        return token

    def owner_of_link(self, token: str, at: float) -> str | None:
        """Return whose password a link would set, None if it can't be used (any more)."""
        return self._store.owner_of_link(token, at)

    def choose_password(self, token: str, password: str, at: float) -> str:
        """Use up a link: set the password, end other sessions, return a new session's token.

        Raises:
            Invalid: the password can't be taken (the link stays). NotSignedIn: the link can't.
        """
        name = self._store.owner_of_link(token, at)
        if name is None:
            raise NotSignedIn(GONE)
        check_password(password, name)
        session = self._store.choose_password(token, self._passwords.hash(password), at)
        if session is None:
            raise NotSignedIn(GONE)
        return session

    def sign_in(self, name: str, password: str, address: str, at: float) -> str:
        """Return the token of a new session.

        Unknown name, disabled account, wrong password: it takes as long and says the same.

        Raises:
            NotSignedIn: not with this name and password. TooMany: too many tries.
        """
        kept = self._prove(name, password, address, at)
        if self._passwords.is_weak(kept):
            self._store.strengthen(name, kept, self._passwords.hash(password))
        session = self._store.enter(name, at)
        if session is None:
            raise NotSignedIn(WRONG)
        return session

    def change_password(self, name: str, password: str, new: str, address: str, at: float) -> str:
        """Set a new password, end all sessions, return the token of a new one.

        Raises:
            NotSignedIn, TooMany: as ``sign_in``. Invalid: the new one can't be taken.
        """
        kept = self._prove(name, password, address, at)
        check_password(new, name)
        session = self._store.change_password(name, kept, self._passwords.hash(new), at)
        if session is None:
            raise NotSignedIn(WRONG)
        return session

    def _prove(self, name: str, password: str, address: str, at: float) -> str:
        """Return the hash that the password matches; every try counts until it is right."""
        for quota, subject in ((PER_ADDRESS, address), (PER_ACCOUNT, name)):
            wait = self._store.take_try(quota, subject, at)
            if wait > 0:
                raise TooMany("Too many tries to sign in.", wait)
        kept = self._store.password_of(name)
        if not self._passwords.matches(kept, password) or kept is None:
            raise NotSignedIn(WRONG)
        self._store.give_back(PER_ADDRESS, address)
        self._store.give_back(PER_ACCOUNT, name)
        return kept


def check_role(role: str) -> None:
    """Raise Invalid unless there is such a role."""
    if role not in ALLOWED:
        raise Invalid(f"there is no role {role!r}: choose one of {', '.join(ALLOWED)}")


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise Invalid(
            f"account {name!r}: up to 64 small letters, digits and ._@+-, a letter or digit first"
        )


def _unknown(name: str) -> NotFound:
    return NotFound(f"there is no account {name}: `triage account list` shows all")


def _entry(action: str, name: str, actor: Actor, at: float, after: Mapping[str, Any]) -> AuditEntry:
    return AuditEntry(
        at=at,
        actor=actor.name,
        role=actor.role,
        action=action,
        object=f"account/{name}",
        request_id=f"{action}/{name}/{at}",
        before=None,
        after=after,
    )
