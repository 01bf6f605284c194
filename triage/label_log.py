"""Which rows of the label log are in force, and what each weighs: pure, for any place in the log.

One rule decides where several say something about one candidate: **late truth outranks verdicts, of
several truths the newest counts**. Taken back, it leaves what stood before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def late_truths(entries: Sequence[Entry]) -> Mapping[str, Entry]:
    """Return the late truth that counts, by candidate: the newest."""
    told = sorted((entry for entry in entries if entry.source), key=lambda entry: entry.position)
    return {entry.candidate_id: entry for entry in told}


def in_force(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the entries that detectors learn, in the order given."""
    truth = late_truths(entries)
    return [entry for entry in entries if truth.get(entry.candidate_id, entry) is entry]
