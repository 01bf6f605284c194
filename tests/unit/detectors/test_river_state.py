from __future__ import annotations

import collections
import functools
import json
import random
from typing import Any

import pytest

from detectors.river_state import decode, encode


class Node:
    def __init__(self, value: Any) -> None:
        self.value = value


class Slotted:
    __slots__ = ("left", "right")
    left: Any
    right: Any


class Stranger:
    pass


ALLOWED = {"Node": Node, "Slotted": Slotted}


def there_and_back(value: Any) -> Any:
    return decode(json.loads(json.dumps(encode(value, ALLOWED))), ALLOWED)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        7,
        "text",
        0.1,
        float("inf"),
        [1, [2.5, "x"], []],
        (1, (2,)),
        {"a": 1, 2: (3,), ("x", 1): None},
    ],
)
def test_plain_values_come_back(value: Any) -> None:
    back = there_and_back(value)
    assert back == value
    assert type(back) is type(value)


def test_objects_keep_their_attributes_and_what_they_share() -> None:
    shared = Node([1])
    slotted = Slotted()
    slotted.left = shared
    back = there_and_back([shared, slotted, {"again": shared}])
    assert back[0].value == [1]
    assert back[1].left is back[0] is back[2]["again"]
    assert not hasattr(back[1], "right")


def test_circles_are_closed() -> None:
    node = Node([])
    node.value.append(node)
    back = there_and_back(node)
    assert back.value[0] is back


def test_random_generators_go_on_where_they_were() -> None:
    generator = random.Random(5)
    generator.gauss(0, 1)
    back = there_and_back(generator)
    assert [back.gauss(0, 1) for _ in range(4)] == [generator.gauss(0, 1) for _ in range(4)]


def test_default_factories_come_back() -> None:
    factory: Any = functools.partial(tuple, (0.0, 1.0))
    kind: Any = Node
    found = collections.defaultdict(factory, {"a": 2})
    back = there_and_back([found, collections.defaultdict(kind)])
    assert back[0]["new"] == (0.0, 1.0)
    assert back[0]["a"] == 2
    assert back[1].default_factory is Node


@pytest.mark.parametrize(
    "value",
    [Stranger(), [Stranger()], collections.defaultdict(Stranger), print, {"x": object()}, Stranger],
)
def test_what_is_not_allowed_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="can't be in a snapshot"):
        encode(value, ALLOWED)


@pytest.mark.parametrize(
    "data",
    [
        [],
        [[1]],
        [[1], ["object", "Stranger", []]],
        [[1], ["object", "Node", [["__class__", 1]]]],
        [[1], ["object", "Node", [[5, 1]]]],
        [[1], ["call", "Node"]],
        [[1], ["tuple", [[1]]]],
        [[1], ["random", 3, [1, 2], None]],
        [[1], ["defaultdict", [], 5]],
        [[1], 7],
        [{"x": 1}],
    ],
)
def test_data_that_was_never_encoded_is_refused(data: list[Any]) -> None:
    with pytest.raises(ValueError):
        decode(data, ALLOWED)
