"""Titles that an analyst would write, from a cluster's members. Pure; the same for any order."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from triage.model import Candidate, Reason
from triage.phrases import measure, phrase_of, plural, rare_value
from triage.plain import cut, plain

MAX_TITLE = 90  # characters; longer ones don't fit into a row of the queue
MAX_SUBTITLE = 110
MAX_VALUE = 32  # characters of an entity inside a sentence
SHARED = 0.6  # an entity that this share of the members has names the cluster
SECOND = 0.35  # a second reason is told if it is at least this share of the first


@dataclass(frozen=True, slots=True)
class Noun:
    """What the stream's events are called.

    Attributes:
        one, many: "payment", "payments".
        entities: entity field -> its name for people ("terminal"), most telling first.
    """

    one: str = "event"
    many: str = "events"
    entities: Mapping[str, str] = field(default_factory=dict)

    def of(self, count: int) -> str:
        """Return the count with the noun: "1 payment", "37 payments"."""
        return f"{count:,} {self.one if count == 1 else self.many}"


@dataclass(frozen=True, slots=True)
class _Shared:
    """An entity that most members have.

    Attributes:
        name: for people, value included. ``all``: every member has it.
        phrase: the phrase that says that it is rare, which the name says already; else empty.
    """

    field: str
    name: str
    all: bool
    phrase: str


def title_of(members: Iterable[Candidate], size: int, noun: Noun) -> tuple[str, str]:
    """Return (title, subtitle) of a cluster.

    Args:
        members: all members, or as many as are at hand; at least one.
        size: how many members there are in all.
        noun: what the events are called.

    The title says how many, of which entity, and what is strange about them: "37 payments, terminal
    881, amount 8x usual"; where the pace of one entity is strange, "Card 4417: 9 payments in 1 h, 4
    terminals in 1 h". The subtitle names or counts the other entities and says how long it took:
    "12 customers · within 15 min". Control characters are gone; escaping is the page's job.
    """
    known = sorted(members, key=lambda member: (member.event_time, member.candidate_id))
    strange = _strange(known)
    shared = _shared(known, noun, strange)
    pace = _is_pace(strange, shared)
    told = _told(strange, shared, pace, noun)
    if pace and shared and told:
        title = f"{shared.name[0].upper()}{shared.name[1:]}: {_joined(told)}"
    else:
        title = ", ".join([noun.of(size), *([shared.name] if shared else []), *told])
    if len(title) > MAX_TITLE and len(told) > 1:
        title = title.removesuffix(f", {told[-1]}")
    parts = [noun.of(size)] if pace and told else []
    parts += [_other(known, name, noun) for name in _fields(known, noun, shared)]
    parts.append(_span(known))
    subtitle = " · ".join(part for part in parts if part)
    return cut(title, MAX_TITLE), cut(subtitle, MAX_SUBTITLE)


def _told(
    strange: Sequence[Sequence[Reason]], shared: _Shared | None, pace: bool, noun: Noun
) -> Sequence[str]:
    """Return at most two phrases, of the reasons that matter beside the first."""
    told: dict[str, str] = {}
    largest = _total(strange[0]) if strange else 0.0
    for reasons in strange:
        if len(told) == 2 or _total(reasons) < SECOND * largest:
            break
        entity = reasons[0].entity
        owner = None if entity is None else _label(entity, noun)
        known = pace and shared is not None and entity == shared.field
        phrase = phrase_of(reasons, owner, known)
        if phrase and not (shared and phrase == shared.phrase):
            told.setdefault(measure(reasons[0].label), phrase)
    return list(told.values())


def _joined(told: Sequence[str]) -> str:
    """Return "11 payments and 2,272.50 € in 1 h" rather than the hour twice."""
    first, *others = told
    head, inside, span = first.rpartition(" in ")
    if inside and others and others[0].endswith(f" in {span}"):
        return f"{head} and {others[0]}"
    return ", ".join(told)


def _total(reasons: Sequence[Reason]) -> float:
    return math.fsum(reason.contribution for reason in reasons)


def _strange(known: Sequence[Candidate]) -> Sequence[Sequence[Reason]]:
    """Return the reasons by feature, strongest first; features that speak against it left out."""
    by_feature: dict[str, list[Reason]] = {}
    for member in known:
        for reason in member.reasons:
            by_feature.setdefault(reason.feature, []).append(reason)
    total = {name: _total(reasons) for name, reasons in by_feature.items()}
    ranked = sorted(by_feature, key=lambda name: (-total[name], name))
    return [by_feature[name] for name in ranked if total[name] > 0]


def _is_pace(strange: Sequence[Sequence[Reason]], shared: _Shared | None) -> bool:
    """Whether the foremost reason is how much happened with the one entity that all share."""
    return bool(
        strange
        and shared
        and shared.all
        and strange[0][0].entity == shared.field
        and " in " in strange[0][0].text
    )


def _shared(
    known: Sequence[Candidate], noun: Noun, strange: Sequence[Sequence[Reason]]
) -> _Shared | None:
    """Return the entity that names the cluster: that of the foremost reason if it is shared."""
    foremost = [reasons[0].entity for reasons in strange[:1]]
    best: tuple[tuple[bool, float, int, int], str, str] | None = None
    for place, name in enumerate(_fields(known, noun, None)):
        counted = Counter(m.entities[name] for m in known if name in m.entities)
        value, count = min(counted.items(), key=lambda item: (-item[1], item[0]))
        share = count / len(known)
        rank = (name in foremost, share, -len(counted), -place)
        if share >= SHARED and (best is None or rank > best[0]):
            best = (rank, name, value)
    if best is None:
        return None
    (_, share, *_), name, value = best
    label = _label(name, noun)
    rare = any(reasons[0].label == label and rare_value(reasons) == value for reasons in strange)
    words = ["mostly"] if share < 1.0 else []
    words += ["rare"] if rare else []
    words += [label, plain(value, MAX_VALUE) or "(empty)"]
    told = phrase_of(next(r for r in strange if r[0].label == label)) if rare else ""
    return _Shared(name, " ".join(words), share == 1.0, told)


def _fields(known: Sequence[Candidate], noun: Noun, skip: _Shared | None) -> Sequence[str]:
    """Return the entity fields that occur, in the noun's order, unknown ones last."""
    present = {name for member in known for name in member.entities}
    ordered = [name for name in noun.entities if name in present]
    ordered += sorted(present.difference(ordered))
    return [name for name in ordered if skip is None or name != skip.field]


def _label(name: str, noun: Noun) -> str:
    return plain(noun.entities.get(name, name).replace("_", " "), MAX_VALUE)


def _other(known: Sequence[Candidate], name: str, noun: Noun) -> str:
    """Return "customer 2203" or "12 customers"."""
    values = {member.entities[name] for member in known if name in member.entities}
    label = _label(name, noun)
    if len(values) > 1:
        return f"{len(values):,} {plural(label)}"
    return f"{label} {plain(min(values), MAX_VALUE)}"


def _span(known: Sequence[Candidate]) -> str:
    """Return how long it took, "" for a single moment."""
    seconds = known[-1].event_time - known[0].event_time
    for size, unit in ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s")):
        if seconds >= size:
            return f"within {math.ceil(seconds / size):,} {unit}"
    return ""
