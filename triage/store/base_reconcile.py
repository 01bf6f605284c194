"""What bringing an older store up to its topics needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from triage.findings import Message
from triage.model import Actor
from triage.reconcile import SentFinding


class ReconcileStore(Protocol):
    """Part of ``base.Store``."""

    def outlets(self) -> Sequence[str]:
        """Return all topics that the store has ever written messages for."""

    def unknown(self, sent: Sequence[SentFinding]) -> Sequence[SentFinding]:
        """Return those that the store would not send: decided, or taken back, after its backup."""

    def adopt(
        self,
        sent: Sequence[SentFinding],
        last: Mapping[str, int],
        retractions: Sequence[tuple[str, Message]],
        actor: Actor,
        epoch: int,
        at: float,
    ) -> None:
        """Take these messages for sent, under their numbers; go on numbering after ``last``.

        ``retractions`` (verdict id, message) go out after them. ``epoch`` is that of the relay's
        lease. It is audited.
        """
