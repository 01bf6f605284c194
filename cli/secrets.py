"""Secrets by reference, so that none is on a command line or in a config file."""

from __future__ import annotations

import os
from pathlib import Path

from streaming.errors import Stop


def secret(reference: str) -> str:
    """Return what ``env:NAME`` or ``file:PATH`` holds now, without the newline at its end.

    Raises Stop if there is nothing; the message names the reference, never the secret.
    """
    kind, _, place = reference.partition(":")
    try:
        found = os.environ.get(place, "") if kind == "env" else Path(place).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(f"{reference}: the secret can't be read: {error}") from None
    value = found.rstrip("\r\n")
    if not value:
        raise Stop(f"{reference}: there is no secret: set the variable, or write the file")
    return value
