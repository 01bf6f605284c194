"""How a version of a config is tried beside the one in force, and what takes it back by itself."""

from __future__ import annotations

from pydantic import Field

from streaming.config.fields import Section


class RolloutSettings(Section):
    """Guards of the stages shadow and canary; those of the version that is tried count."""

    canary: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="Share of the keys whose candidates are the tried version's in canary.",
    )
    after: int = Field(
        default=2_000,
        ge=1,
        le=10**9,
        description="Events that both versions have taken before a guard says anything; errors of "
        "the program count at once.",
    )
    max_cost: float = Field(
        default=2.0,
        gt=0,
        le=100,
        description="The tried version may take so many times the time of the one in force.",
    )
    max_volume: float = Field(
        default=2.0,
        gt=0,
        le=1000,
        description="It may make so many times the candidates.",
    )
    max_errors: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Share of the events that may be dead letters for it and none for the other.",
    )
    max_lost: int = Field(
        default=0,
        ge=0,
        le=10**6,
        description="Verified findings, of this time, that it may miss.",
    )
