"""What an *expected* verdict keeps out of the open queue, and when that ends early.

Somebody who gets a pattern called expected must not gain immunity by it: a suppression covers the
cluster's own entities and leading features only, ends at a date, and breaks when much more comes
than the cluster had, or of entities that it did not have, or when late truth calls one of it real.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from triage.aggregates import ReasonSums
from triage.errors import Invalid
from triage.model import Candidate, KeepOut

DAY = 86_400.0
LEAST_A_DAY = 10  # candidates; fewer in a day are no surge
LEAST_NEW = 3  # entities of one kind; fewer new ones break nothing
DENIED = "late truth: something that it covers was real"
MAX_ENTITIES = 200  # of one scope
KEY_ENTITY = ""  # name of the stream's key among a cluster's entities


@dataclass(frozen=True, slots=True)
class Scope:
    """What is covered: candidates of one of the entities and with all of the leading features.

    ``entities``: (field, value), where "" is the stream's key; empty = any. ``features``: signed
    names ("+amount"); empty = any.
    """

    entities: frozenset[tuple[str, str]] = frozenset()
    features: frozenset[str] = frozenset()

    def covers(self, candidate: Candidate) -> bool:
        """Return whether the candidate is in scope."""
        if self.entities:
            has = {(KEY_ENTITY, candidate.entity), *candidate.entities.items()}
            if self.entities.isdisjoint(has):
                return False
        return not self.features or self.features <= leading(candidate)


@dataclass(frozen=True, slots=True)
class ScopeFacts:
    """The cluster that a scope is made from. ``entities``: members by (field, value)."""

    size: int
    first_time: float
    last_time: float
    signature: Collection[str]
    entities: Mapping[tuple[str, str], int]

    def per_day(self) -> float:
        """Return how many members came per day."""
        return self.size / max(1.0, (self.last_time - self.first_time) / DAY)


@dataclass(frozen=True, slots=True)
class Suppression:
    """A scope in force. ``suppression_id`` is the id of its verdict.

    ``usual``: members per day of the cluster that it comes from. ``hits``: candidates kept out.
    """

    suppression_id: str
    stream: str
    cluster_id: str
    scope: Scope
    at: float
    expires_at: float
    usual: float
    hits: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """What a suppression has kept out: in the last day of events, and entities by field.

    ``known``: number of entities of the cluster that it comes from; ``new``: of those that it
    hid, without the known ones. ``denied``: late truth calls something real that it hid.
    """

    last_day: int
    known: Mapping[str, int]
    new: Mapping[str, int]
    denied: bool = False


def leading(candidate: Candidate) -> frozenset[str]:
    """Return the signed features that lead a candidate's explanation."""
    sums = ReasonSums()
    sums.add(candidate.reasons, candidate.score)
    return frozenset(sums.signed())


def scope_of(facts: ScopeFacts, keep_out: KeepOut) -> Scope:
    """Return what is kept out after a verdict on this cluster.

    The entity is one that all members share; where they share none, the scope has the keys of all.

    Raises:
        Invalid: the cluster has no such part.
    """
    entities: frozenset[tuple[str, str]] = frozenset()
    features: frozenset[str] = frozenset()
    if keep_out in (KeepOut.ENTITY, KeepOut.ENTITY_AND_REASON):
        entities = _entities(facts)
    if keep_out in (KeepOut.REASON, KeepOut.ENTITY_AND_REASON):
        features = frozenset(facts.signature)
        if not features:
            raise Invalid("keep_out: no feature leads this cluster: choose entity or nothing")
    return Scope(entities, features)


def _entities(facts: ScopeFacts) -> frozenset[tuple[str, str]]:
    named = {pair: count for pair, count in facts.entities.items() if pair[1]}
    shared = sorted(pair for pair, count in named.items() if count == facts.size)
    if shared:
        return frozenset([shared[0]])  # the stream's key before all others
    keys = frozenset(pair for pair in named if pair[0] == KEY_ENTITY)
    if not 0 < len(keys) <= MAX_ENTITIES:
        raise Invalid(
            f"keep_out: the members are of {len(keys):,} entities, at most {MAX_ENTITIES} can be"
            " named: choose reason or nothing"
        )
    return keys


def broken_by(suppression: Suppression, usage: Usage, surge: float) -> str:
    """Return why the suppression must end now, empty if it need not."""
    if usage.denied:
        return DENIED
    most = max(float(LEAST_A_DAY), surge * suppression.usual)
    if usage.last_day > most:
        return (
            f"volume: {usage.last_day:,} in a day, {suppression.usual:,.0f} a day when it was"
            f" called expected, at most {most:,.0f} allowed"
        )
    scoped = {name for name, _ in suppression.scope.entities}
    for name, new in sorted(usage.new.items()):
        limit = max(float(LEAST_NEW), surge * usage.known.get(name, 0))
        if name not in scoped and new > limit:
            what = name or "entities"
            return f"new {what}: {new:,}, {usage.known.get(name, 0):,} when it was called expected"
    return ""


def covering(suppressions: Sequence[Suppression], candidate: Candidate) -> str | None:
    """Return the first suppression that covers the candidate."""
    for suppression in suppressions:
        if suppression.scope.covers(candidate):
            return suppression.suppression_id
    return None
