"""How a version of a config is tried, then watched, and what takes it back by itself."""

from __future__ import annotations

from pydantic import Field

from streaming.config.fields import Section


class RolloutSettings(Section):
    """Guards of a version that is tried or has just come into force; its own settings count."""

    canary: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="Share of the keys whose candidates are the tried version's in canary; and for "
        "which those of the one before are shown as well, while a version in force is watched.",
    )
    watch_hours: float = Field(
        default=1.0,
        ge=0,
        le=720,
        description="So long the version that was replaced runs on beside this one, which is taken "
        "back if it breaks a limit; 0: not at all.",
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
        description="The new version may take so many times the time of the old one.",
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
