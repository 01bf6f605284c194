"""The small sections of a config: noun, source, event id, fields."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from streaming.field_path import MAX_DEPTH

FieldType = Literal["number", "string", "boolean", "time"]

_SLUG = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,200}")

_UNREADABLE = re.compile(r'["\\\x00-\x1f]')  # names that the JSON decoder refuses to look for
MAX_NAME = 200  # characters


class Section(BaseModel):
    """Base of all sections: strict, closed, frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _slug(text: str) -> str:
    if not _SLUG.fullmatch(text):
        near = re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")[:63].strip("-_")
        raise ValueError(
            f'"{text[:60]}" is not a short name (a-z, 0-9, "-", "_", at most 63)'
            + (f', did you mean "{near}"?' if near else "")
        )
    return text


def _topic(text: str) -> str:
    if not _TOPIC.fullmatch(text) or text in {".", ".."}:
        raise ValueError(
            f'"{text[:60]}" is not a topic name; use up to 200 of A-Z, a-z, 0-9, ".", "_", "-"'
        )
    return text


def can_be_declared(name: str) -> bool:
    """Return whether the decoder can look for a field of this name."""
    return 0 < len(name) <= MAX_NAME and not _UNREADABLE.search(name)


def _field_name(text: str) -> str:
    if found := _UNREADABLE.search(text):
        raise ValueError(
            f"a field's name can't hold {found[0]!a}: rename the field where it is written"
        )
    return text


Slug = Annotated[str, AfterValidator(_slug)]
Topic = Annotated[str, AfterValidator(_topic)]
FieldName = Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(_field_name)]
Words = Annotated[str, Field(min_length=1, max_length=120)]


class Noun(Section):
    """What an event is called on the board."""

    one: Words = Field(default="event", description="One event, like `payment`.")
    many: Words = Field(default="events", description="Several, like `payments`.")


class Source(Section):
    """Where the events are in the log."""

    topic: Topic = Field(
        default="", description="Topic that holds the events; the stream's name if left out."
    )
    partitions: int = Field(
        default=1,
        ge=1,
        le=256,
        description="Partitions of the topic when it is made here. Each has a detector of its own "
        "that sees a share of the events, so take few: one per worker.",
    )


class EventId(Section):
    """How an event that was sent twice is recognised."""

    field: FieldName = Field(
        description="Field that is equal when an event is sent again; a `string`."
    )
    horizon: int = Field(
        default=100_000,
        ge=1,
        le=10_000_000,
        description="Ids that are remembered per partition; about 100 bytes each.",
    )


class StreamField(Section):
    """A field of the event that is read. All other fields are ignored."""

    type: FieldType = Field(
        description="`number` (a JSON number), `string` (a text, or a whole number like an id), "
        "`boolean`, or `time` (RFC 3339 text, or a number since 1970, in seconds, milli-, micro- "
        "or nanoseconds as its size tells; years 1970 to 2199)."
    )
    path: Annotated[tuple[FieldName, ...], Field(strict=False)] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_DEPTH,
        description="Where it lies in the event, key by key from the outside in, like "
        "`[userIdentity, userName]`; left out, it stands there under its own name.",
    )
    required: bool = Field(
        default=False,
        description="Whether an event without it goes to the dead letters. Otherwise the value is "
        "missing, which detectors can handle. `time` and `event_id` are required anyway.",
    )
    entity: bool = Field(
        default=False,
        description="Whether it names who or what acts, like a customer or a host: shown, searched "
        "and grouped by. The `key` is one anyway.",
    )
    cohort: bool = Field(
        default=False,
        description="Whether it names a group that many belong to, like a country or a role: the "
        "queue can be narrowed to one. Nothing is grouped or learned by it.",
    )
    label: Words | None = Field(
        default=None, description="Its name for people; the field's name in words if left out."
    )
    unit: Words | None = Field(
        default=None, description="Unit of a number; `€`, `$`, `bytes` and `s` are written out."
    )
