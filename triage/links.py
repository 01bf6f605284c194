"""Links from a record to the user's own systems, by URL templates of the stream's policy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from string import Formatter
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from triage.model import Candidate

BUILT_IN = frozenset({"event_id", "time", "entity"})
"""Placeholders that every stream has beside its fields."""

_START = re.compile(r"https?://[^/?#{}\s@]+[/?#]")


class Link(BaseModel):
    """A link that stands beside each record."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    label: str = Field(min_length=1, max_length=40, description="Text of the link.")
    url: str = Field(
        max_length=1000,
        description="`https://` or `http://`, host and path; `{field}`, `{event_id}`, `{time}` and "
        "`{entity}` stand for the record's values, encoded, anywhere after the host.",
    )

    @field_validator("url")
    @classmethod
    def _goes_to_a_fixed_host(cls, url: str) -> str:
        if not _START.match(url) or not urlsplit(url).hostname:
            raise ValueError("must begin with https:// or http://, a host without {...}, and /")
        try:
            list(placeholders(url))
        except ValueError as error:
            raise ValueError(f"its braces don't fit: {error}") from None
        return url


def placeholders(url: str) -> Iterator[str]:
    """Yield the names that a template has in braces. Raises ValueError at what is no name."""
    for _, name, spec, conversion in Formatter().parse(url):
        if name is None:
            continue
        if not name or spec or conversion or re.search(r"[.\[\]]", name):
            raise ValueError(f"{{{name}}} is not the name of a field")
        yield name


def links_of(links: Sequence[Link], candidate: Candidate) -> Sequence[tuple[str, str]]:
    """Return label and address of the links that have all their values in this record."""
    values = _values(candidate)
    found = []
    for link in links:
        if all(values.get(name) is not None for name in placeholders(link.url)):
            encoded = {name: quote(str(value), safe="") for name, value in values.items()}
            found.append((link.label, link.url.format_map(encoded)))
    return found


def _values(candidate: Candidate) -> Mapping[str, Any]:
    moment = datetime.fromtimestamp(candidate.event_time, UTC)
    return {
        **candidate.record,
        "event_id": candidate.event_id,
        "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "entity": candidate.entity,
    }
