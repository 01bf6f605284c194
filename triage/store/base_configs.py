"""The versions of a stream's config: what is in force, what was, and who said so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from triage.policy import Policy
from triage.rollout import Rollout
from triage.titles import Noun


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """The config of a stream that is in force, as it was written.

    Attributes:
        topic_ids: of the topics that its partitions were read from.
    """

    version: str
    text: str
    topic_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class NewConfig:
    """A config as the store keeps it; the last three are what board and handlers use."""

    version: str
    text: str
    title: str
    policy: Policy
    noun: Noun = field(default_factory=Noun)


class ConfigReader(Protocol):
    """What those read who follow a stream's config."""

    def in_force(self, stream: str) -> Rollout | None:
        """Return the newest entry of the stream's log, None if it never ran. Cheap."""

    def rollouts(self, stream: str) -> Sequence[Rollout]:
        """Return the stream's log, oldest first."""

    def config_text(self, stream: str, version: str) -> str | None:
        """Return a config as it was written, None if it is not known."""

    def config_versions(self, stream: str) -> Sequence[str]:
        """Return the versions of the stream's config that were ever known, oldest first."""


class ConfigWriter(ConfigReader, Protocol):
    """What those need who change what is in force."""

    def roll_out(
        self,
        stream: str,
        decide: Callable[[Sequence[Rollout]], Rollout | None],
        config: NewConfig | None,
        role: str = "",
    ) -> Rollout | None:
        """Append what ``decide`` makes of the stream's log; None where that is nothing.

        One transaction under a lock, with an entry in the audit trail. ``config`` is remembered;
        it becomes the stream's where the new entry has its version in force. Errors of ``decide``
        leave nothing behind.
        """


class ConfigStore(ConfigWriter, Protocol):
    """What those need who compare configs and roll them out."""

    def live_config(self, stream: str) -> LiveConfig | None:
        """Return the config in force, None if the stream never ran."""

    def places(self, candidate_ids: Sequence[str]) -> Mapping[str, tuple[int, int]]:
        """Return candidate -> partition and offset; those not known are left out."""

    def turned(self, stream: str) -> Sequence[int]:
        """Return for each partition of the stream the roll-out that it has taken in."""
