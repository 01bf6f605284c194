"""Reads events by a drafted config: what is wrong with the draft shows at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

from streaming.config.model import StreamConfig
from streaming.decode import Decoder
from streaming.field_path import folded
from streaming.records import Record
from streaming.sample.draw import Sample
from streaming.sources.registry import PIPE, open_source

TRIED = 5_000  # events


def dead_letters(config: StreamConfig, sample: Sample) -> tuple[int, Mapping[str, int]]:
    """Return how many events were read again, and how many of them would be dead letters, by why.

    A source is opened anew, as it reads by the declared types; events of a topic or a pipe are
    taken as they came.
    """
    if sample.topic is None and sample.name != PIPE:
        source = open_source(sample.name, config)
        values = [row.value for row in source.read(0, TRIED).rows]
        source.close()
    else:
        events = sample.events()[:TRIED]
        values = [msgspec.json.encode(folded(event, sample.paths)) for event in events]
    records = [Record("", 0, i, None, value) for i, value in enumerate(values)]
    bad = Decoder(config.fields).decode(records).bad
    reasons = Counter(f"{one.code} {one.field}".strip() for one in bad)
    return len(records), dict(reasons)
