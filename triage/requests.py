"""Requests that may come twice: the same key with the same command gives the first answer."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Protocol

from triage.commands import Command, DisputeCommand, RegroupCommand
from triage.errors import Invalid
from triage.model import Actor

Keyed = Command | RegroupCommand | DisputeCommand


class Requests(Protocol):
    """Part of ``base.UnitOfWork``."""

    def answered(self, actor: str, key: str) -> tuple[str, str] | None:
        """Return (content hash, id of what it made) of a request that was answered before."""

    def remember(self, actor: str, key: str, sha256: str, made: str, at: float) -> None:
        """Note the answer to a request."""


def made_before(unit: Requests, command: Keyed, actor: Actor) -> str | None:
    """Return what this command made when it came before, None if it is new.

    Raises:
        Invalid: its key was used for another command.
    """
    before = unit.answered(actor.name, command.idempotency_key)
    if before is None:
        return None
    sha256, made = before
    if sha256 != _digest(command):
        raise Invalid("this idempotency key was used for another command: make a new one")
    return made


def remember_made(unit: Requests, command: Keyed, actor: Actor, made: str, at: float) -> None:
    """Note what a command made."""
    unit.remember(actor.name, command.idempotency_key, _digest(command), made, at)


def _digest(command: Keyed) -> str:
    content = {"command": type(command).__name__, **dataclasses.asdict(command)}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
