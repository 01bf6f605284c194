"""What a change of a config does to detectors, verdicts and the people around them."""

from __future__ import annotations

import difflib
import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streaming.config.model import StreamConfig
from streaming.config.yaml_tree import Path, dotted, read_tree
from streaming.field_path import path_of


class Effect(enum.IntEnum):
    """What a changed config does when it comes into force; a larger one includes the smaller."""

    CHANGES_NOTHING = 0
    KEEPS_STATE = 1
    NEEDS_WARM_UP = 2
    RESETS_STATE = 3
    CHANGES_THE_CONTRACT = 4

    def words(self) -> str:
        """Return the name as people write it: ``keeps state``."""
        return self.name.lower().replace("_", " ")


MEANING: Mapping[Effect, str] = {
    Effect.CHANGES_NOTHING: "it is the same config",
    Effect.KEEPS_STATE: "detectors go on with what they have learned",
    Effect.NEEDS_WARM_UP: "detectors learn anew, from the newest records of the log; verdicts "
    "stay in force",
    Effect.RESETS_STATE: "detectors learn anew, from the newest records of the log; their columns "
    "are others, and verdicts count by those that they share",
    Effect.CHANGES_THE_CONTRACT: "those who write the topic or read findings have to know; and "
    "detectors learn anew where anything that they see has changed",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One key that differs.

    Attributes:
        key: its place: ``learning.warm_up``. ``old``, ``new``: as the file has them, None = absent.
        why: what it means, one line.
    """

    key: str
    old: Any
    new: Any
    effect: Effect
    why: str


_OF_STATE = (Effect.NEEDS_WARM_UP, Effect.RESETS_STATE)
_SHOWN = "names, groups or handles candidates; detectors don't see it"
_BUDGET = "the threshold follows from margins that are kept"
_LEARNS = "the detector is another one"
_TOP: Mapping[str, tuple[Effect, str]] = {
    "title": (Effect.KEEPS_STATE, _SHOWN),
    "noun": (Effect.KEEPS_STATE, _SHOWN),
    "policy": (Effect.KEEPS_STATE, _SHOWN),
    "max_bad_share": (Effect.KEEPS_STATE, "detectors don't see bad records"),
    "clustering": (Effect.KEEPS_STATE, _SHOWN),
    "rollout": (Effect.KEEPS_STATE, "how a version is tried, not what it is"),
    "alert_budget": (Effect.KEEPS_STATE, _BUDGET),
    "alert_limit": (Effect.KEEPS_STATE, "what may alert at once stays as full as it is"),
    "explanations": (Effect.KEEPS_STATE, "only how a candidate is explained"),
    "context": (Effect.NEEDS_WARM_UP, "what is kept of an entity's last events is state, too"),
    "detectors": (Effect.NEEDS_WARM_UP, _LEARNS),
    "learning": (Effect.NEEDS_WARM_UP, _LEARNS),
    "seed": (Effect.NEEDS_WARM_UP, _LEARNS),
    "event_id": (Effect.NEEDS_WARM_UP, "other events count as sent twice"),
    "time": (Effect.NEEDS_WARM_UP, "windows and clusters go by another time"),
    "features": (Effect.RESETS_STATE, "the detector sees other columns"),
    "stream": (Effect.CHANGES_THE_CONTRACT, "it is another stream: nothing is carried over"),
    "source": (Effect.CHANGES_THE_CONTRACT, "events come from elsewhere, or are dealt differently"),
    "key": (Effect.CHANGES_THE_CONTRACT, "the topic has to be written by another key"),
}


def changes_of(old: StreamConfig, new: StreamConfig) -> list[Change]:
    """Return every key that differs, in the order of the new file; then those that are gone."""
    before, after = _values(old), _values(new)
    found = [_change(old, new, path, a, b) for path, a, b in _differences(before, after)]
    return [change for change in found if change.old != change.new]


def effect_of(old: StreamConfig, new: StreamConfig, changes: Sequence[Change]) -> Effect:
    """Return what all changes come to.

    Workers go by the versions of columns and state, so these decide, not the keys that differ.
    """
    if not changes:
        return Effect.CHANGES_NOTHING
    largest = max(change.effect for change in changes)
    if largest is Effect.CHANGES_THE_CONTRACT:
        return largest
    if old.features_version() != new.features_version():
        return Effect.RESETS_STATE
    if old.state_version() != new.state_version():
        return Effect.NEEDS_WARM_UP
    return Effect.KEEPS_STATE


def _values(config: StreamConfig) -> Mapping[str, Any]:
    value = read_tree(config.text)[0].value
    return {key: one for key, one in value.items() if one is not None}


def _differences(old: Any, new: Any, path: Path = ()) -> Iterator[tuple[Path, Any, Any]]:
    """Yield the deepest places that differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*new, *old]):
            yield from _differences(old.get(key), new.get(key), (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _items(old, new, path)
    elif old != new or type(old) is not type(new):
        yield path, old, new


def _items(old: list[Any], new: list[Any], path: Path) -> Iterator[tuple[Path, Any, Any]]:
    """Yield what differs between lists: items that came or went, and what is other in the rest."""
    if len(old) == len(new):
        for i, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from _differences(a, b, (*path, i))
        return
    before, after = ([repr(one) for one in each] for each in (old, new))
    match = difflib.SequenceMatcher(None, before, after)
    for _, start, stop, begin, end in match.get_opcodes():
        both = min(stop - start, end - begin)
        for a, b in zip(range(start, start + both), range(begin, begin + both), strict=True):
            yield from _differences(old[a], new[b], (*path, b))
        for a in range(start + both, stop):
            yield (*path, a), old[a], None
        for b in range(begin + both, end):
            yield (*path, b), None, new[b]


def _change(old: StreamConfig, new: StreamConfig, path: Path, a: Any, b: Any) -> Change:
    if path[0] == "fields":
        effect, why = _of_field(old, new, path)
    else:
        effect, why = _TOP[str(path[0])]
    same = old.state_version() == new.state_version()
    spelling = (same and effect in _OF_STATE) or (path[0] == "source" and old.source == new.source)
    if spelling or (path[0] == "features" and old.features_version() == new.features_version()):
        effect, why = Effect.KEEPS_STATE, "a name for people, or another spelling of the same"
    return Change(dotted(path), a, b, effect, why)


def _of_field(old: StreamConfig, new: StreamConfig, path: Path) -> tuple[Effect, str]:
    """Return what a change under ``fields`` does; of several, what matters most."""
    names = [str(path[1])] if len(path) > 1 else sorted({*old.fields, *new.fields})
    found = [_of_one_field(old, new, name) for name in names]
    return max(found, key=lambda pair: pair[0])


def _of_one_field(old: StreamConfig, new: StreamConfig, name: str) -> tuple[Effect, str]:
    before, after = old.fields.get(name), new.fields.get(name)
    if after is None:
        return Effect.NEEDS_WARM_UP, "it is no longer read, nor checked"
    if before is None or path_of(name, before) != path_of(name, after):
        return Effect.CHANGES_THE_CONTRACT, "an event in which it has another type is a dead letter"
    if before.type != after.type or after.required > before.required:
        return Effect.CHANGES_THE_CONTRACT, "events that were right become dead letters"
    if before.required != after.required:
        return Effect.NEEDS_WARM_UP, "events without it count"
    if before.entity != after.entity:
        return Effect.CHANGES_THE_CONTRACT, "findings name other entities"
    return Effect.KEEPS_STATE, _SHOWN
