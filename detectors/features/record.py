"""What became of an entity's past events."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import ConfigDict, Field, field_validator

from detectors.base import Matrix, Snapshot, SnapshotError, Vector
from detectors.duration import parse_duration
from detectors.features.base import Accepts, Columns, Feature, FeatureParams, Truths
from detectors.features.display import range_text, words
from detectors.features.entity_windows import Entity, EntityWindows
from detectors.features.keys import keys_of, pack_texts, unpack_texts

MAX_TRUTHS = 200_000
"""Newest truths kept; older ones are forgotten."""


_Arrays = tuple[Sequence[str], Vector, Vector, Vector]
"""Names of entities; times, real and told of their events."""


class _Past(NamedTuple):
    """What is known of one entity's events, oldest first.

    Attributes:
        times: of the events. ``real``, ``told``: sums over the events up to each; one entry longer
            than ``times``, so that differences are sums over a span.
    """

    times: Sequence[float]
    real: Sequence[float]
    told: Sequence[float]


class Record(Feature):
    """The share of the entity's past events that were found real, one column per window.

    An event counts from the moment at which its truth is known (a verdict, a chargeback), not
    before; verdicts that are taken back stop counting. The share is ``real / (known + shrink)``: an
    entity of which nothing is known has 0, and one finding among two says less than ten among
    twenty. Without ``silence`` only events whose truth was told are known. With it, an event of
    which nothing was heard for that long is known to be fine, as payments are without a chargeback,
    and windows reach back that much further. Works where findings repeat at a card, a terminal, a
    host or an address; says nothing where each entity is seen once. With ``silence`` it costs
    memory for each event in the longest window, up to a million of them. On several partitions,
    truths come from all of them, silent events are those of the partition.
    """

    kind = "record"
    accepts: ClassVar[Accepts] = {"entity": frozenset({"string"})}
    takes_truths = True

    class Params(FeatureParams):
        """Parameters of ``record``."""

        model_config = ConfigDict(
            json_schema_extra={
                "examples": [
                    {"kind": "record", "entity": "terminal", "over": ["1d", "7d", "30d"]},
                    {
                        "kind": "record",
                        "entity": "card",
                        "over": ["1h", "1d"],
                        "silence": "2h",
                        "shrink": 0.5,
                        "max_entities": 2,
                    },
                ]
            }
        )

        kind: Literal["record"]
        entity: str = Field(
            description="Field whose values are kept apart, like terminal or host; declared with "
            "`entity: true`."
        )
        over: Annotated[tuple[str, ...], Field(strict=False)] = Field(
            default=("1d", "7d", "30d"),
            min_length=1,
            max_length=8,
            description="Windows, as durations; a column each.",
        )
        silence: str | None = Field(
            default=None,
            description="Duration after which an event of which nothing was heard is known to be "
            "fine, like the time that chargebacks take; left out, silence says nothing.",
        )
        shrink: float = Field(
            default=1.0, ge=0.1, le=1000, description="Known events that count half a share."
        )
        max_entities: int = Field(
            default=100_000,
            ge=1,
            le=10**7,
            description="Entities whose silent events are counted at a time.",
        )

        @field_validator("over")
        @classmethod
        def _over(cls, value: tuple[str, ...]) -> tuple[str, ...]:
            spans = [parse_duration(text) for text in value]
            if sorted(set(spans)) != spans:
                raise ValueError("windows must differ and grow, like [1d, 7d, 30d]")
            return value

        @field_validator("silence")
        @classmethod
        def _silence(cls, value: str | None) -> str | None:
            if value is not None:
                parse_duration(value)
            return value

    def __init__(self, params: Params) -> None:
        self._params = params
        self._silence = parse_duration(params.silence) if params.silence else 0.0
        self._reach = [self._silence + parse_duration(text) for text in params.over]
        self._seen = EntityWindows("times", self._reach[-1], None, params.max_entities)
        self._past: dict[str, _Past] = {}
        self._truths = _NOTHING
        self._last_time = 0.0
        self.entity = self._entity = params.entity
        self.most_bytes = self._seen.most_bytes if params.silence else 0
        self.name = params.name or f"record_of_{params.entity}"
        self.names = tuple(f"{self.name}_{text.replace(' ', '')}" for text in params.over)
        self.label = params.label or f"record of {words(params.entity)}"

    def extract(self, columns: Columns, times: Vector) -> Matrix:
        """Return the shares of each event's entity as they are known at its time."""
        keys = keys_of(columns[self._entity])
        out = np.zeros((len(keys), len(self.names)), np.float32)
        for i, (key, time) in enumerate(zip(keys, self._clock(times), strict=True)):
            if key is None:
                out[i] = np.nan
                continue
            seen = None
            if self._params.silence:
                seen = self._seen.visit(key, time)
            past = self._past.get(key)
            if past is not None:
                out[i] = [self._share(past, seen, time - reach, time) for reach in self._reach]
            if seen is not None:
                self._seen.add(seen, None)
        return out

    def _share(self, past: _Past, seen: Entity | None, start: float, now: float) -> float:
        """Return the share among the events after ``start``."""
        first = bisect_right(past.times, start)
        real = past.real[-1] - past.real[first]
        if real <= 0.0:
            return 0.0
        if seen is None:
            return real / (past.told[-1] - past.told[first] + self._params.shrink)
        quiet = now - self._silence
        middle = max(first, bisect_right(past.times, quiet))
        old, young = past.told[middle] - past.told[first], past.told[-1] - past.told[middle]
        silent = bisect_right(seen.times, quiet, seen.head)
        silent -= bisect_right(seen.times, start, seen.head)
        return real / (max(old, float(silent)) + young + self._params.shrink)

    def _clock(self, times: Vector) -> Sequence[float]:
        """Return finite times: an event without one happens at that of the event before."""
        clock = []
        for time in np.asarray(times, np.float64).tolist():
            if math.isfinite(time):
                self._last_time = time
            clock.append(self._last_time)
        return clock

    def set_truths(self, truths: Truths) -> None:
        """Count exactly these, the newest if there are too many."""
        named = [
            (entities[self._entity], time, real, told)
            for entities, time, real, told in zip(
                truths.entities, truths.times, truths.real, truths.told, strict=True
            )
            if self._entity in entities and math.isfinite(time)
        ]
        named.sort(key=lambda one: one[1])
        named = named[-MAX_TRUTHS:]
        columns = [np.array(column, np.float64) for column in list(zip(*named, strict=True))[1:]]
        self._take([one[0] for one in named], *(columns or _NOTHING[1:]))

    def _take(self, names: Sequence[str], times: Vector, real: Vector, told: Vector) -> None:
        self._truths = (names, times, real, told)
        rows: dict[str, list[int]] = defaultdict(list)
        for i, key in enumerate(keys_of(names)):
            rows[key or ""].append(i)
        self._past = {
            key: _Past(
                times[own].tolist(),
                list(accumulate(real[own].tolist(), initial=0.0)),
                list(accumulate(told[own].tolist(), initial=0.0)),
            )
            for key, own in rows.items()
        }

    def show(self, values: Sequence[float], fields: Mapping[str, Any]) -> str:
        """Return the share over the shortest window in which there is any."""
        if any(math.isnan(value) for value in values):
            return "missing"
        for value, over in zip(values, self._params.over, strict=True):
            if value > 0.0:
                return f"{100.0 * value:.0f} % found real in {_spaced(over)}"
        return "nothing found"

    def usual(self, low: Sequence[float], high: Sequence[float]) -> str:
        """Return the range over the longest window, in per cent."""
        return range_text(100.0 * low[-1], 100.0 * high[-1], "%")

    def snapshot(self) -> Snapshot:
        """Return the truths and the silent events."""
        seen = self._seen.snapshot()
        names, times, real, told = self._truths
        arrays = {f"seen.{name}": array for name, array in seen.arrays.items()}
        arrays |= pack_texts("truths", names)
        arrays |= {"times": times, "real": real, "told": told}
        return Snapshot({**seen.meta, "last_time": self._last_time}, arrays)

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the truths and the silent events."""
        arrays = snapshot.arrays
        names = unpack_texts("truths", arrays)
        kept = [arrays.get(name, np.empty(0)) for name in ("times", "real", "told")]
        if "last_time" not in snapshot.meta or any(len(one) != len(names) for one in kept):
            raise SnapshotError(f"the snapshot of feature {self.name} is damaged")
        prefix = "seen."
        seen = {
            name.removeprefix(prefix): array
            for name, array in arrays.items()
            if name.startswith(prefix)
        }
        self._seen.restore(Snapshot(snapshot.meta, seen))
        self._take(names, *kept)
        self._last_time = snapshot.meta["last_time"]


_NOTHING: _Arrays = ((), np.empty(0), np.empty(0), np.empty(0))


def _spaced(over: str) -> str:
    """Return ``1h`` as ``1 h``."""
    text = over.strip()
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    return f"{number} {text[len(number) :].strip()}"
