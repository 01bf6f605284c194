"""What accounts and tokens need of the store. Of all secrets it keeps hashes only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from triage.cases import AuditEntry
from triage.model import Actor


@dataclass(frozen=True, slots=True)
class Quota:
    """At most so many tries at once; they grow again evenly over ``over_s`` seconds."""

    scope: str
    tries: int
    over_s: float


class AccountStore(Protocol):
    """Accounts, their links, and the tries to sign in."""

    def accounts(self) -> Sequence[Mapping[str, Any]]:
        """Return the fields of all accounts, by name, without their passwords."""

    def add_account(self, name: str, role: str, at: float, ttl_s: float, entry: AuditEntry) -> str:
        """Add an account without a password; return a link's token. Raises Conflict."""

    def disable_account(self, name: str, at: float, entry: AuditEntry) -> bool:
        """End sessions and links, let nobody in; return whether there is such an account."""

    def reset_account(
        self, name: str, role: str | None, at: float, ttl_s: float, entry: AuditEntry
    ) -> str | None:
        """Forget the password, end sessions and links, enable; return a link's token.

        None if there is no such account.
        """

    def owner_of_link(self, token: str, at: float) -> str | None:
        """Return whose password the link sets, None if it can't be used."""

    def choose_password(self, token: str, hashed: str, at: float) -> str | None:
        """Use up the link, set the password, end other sessions; return a new session's token."""

    def change_password(self, name: str, kept: str, hashed: str, at: float) -> str | None:
        """Put a hash in the place of ``kept``, end all sessions; return a new session's token.

        None if it is no longer the one that is kept, or the account is disabled.
        """

    def strengthen(self, name: str, kept: str, hashed: str) -> None:
        """Put a new hash of the same password in the place of ``kept``."""

    def password_of(self, name: str) -> str | None:
        """Return the hash of an enabled account's password, None if there is none."""

    def enter(self, name: str, at: float) -> str | None:
        """Open a session of an enabled account, note it in the audit trail; return its token."""

    def take_try(self, quota: Quota, subject: str, at: float) -> float:
        """Use up a try; return 0, or the seconds until there is one (then nothing is used up)."""

    def give_back(self, quota: Quota, subject: str) -> None:
        """Give back one try: it was right."""


class TokenStore(Protocol):
    """Tokens of programs."""

    def tokens(self) -> Sequence[Mapping[str, Any]]:
        """Return the fields of all tokens, by name and age, without their secrets."""

    def add_token(
        self, name: str, role: str, at: float, expires_at: float, entry: AuditEntry
    ) -> str:
        """Return a new token. Raises Conflict if one of this name works."""

    def revoke_token(self, name: str, at: float, entry: AuditEntry) -> bool:
        """End the token of this name that works; return whether there was one."""

    def token(self, secret: str, at: float) -> Actor | None:
        """Return who acts with this token and note the use; None if it doesn't work."""

    def token_lasts(self, secret: str, at: float) -> bool:
        """Return whether the token works; asking is no use of it."""
