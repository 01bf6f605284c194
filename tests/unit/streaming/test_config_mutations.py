"""Any value at any place of a config: refused with its place, or a config that can be built."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.config.load import parse
from streaming.config.summary import summary
from streaming.config.yaml_tree import Path, read_tree
from streaming.errors import ConfigInvalid
from streaming.grouper import Groups
from streaming.pipeline import PartitionPipeline
from tests.support.streams import as_records
from tests.unit.streaming.test_config_broken import GOOD

TREE = read_tree(GOOD)[0].value
WORDS = [
    *("amount", "country", "tx_time", "customer_id", "log", "window", "1h", "100 events", "0.5%"),
    *("", "a b", "true", "\x00", "🦆", "x" * 300, "number", "string", "count", "distinct", "river"),
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 300),
    st.sampled_from([2**31, -(2**40), 10**12]),
    st.floats(-2, 2),
    st.sampled_from(WORDS),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from([*WORDS[:6], "kind", "field", "type"]), inner, max_size=3),
    ),
    max_leaves=5,
)


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield every place of a tree, and a new key in each section."""
    if path:
        yield path
    if isinstance(value, dict):
        yield (*path, "zebra")
        for key, inner in value.items():
            yield from paths(inner, (*path, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from paths(inner, (*path, i))


def changed(path: Path, value: Any, *, remove: bool) -> str:
    """Return the good config as JSON, which is YAML, with one place replaced or removed."""
    tree = copy.deepcopy(TREE)
    *section, last = path
    here: Any = tree
    for step in section:
        here = here[step]
    if remove and last != "zebra":
        del here[last]
    else:
        here[last] = value
    return json.dumps(tree, indent=1)


@given(st.sampled_from(list(paths(TREE))), VALUES, st.booleans())
@settings(max_examples=120, deadline=None)
def test_a_config_is_refused_with_its_place_or_can_be_built(
    path: Path, value: Any, remove: bool
) -> None:
    try:
        config = parse(changed(path, value, remove=remove), "p.yaml")
    except ConfigInvalid as error:
        for problem in error.problems:
            assert re.match(r"p\.yaml:\d+: \S", problem), problem
            assert "\n" not in problem
    else:
        assert summary(config)
        Groups(config)
        event = {"tx_id": "a", "tx_time": 0, "customer_id": "c", "amount": 1.0, "country": "NL"}
        pipeline = PartitionPipeline(config, 0, "t")
        pipeline.process(as_records([event, event]))
        PartitionPipeline(config, 0, "t").restore(pipeline.snapshot())


def test_the_places_are_many() -> None:
    assert len(set(paths(TREE))) > 60
