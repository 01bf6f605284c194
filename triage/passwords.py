"""Passwords: what is accepted, and their hashes (argon2id). The only place that knows argon2."""

from __future__ import annotations

import functools
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from triage.errors import Invalid

MIN_LENGTH = 12  # characters; length is what makes a password hard to guess (NIST SP 800-63B)
MAX_LENGTH = 256  # characters; hashing more costs time that a stranger could spend
HASHER = PasswordHasher()


class Passwords:
    """Hashes and compares; the library's defaults are those of RFC 9106 for less memory."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or HASHER
        self._nobodys = _nobodys(self._hasher)

    def hash(self, password: str) -> str:
        """Return the hash to keep; it names its own parameters and salt."""
        return self._hasher.hash(_normal(password))

    def matches(self, kept: str | None, password: str) -> bool:
        """Return whether this is the password. Without a hash it takes as long, and is False."""
        try:
            self._hasher.verify(kept or self._nobodys, _normal(password))
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None

    def is_weak(self, kept: str) -> bool:
        """Return whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)


def check_password(password: str, name: str) -> None:
    """Do nothing if an account of that name may have the password.

    Raises:
        Invalid: too short, too long, or too easily guessed.
    """
    text = _normal(password)
    if len(text) < MIN_LENGTH:
        raise Invalid(f"A password has at least {MIN_LENGTH} characters.")
    if len(text) > MAX_LENGTH:
        raise Invalid(f"A password has at most {MAX_LENGTH} characters.")
    rest = text.lower().replace(name.lower(), "")
    if len(set(rest)) < 5:
        raise Invalid("This password is easily guessed: choose several words, not your name.")


@functools.cache
def _nobodys(hasher: PasswordHasher) -> str:
    return hasher.hash("nobody has this one")


def _normal(password: str) -> str:
    """Return the same text for the same keys, whatever the keyboard's way to write them."""
    return unicodedata.normalize("NFKC", password)
