"""The label log folded up row by row: what is in force is known without reading all of it again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from triage.label_log import Entry
from triage.label_weights import weighed
from triage.model import Label, MemberState
from triage.policy import Policy


@dataclass(frozen=True, slots=True)
class Added:
    """A row that adds a label.

    Attributes:
        entry: what it says.
        vector, features_version, entities: of its candidate.
    """

    entry: Entry
    vector: bytes
    features_version: str
    entities: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Retraction:
    """A row that takes back all labels of a verdict or late truth that stand before it.

    ``overruled``: somebody else than who gave the verdict did it.
    """

    position: int
    group: str
    overruled: bool


class LabelFold:
    """What the rows of one stream's log say up to a place; it only moves forward.

    However the rows are cut into calls of ``take``, it is the same.
    """

    def __init__(self) -> None:
        self.position = 0  # of the last row taken
        self._known: dict[int, Added] = {}  # not retracted, by position
        self._standing: dict[str, list[int]] = defaultdict(list)  # the same by group
        self._ever: dict[str, list[Entry]] = defaultdict(list)  # retracted or not
        self._overruled: dict[int, Entry] = {}
        self._labels: dict[int, Label] = {}  # made before

    def take(self, rows: Sequence[Added | Retraction]) -> None:
        """Go on with the next rows, in order."""
        for row in rows:
            if isinstance(row, Added):
                self.position = row.entry.position
                self._known[self.position] = row
                self._standing[row.entry.group].append(self.position)
                self._ever[row.entry.group].append(row.entry)
                continue
            self.position = row.position
            for place in self._standing.pop(row.group, ()):
                del self._known[place]
                self._labels.pop(place, None)
            if row.overruled:
                taken = self._ever.get(row.group, ())
                self._overruled.update((entry.position, entry) for entry in taken)

    @property
    def known(self) -> Sequence[Entry]:
        """The rows that are not retracted, in order."""
        return [row.entry for row in self._known.values()]

    @property
    def overruled(self) -> Sequence[Entry]:
        """The rows of verdicts that somebody else had taken back, in order."""
        return [self._overruled[position] for position in sorted(self._overruled)]

    def labels(self, policy: Policy) -> Sequence[Label]:
        """Return what detectors learn, in order; see ``label_weights.weighed``."""
        return [self._label(*one) for one in weighed(self.known, policy, self.overruled)]

    def _label(self, entry: Entry, weight: float) -> Label:
        made = self._labels.get(entry.position)
        if made is None:
            row = self._known[entry.position]
            made = Label(
                candidate_id=entry.candidate_id,
                verdict_id=entry.group,
                y=entry.y,
                weight=weight,
                vector=row.vector,
                features_version=row.features_version,
                event_time=entry.event_time,
                entities=row.entities,
                source=entry.source,
                at=entry.at,
                inferred=entry.state is not MemberState.READ,
            )
        elif made.weight != weight:
            made = replace(made, weight=weight)
        self._labels[entry.position] = made
        return made
