"""Which rows of the label log are in force, and what each weighs: pure, for any place in the log.

One rule decides where several say something about one candidate: **late truth outranks verdicts, of
several truths the newest counts**. Taken back, it leaves what stood before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from triage.model import MemberState


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that has not been retracted.

    Attributes:
        group: the verdict or truth that it comes from.
        source: name of the source of a late truth, empty for a verdict.
        actor: who gave the verdict or handed the truth in.
        at: when it entered the log. ``event_time``: of its candidate, seconds since 1970.
    """

    position: int
    group: str
    candidate_id: str
    y: float
    weight: float
    state: MemberState
    source: str
    actor: str
    at: float
    event_time: float


def in_force(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the entries that detectors learn, in the order of the log."""
    newest = {entry.candidate_id: entry.position for entry in entries if entry.source}
    return [
        entry
        for entry in entries
        if newest.get(entry.candidate_id, entry.position) == entry.position
    ]
