"""How verdicts are handled: declared in a stream's config, kept with it in the store."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from triage.links import Link

REASONS = (
    "Confirmed",
    "Known pattern",
    "Maintenance",
    "Planned",
    "Bad data",
    "Misread",
)
"""What an analyst can choose as a reason where the stream's config says nothing."""

Choice = Annotated[str, Field(min_length=1, max_length=60)]
FieldName = Annotated[str, Field(min_length=1, max_length=200)]


class Policy(BaseModel):
    """Policy of a stream."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    undo_grace: float = Field(
        default=8.0,
        ge=0,
        le=3600,
        description="Seconds; until then a verdict is not published and undo leaves no trace.",
    )
    propagation_weight: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Weight of a label for a member that nobody read; a read one weighs 1.",
    )
    propagation_limit: int = Field(
        default=20,
        ge=0,
        le=10_000,
        description="At most so many unread members per verdict become labels, spread evenly over "
        "the cluster: one look at a huge cluster must not outweigh all other looks.",
    )
    closing_limit: float = Field(
        default=0.05,
        ge=0,
        lt=1,
        description="Members that nobody read are closed with their cluster only while the audited "
        "upper 95 % bound of wrong closings is at most this share; 0: never, they stay in the "
        "queue.",
    )
    audit_share: float = Field(
        default=0.1,
        ge=0,
        le=0.5,
        description="Share of the looks that go to random, blind audits of what would be closed "
        "unread; 0: no audits, so nothing is ever closed unread.",
    )
    uncertain_share: float = Field(
        default=0.1,
        ge=0,
        le=0.5,
        description="Share of the looks that go to the clusters that the model is least sure of.",
    )
    random_share: float = Field(
        default=0.05,
        ge=0,
        le=0.5,
        description="Share of the looks that go to clusters drawn at random as they come, whatever "
        "their rank: they alone tell how many real ones there are, so which part of them was "
        "found. 0: nobody knows.",
    )
    audit_seed: int = Field(
        default=0,
        ge=0,
        le=2**31,
        description="Decides, with their ids, which members are audited and which clusters drawn.",
    )
    suppression_surge: float = Field(
        default=3.0,
        ge=1,
        le=1000,
        description="An expected verdict keeps its like out of the queue until so many times as "
        "many come in a day, or so many times as many new entities, as its cluster had.",
    )
    analyst_day_weight: float = Field(
        default=1_000.0,
        gt=0,
        le=1e9,
        description="The labels that one analyst gives on one day (UTC) weigh at most so much "
        "together; a read member weighs 1. No more missed events can be reported, either.",
    )
    day_weight: float = Field(
        default=3_000.0,
        gt=0,
        le=1e9,
        description="The same for the labels of all analysts of one day.",
    )
    truth_within: float = Field(
        default=60.0,
        ge=0,
        le=86_400,
        description="Seconds; so far may the time of a late truth that names entities lie from "
        "that of its event.",
    )
    guideline: str = Field(
        default="", max_length=20_000, description="What the analyst reads beside the cluster."
    )
    reasons: Annotated[tuple[Choice, ...], Field(strict=False)] = Field(
        default=REASONS,
        max_length=9,
        description="Reasons that an analyst can give a verdict by one of the keys 1 to 9.",
    )
    masked: Annotated[tuple[FieldName, ...], Field(strict=False)] = Field(
        default=(),
        max_length=200,
        description="Fields whose values the board never gets: •••• stands there. No entity, "
        "no cohort and nothing that a feature reads: those values are in titles, filters and "
        "reasons.",
    )
    links: Annotated[tuple[Link, ...], Field(strict=False)] = Field(
        default=(),
        max_length=8,
        description="Links from a record to your own systems, such as the SIEM.",
    )
