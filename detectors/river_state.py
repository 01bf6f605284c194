"""River models as plain data: a structural encoding over allow-listed classes, never pickle.

``encode`` walks the object and lists what it finds, so that a thing met twice stays one thing.
``decode`` makes nothing but containers, random generators and instances of the classes it is given,
whose attributes it sets directly: no constructor runs, nothing is imported.
"""

from __future__ import annotations

import collections
import functools
import math
import random
from collections.abc import Mapping
from typing import Any

Allowed = Mapping[str, type]

_PLAIN = (bool, int, str, type(None))


def encode(root: Any, allowed: Allowed) -> list[Any]:
    """Return ``root`` as what JSON can hold; raises TypeError on an object that isn't allowed."""
    return _Encoder(allowed).encode(root)


def decode(data: list[Any], allowed: Allowed) -> Any:
    """Return what was encoded; raises ValueError if the data can't be that."""
    try:
        return _Decoder(data, allowed).value(data[0])
    except (KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not the state of a river model: {error!r}") from error


class _Encoder:
    """The first entry is the root; an object is the number of its entry in a list of one."""

    def __init__(self, allowed: Allowed) -> None:
        self._names = {value: name for name, value in allowed.items()}
        self._slots = {value: _slots(value) for value in allowed.values()}
        self._entries: list[Any] = [None]
        self._numbers: dict[int, int] = {}
        self._alive: list[Any] = []  # so that no id is given out twice

    def encode(self, root: Any) -> list[Any]:
        self._entries[0] = self._value(root)
        return self._entries

    def _value(self, value: Any) -> Any:
        if type(value) in _PLAIN:
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        number = self._numbers.get(id(value))
        if number is None:
            number = len(self._entries)
            self._numbers[id(value)] = number
            self._alive.append(value)
            self._entries.append(None)
            self._entries[number] = self._entry(value)
        return [number]

    def _entry(self, value: Any) -> list[Any]:
        kind = type(value)
        if kind in self._names:
            return ["object", self._names[kind], self._pairs(_attributes(value, self._slots[kind]))]
        if kind is list or kind is tuple:
            return [kind.__name__, [self._value(item) for item in value]]
        if kind is dict:
            return ["dict", self._pairs(value)]
        return self._rare_entry(value)

    def _rare_entry(self, value: Any) -> list[Any]:
        match value:
            case collections.defaultdict():
                return ["defaultdict", self._pairs(value), self._value(value.default_factory)]
            case random.Random():
                version, numbers, gauss = value.getstate()
                return ["random", version, list(numbers), gauss]
            case functools.partial(func=function, args=arguments) if not value.keywords:
                return ["partial", self._value(function), [self._value(arg) for arg in arguments]]
            case type():
                return ["class", self._name(value)]
        raise TypeError(f"a {_full_name(type(value))} can't be in a snapshot")

    def _name(self, kind: type) -> str:
        if kind is tuple:
            return "tuple"
        if kind not in self._names:
            raise TypeError(f"the class {_full_name(kind)} can't be in a snapshot")
        return self._names[kind]

    def _pairs(self, mapping: Mapping[Any, Any]) -> list[list[Any]]:
        return [[self._value(key), self._value(value)] for key, value in mapping.items()]


def _full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _slots(kind: type) -> tuple[str, ...]:
    return tuple(name for base in kind.__mro__ for name in getattr(base, "__slots__", ()))


def _attributes(value: Any, slots: tuple[str, ...]) -> Mapping[str, Any]:
    own: Mapping[str, Any] = getattr(value, "__dict__", {})
    if not slots:
        return own
    return {**own, **{name: getattr(value, name) for name in slots if hasattr(value, name)}}


class _Decoder:
    def __init__(self, data: list[Any], allowed: Allowed) -> None:
        self._data = data
        self._allowed = {**allowed, "tuple": tuple}
        self._made: dict[int, Any] = {}

    def value(self, code: Any) -> Any:
        if isinstance(code, list):
            number = code[0]
            if number not in self._made:
                self._made[number] = self._make(number, self._data[number])
            return self._made[number]
        if isinstance(code, dict):
            return float(code["float"])
        return code

    def _make(self, number: int, entry: list[Any]) -> Any:
        """Make an entry. What may hold itself is known before it is filled."""
        form = entry[0]
        if form == "list":
            made: list[Any] = []
            self._made[number] = made
            made.extend(map(self.value, entry[1]))
            return made
        if form in ("dict", "defaultdict"):
            return self._mapping(number, entry)
        if form == "object":
            kind = self._allowed[entry[1]]
            instance: Any = object.__new__(kind)
            self._made[number] = instance
            for name, value in self._pairs(entry[2]):
                if not (isinstance(name, str) and name.isidentifier()) or name.startswith("__"):
                    raise ValueError(f"{name!r} is no attribute")
                setattr(instance, name, value)
            return instance
        return self._closed(entry)

    def _mapping(self, number: int, entry: list[Any]) -> Any:
        made: dict[Any, Any] = {}
        if entry[0] == "defaultdict":
            made = collections.defaultdict(self.value(entry[2]))
        self._made[number] = made
        made.update(self._pairs(entry[1]))
        return made

    def _closed(self, entry: list[Any]) -> Any:
        """Make what can't hold itself."""
        match entry:
            case ["tuple", items]:
                return tuple(map(self.value, items))
            case ["random", version, numbers, gauss]:
                generator = random.Random()  # noqa: S311  # a model's, not a secret's
                generator.setstate((version, tuple(numbers), gauss))
                return generator
            case ["partial", function, arguments]:
                return functools.partial(self.value(function), *map(self.value, arguments))
            case ["class", name]:
                return self._allowed[name]
        raise ValueError(f"unknown entry {entry[0]!r}")

    def _pairs(self, pairs: list[list[Any]]) -> list[tuple[Any, Any]]:
        return [(self.value(key), self.value(value)) for key, value in pairs]
