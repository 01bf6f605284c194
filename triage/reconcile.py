"""Messages that are in a topic and of which a store from an older backup knows nothing."""

from __future__ import annotations

from dataclasses import dataclass

from triage.findings import FindingKind


@dataclass(frozen=True, slots=True)
class SentFinding:
    """A revision of a finding as it lies in its topic.

    Attributes:
        sequence: its number in the topic.
        title, by: the cluster's title and who decided, for people.
    """

    topic: str
    sequence: int
    finding_id: str
    revision: int
    kind: FindingKind
    verdict_id: str
    title: str
    by: str
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
