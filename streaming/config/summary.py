"""What ``triage check`` says of a config that is right."""

from __future__ import annotations

from collections.abc import Iterator

from detectors.features.registry import build
from detectors.registry import DetectorSpec
from streaming.config.model import StreamConfig

BYTES_PER_ID = 100  # an entry of a dict with an integer as key
BYTES_PER_NODE = 32  # feature, threshold, cover, path length, where missing values go


def summary(config: StreamConfig) -> str:
    """Return a few lines: what is read, what detectors see, how they learn, what state it takes."""
    return "\n".join(f"  {name:<10} {text}" for name, text in _rows(config))


def _rows(config: StreamConfig) -> Iterator[tuple[str, str]]:
    features = [build(params) for params in config.features]
    columns = [name for feature in features for name in feature.names]
    partitions = config.source.partitions
    learning = config.learning
    yield "stream", f"{config.stream}, version {config.version[:12]}"
    yield "source", f"topic {config.source.topic}, {_count(partitions, 'partition')}"
    yield "fields", f"{len(config.fields)}: {', '.join(_types(config))}"
    yield "entities", ", ".join(config.entity_fields()) or "none"
    yield "time", config.time or "when the log took the event"
    yield "features", f"{len(config.features)}, {_count(len(columns), 'column')}"
    yield "detectors", ", ".join(spec.kind for spec in config.detectors)
    yield "learning", f"blocks of {learning.block:,} events, alerts after {learning.warm_up:,}"
    yield "budget", f"{learning.alert_budget:.3%} of the events may become candidates"
    if limit := learning.alert_limit:
        each = f"; {limit.most * partitions:,} in all" if partitions > 1 else ""
        yield "limit", f"{limit.most:,} candidates per {limit.per} and partition{each}"
    growing = sum(feature.most_bytes for feature in features)
    most = (
        f"; up to {_megabytes(growing):,} MB more for what is kept of entities" if growing else ""
    )
    yield "state", f"about {_megabytes(_state(config, len(columns))):,} MB per partition{most}"
    for warning in config.warnings:
        yield "warning", warning


def _types(config: StreamConfig) -> Iterator[str]:
    types = [field.type for field in config.fields.values()]
    for name in sorted(set(types)):
        yield f"{types.count(name)} {name}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _megabytes(size: int) -> int:
    return max(1, round(size / 1e6))


def _state(config: StreamConfig, columns: int) -> int:
    """Return about how many bytes a partition's state takes from the start on."""
    size = config.event_id.horizon * BYTES_PER_ID if config.event_id else 0
    size += config.learning.max_labels * columns * 4
    return size + sum(_detector_bytes(spec, columns) for spec in config.detectors)


def _detector_bytes(spec: DetectorSpec, columns: int) -> int:
    """Return what the window and the trees take, as far as the parameters tell."""
    params = spec.params.model_dump() if spec.params else {}
    window, trees, rows = (_whole(params.get(key)) for key in ("window", "trees", "subsample"))
    return window * columns * 4 + trees * 2 * rows * BYTES_PER_NODE


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
