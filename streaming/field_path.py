"""Where a field lies in an event: the keys that lead to it, from the outside in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

Path = tuple[str, ...]

MAX_DEPTH = 8  # keys of a path


class Placed(Protocol):
    """A declared field, as far as its place is concerned."""

    @property
    def path(self) -> Path | None:
        """The keys that lead to it, None: it stands in the event under its own name."""


def path_of(name: str, field: Placed) -> Path:
    """Return the keys that lead to a declared field."""
    return field.path or (name,)


def value_at(event: Any, path: Path, absent: Any = None) -> Any:
    """Return the value at a path of a decoded event, ``absent`` where there is none."""
    for key in path:
        if not isinstance(event, Mapping) or key not in event:
            return absent
        event = event[key]
    return event


def leaves(event: Mapping[str, Any], above: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield each value of an event that holds no others by key, with its path.

    What lies deeper than ``MAX_DEPTH`` keys, and objects without a key, come as they are.
    """
    for key, value in event.items():
        path = (*above, key)
        if isinstance(value, Mapping) and value and len(path) < MAX_DEPTH:
            yield from leaves(value, path)
        else:
            yield path, value


def folded(values: Mapping[str, Any], paths: Mapping[str, Path]) -> dict[str, Any]:
    """Return an event of values by name; those with a path lie there, the others at the top."""
    event: dict[str, Any] = {}
    for name, value in values.items():
        *above, last = paths.get(name, (name,))
        below = event
        for key in above:
            below = below.setdefault(key, {})
        below[last] = value
    return event
