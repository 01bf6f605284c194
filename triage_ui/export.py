"""Rows of exports, and as CSV: a text that a spreadsheet would take for a formula stays a text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from triage.looks import Look
from triage.queries import AuditRow, QueueRow

FORMULA = re.compile(
    "[\\s\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]*"
    "[=+@\uff1d\uff0b\uff0d\uff20-]"
    "|[\t\r\n]"
)
"""What a spreadsheet reads as a formula (full-width signs too), behind what it skips or hides."""

QUEUE: Mapping[str, type] = {
    "cluster_id": str,
    "stream": str,
    "title": str,
    "subtitle": str,
    "status": str,
    "verdict": str,
    "suggested": str,
    "worth": float,
    "posterior": float,
    "score": float,
    "members": int,
    "entities": int,
    "reasons": str,
    "first_time": float,
    "last_time": float,
    "created_at": float,
    "predecessor": str,
    "weakest": float,
}
LOOKS: Mapping[str, type] = {
    "verdict_id": str,
    "cluster_id": str,
    "stream": str,
    "title": str,
    "kind": str,
    "suggested": str,
    "actor": str,
    "since": float,
    "touched": float,
    "at": float,
    "score": float,
    "regrouped": int,
    "retaken": int,
    "drawn": int,
}
AUDITS: Mapping[str, type] = {
    "candidate_id": str,
    "cluster_id": str,
    "stream": str,
    "title": str,
    "wrong": int,
    "truth": int,
    "probability": float,
    "kind": str,
    "of": str,
    "actor": str,
    "at": float,
}
"""Columns of the files; times are seconds since 1970."""

Row = Mapping[str, str | float | int | None]


def queue_rows(rows: Sequence[QueueRow]) -> list[Row]:
    """Return the queue's rows, flat."""
    return [
        {
            "cluster_id": row.cluster_id,
            "stream": row.stream,
            "title": row.title,
            "subtitle": row.subtitle,
            "status": row.status.value,
            "verdict": None if row.verdict is None else row.verdict.value,
            "suggested": row.suggested.value,
            "worth": row.worth,
            "posterior": row.posterior,
            "score": row.score,
            "members": row.size,
            "entities": row.entities,
            "reasons": ", ".join(label for label, _ in row.top),
            "first_time": row.first_time,
            "last_time": row.last_time,
            "created_at": row.created_at,
            "predecessor": row.predecessor,
            "weakest": row.weakest,
        }
        for row in rows
    ]


def look_rows(looks: Sequence[Look]) -> list[Row]:
    """Return decided clusters, flat."""
    return [
        {
            "verdict_id": look.verdict_id,
            "cluster_id": look.cluster_id,
            "stream": look.stream,
            "title": look.title,
            "kind": look.kind.value,
            "suggested": "" if look.suggested is None else look.suggested.value,
            "actor": look.actor,
            "since": look.since,
            "touched": look.touched,
            "at": look.at,
            "score": look.score,
            "regrouped": int(look.regrouped),
            "retaken": int(look.retaken),
            "drawn": int(look.drawn),
        }
        for look in looks
    ]


def audit_rows(rows: Sequence[AuditRow]) -> list[Row]:
    """Return answered audits, flat; ``wrong`` is 1 where the member was real.

    So is ``truth`` where late truth says so; empty where it has not spoken.
    """
    return [
        {
            "candidate_id": row.candidate_id,
            "cluster_id": row.cluster_id,
            "stream": row.stream,
            "title": row.title,
            "wrong": int(row.wrong),
            "truth": None if row.truth is None else int(row.truth),
            "probability": row.probability,
            "kind": row.kind.value,
            "of": row.of,
            "actor": row.actor,
            "at": row.at,
        }
        for row in rows
    ]


def to_csv(rows: Sequence[Row], columns: Mapping[str, type]) -> bytes:
    """Return UTF-8 CSV with a heading; ``'`` stands before what looks like a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(row[name]) for name in columns] for row in rows)
    return text.getvalue().encode("utf-8", "backslashreplace")


def _cell(value: Any) -> Any:
    """Return the cell; numbers are no text.

    >>> _cell("=1+1"), _cell("  @x"), _cell(-1.5), _cell(None)
    ("'=1+1", "'  @x", -1.5, '')
    """
    if not isinstance(value, str):
        return "" if value is None else value
    return f"'{value}" if FORMULA.match(value) else value
