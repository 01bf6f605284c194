"""What the routes and pages of a board work with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, Protocol, TypeVar

from triage.advisor import Advisor
from triage.cases import Dispute, Regrouping, Rollback
from triage.commands import (
    AssignCluster,
    Command,
    DisputeCommand,
    MissedCommand,
    RegroupCommand,
    RollBackCommand,
    TruthCommand,
)
from triage.model import Actor
from triage.queries import Queries, VerdictRow
from triage.truth import TruthOutcome
from triage.views import Views
from triage_ui.live import LiveHub
from triage_ui.settings import BoardSettings

P = ParamSpec("P")
T = TypeVar("T")


class Commands(Protocol):
    """The write side: ``triage.handlers.Triage``."""

    def handle(self, command: Command, actor: Actor, at: float) -> VerdictRow:
        """Do what the command asks for, or nothing; raise a ``TriageError`` that says why not."""

    def regroup(self, command: RegroupCommand, actor: Actor, at: float) -> Regrouping:
        """Split a cluster or merge two; raise a ``TriageError`` that says why not."""

    def dispute(self, command: DisputeCommand, actor: Actor, at: float) -> Dispute:
        """Disagree with a verdict, or end a dispute; raise a ``TriageError`` if it can't be."""

    def assign(self, command: AssignCluster, actor: Actor, at: float) -> None:
        """Say who takes care of a cluster; raise a ``TriageError`` that says why not."""

    def look_at(self, cluster_id: str | None, actor: Actor, at: float) -> None:
        """Note which cluster somebody has before the eyes."""

    def tell(self, command: TruthCommand, actor: Actor, at: float) -> TruthOutcome:
        """Take late truth in or back, or do nothing; raise a ``TriageError`` that says why not."""

    def missed(self, command: MissedCommand, actor: Actor, at: float) -> TruthOutcome:
        """Take a report of a missed event in or back; raise a ``TriageError`` if it can't be."""

    def roll_back(self, command: RollBackCommand, actor: Actor, at: float) -> Rollback:
        """Take an analyst's labels, or give them back; raise a ``TriageError`` if it can't be."""


@dataclass(frozen=True, slots=True)
class Services:
    """Made once by ``create_app``, handed to everything that serves a request."""

    commands: Commands
    queries: Queries
    hub: LiveHub
    settings: BoardSettings
    advisor: Advisor
    views: Views


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what reads or writes the store in a thread: the loop belongs to everybody."""
    return await asyncio.to_thread(function, *args, **kwargs)
