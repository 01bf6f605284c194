"""What part each field of a sample plays in a detector: told by its values, and by its name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from streaming.config.checks import looks_like_the_answer
from streaming.config.fields import can_be_declared
from streaming.sample.profile import FieldProfile, Profile, words_of

MAX_FIELDS = 200  # more of them nobody reads
MAX_NAMES = 20_000  # characters of all names together: the file must stay one that is read
MAX_ENTITIES = 3
MAX_ENTITY = 200  # characters of a value that names somebody
FEW = 20  # events below which nothing is said about what repeats
SOME = 5  # values below which an entity is a category
RECURS = 3.0  # events per value from which an entity's past tells something
REPEATS = 2.0  # events per value from which it tells something how rare a value is
LONG_TAIL = 50.0  # times the usual size
WITHOUT_TIME = 0.001  # share of the events that may lack the time: they become dead letters
KEY_MISSING = 0.05

_ID = frozenset({"id", "uuid", "guid", "key", "ref", "hash"})
_CODES = _ID | {
    *("asn", "bin", "class", "code", "no", "number", "pid", "port", "status", "type", "zip"),
}
_WHO = frozenset({
    *("account", "actor", "address", "addr", "card", "client", "computer", "customer", "device"),
    *("email", "employee", "entity", "host", "ip", "machine", "member", "merchant"),
    *("node", "owner", "pc", "principal", "sensor", "series", "server", "session"),
    *("tenant", "terminal", "user", "vehicle"),
})  # fmt: skip
_EVENT = ("event", "tx", "transaction", "record", "message", "request", "uuid", "guid")
_WHEN = ("event", "time", "timestamp", "at", "date")


@dataclass(slots=True)
class Roles:
    """Fields by what they are for; a field may have several.

    Attributes:
        types: what is declared, in the order of the sample.
        entities: the key first. ``amounts``: numbers with a long tail.
        left_out: fields that are not declared, and why.
    """

    types: dict[str, str] = field(default_factory=dict)
    time: str | None = None
    event_id: str | None = None
    entities: Sequence[str] = ()
    categories: list[str] = field(default_factory=list)
    amounts: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str | None:
        """Return the field whose events belong together."""
        return self.entities[0] if self.entities else None


def roles_of(profile: Profile, unwanted: Collection[str] = ()) -> Roles:
    """Give each field its part; those in ``unwanted`` and those that can't have one get none."""
    roles = Roles()
    known: dict[str, FieldProfile] = {}
    for name, own in profile.fields.items():
        if why := _why_not(own, unwanted):
            roles.left_out[name] = why
        else:
            known[name] = own
    roles.time = _best([one for one in known.values() if _is_clock(one)], _WHEN)
    roles.event_id = _best([one for one in known.values() if _is_event_id(one)], _EVENT)
    roles.entities = _entities(known, roles.event_id)
    for name, own in known.items():
        if len(roles.types) >= MAX_FIELDS or sum(map(len, roles.types)) >= MAX_NAMES:
            roles.left_out[name] = "comes after too many others"
        elif name in (roles.time, roles.event_id):
            roles.types[name] = "time" if name == roles.time else "string"
        elif own.kind == "time":
            roles.left_out[name] = "is another time"
        else:
            _give_part(roles, own)
    roles.entities = [name for name in roles.entities if name in roles.types]
    return roles


def _why_not(own: FieldProfile, unwanted: Collection[str]) -> str:
    """Return why a field has no part at all, "" if it may have one."""
    if own.name in unwanted:
        return "is not wanted"
    if not can_be_declared(own.name):
        return "has a name that can't be declared"
    if looks_like_the_answer(own.name):
        return "looks like the answer, not like an observation"
    if own.kind == "unusable":
        return own.why
    if own.distinct == 1:
        return "always has the same value"
    return ""


def _give_part(roles: Roles, own: FieldProfile) -> None:
    name = own.name
    if own.kind == "string" or _is_code(own):
        if own.per_value < REPEATS and own.count >= FEW:
            roles.left_out[name] = "hardly ever repeats"
            return
        roles.types[name] = "string"
        roles.categories.append(name)
    elif own.kind == "number" and own.whole and own.rising and own.distinct == own.count >= FEW:
        roles.left_out[name] = "counts the events"
    else:
        roles.types[name] = own.kind
        (roles.amounts if has_long_tail(own) else roles.numbers).append(name)


def has_long_tail(own: FieldProfile) -> bool:
    """Return whether the largest sizes are many times the usual one."""
    if own.kind != "number":
        return False
    largest = max(abs(own.low), abs(own.high))
    return largest > LONG_TAIL and largest > LONG_TAIL * abs(own.middle)


def _entities(known: Mapping[str, FieldProfile], event_id: str | None) -> list[str]:
    """Return fields that say who acts, the one with the most values first."""
    fitting = [
        own
        for own in known.values()
        if own.name != event_id
        and (own.kind == "string" or _is_code(own))
        and own.longest <= MAX_ENTITY
        and own.per_value >= RECURS
        and own.missing <= KEY_MISSING
        and own.distinct >= SOME
        and _WHO & words_of(own.name)
    ]
    return [own.name for own in sorted(fitting, key=lambda own: -own.distinct)[:MAX_ENTITIES]]


def _is_clock(own: FieldProfile) -> bool:
    return own.kind == "time" and own.missing <= WITHOUT_TIME


def _is_event_id(own: FieldProfile) -> bool:
    """Return whether it names each event: never missing, never twice, and called an id."""
    return (
        (own.kind == "string" or (own.kind == "number" and own.whole))
        and not own.missing
        and own.distinct == own.count >= FEW
        and bool(_ID & words_of(own.name))
    )


def _is_code(own: FieldProfile) -> bool:
    """Return whether numbers are names: an id, a port, a postal code."""
    return own.kind == "number" and own.whole and bool(_CODES & words_of(own.name))


def _best(fields: Sequence[FieldProfile], words: Sequence[str]) -> str | None:
    """Return the field whose name has the foremost of these words, the first of several."""

    def rank(own: FieldProfile) -> int:
        places = [words.index(word) for word in words_of(own.name) if word in words]
        return min(places, default=len(words))

    return min(fields, key=rank).name if fields else None
