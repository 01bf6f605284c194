"""``payments_simulator``: card payments of 5,000 customers at 1,000 terminals, some of it fraud.

A payment is a function of the seed and its position: any part can be made again, by anybody, in
any order. ``payments_simulator?seed=7&events=200000`` chooses the seed (default 1) and an end
(default: never).

Event time runs faster than the clock: a simulated day is 36,000 payments, busiest in the afternoon
and quiet at night. At 200 payments a second it lasts three minutes, and a window of an hour holds
1,500 payments: 7.5 seconds.

Fields: ``tx_id``, ``tx_time`` (ISO 8601), ``customer_id``, ``terminal_id``, ``amount`` (euros),
``category``, ``country`` (of the terminal), ``distance_km`` (from home). Never features:
``label`` (1 = fraud), ``label_kind`` (which of ``_payments_fraud.KINDS``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np

from streaming.errors import SourceInvalid
from streaming.field_path import Path as FieldPath
from streaming.sources._files import check_columns
from streaming.sources._payments_fraud import KINDS, SHIFT, Fraud, fraud_of_shift
from streaming.sources._payments_world import (
    CATEGORIES,
    CATEGORY_FACTORS,
    COUNTRIES,
    CUSTOMERS,
    TERMINALS,
    Floats,
    Ints,
    make_world,
)
from streaming.sources._values import rows_of
from streaming.sources.base import Chunk, Declaration, SourceRow, key_path

CHUNK = 1_000  # payments drawn together; a shift is a whole number of chunks
DAY = 36_000  # payments
DAY_S = 86_400.0
FIRST_DAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC).timestamp()
FIRST_PAYMENT = DAY * 3 // 10  # the simulation starts in the morning of its first day
AT_FAVOURITE = 0.92  # share of payments at a terminal near home; the others are anywhere
LOWEST, HIGHEST = 0.5, 25_000.0  # euros

COLUMNS = (
    "tx_id", "tx_time", "customer_id", "terminal_id", "amount", "category", "country",
    "distance_km", "label", "label_kind",
)  # fmt: skip


class PaymentsSimulator:
    """The stream of payments of one seed."""

    resumable = True

    def __init__(self, seed: int, events: int | None, key: FieldPath | None) -> None:
        self.name = f"payments_simulator?seed={seed}"
        self.identities = (self.name,)
        self._seed = seed
        self._events = events
        self._key = key
        self._world = make_world(seed)
        self._categories = np.array(CATEGORY_FACTORS)
        self._customer_ids = [f"C{number:04d}" for number in range(CUSTOMERS)]
        self._terminal_ids = [f"T{number:04d}" for number in range(TERMINALS)]
        self._fraud = lru_cache(4)(self._draw_fraud)
        self._rows = lru_cache(4)(self._make_rows)

    def read(self, position: int, max_records: int) -> Chunk:
        """See ``Source``."""
        end = position + max_records
        if self._events is not None:
            end = max(position, min(end, self._events))
        rows: list[SourceRow] = []
        for chunk in range(position // CHUNK, -(-end // CHUNK)):
            start = chunk * CHUNK
            rows += self._rows(chunk)[max(0, position - start) : end - start]
        return Chunk(rows, end, done=self._events is not None and end >= self._events)

    def total(self) -> int | None:
        """See ``Source``: None without an end."""
        return self._events

    def close(self) -> None:
        """See ``Source``."""

    def _draw_fraud(self, shift: int) -> Fraud:
        return fraud_of_shift(self._world, self._seed, shift)

    def _make_rows(self, chunk: int) -> list[SourceRow]:
        """Draw a chunk of ordinary payments, then put the chunk's part of the fraud in."""
        world = self._world
        rng = np.random.default_rng([self._seed, 2, chunk])
        customer: Ints = np.searchsorted(world.activity, rng.random(CHUNK)).astype(np.int64)
        near = world.favourites[customer, rng.integers(0, world.favourites.shape[1], CHUNK)]
        at_favourite = rng.random(CHUNK) < AT_FAVOURITE
        terminal: Ints = np.where(at_favourite, near, rng.integers(0, TERMINALS, CHUNK))
        factor: Floats = np.exp(rng.normal(size=CHUNK) * world.spread[customer])
        factor *= self._categories[world.terminal_category[terminal]]
        kind: list[str | None] = [None] * CHUNK

        fraud = self._fraud(chunk * CHUNK // SHIFT)
        place = fraud.place - chunk * CHUNK % SHIFT
        here = np.flatnonzero((place >= 0) & (place < CHUNK))
        customer[place[here]] = fraud.customer[here]
        terminal[place[here]] = fraud.terminal[here]
        factor[place[here]] = fraud.factor[here]
        for one in here.tolist():
            kind[place[one]] = KINDS[fraud.kind[one]]

        columns: dict[str, Sequence[Any]] = {
            "tx_id": [f"tx-{number:09d}" for number in range(chunk * CHUNK, (chunk + 1) * CHUNK)],
            "tx_time": _times(chunk, rng),
            "customer_id": [self._customer_ids[number] for number in customer.tolist()],
            "terminal_id": [self._terminal_ids[number] for number in terminal.tolist()],
            "amount": np.clip(factor * world.usual[customer], LOWEST, HIGHEST).round(2).tolist(),
            "category": [CATEGORIES[n] for n in world.terminal_category[terminal].tolist()],
            "country": [COUNTRIES[n] for n in world.terminal_country[terminal].tolist()],
            "distance_km": world.distance(customer, terminal).round(1).tolist(),
            "label": [int(one is not None) for one in kind],
            "label_kind": kind,
        }
        return rows_of(COLUMNS, [columns[name] for name in COLUMNS], self._key)


def _times(chunk: int, rng: np.random.Generator) -> list[dt.datetime]:
    """Return the payments' times: rising, dense in the afternoon and thin at night."""
    number = FIRST_PAYMENT + chunk * CHUNK + np.arange(CHUNK) + rng.random(CHUNK)
    day, part = np.divmod(number / DAY, 1.0)
    seconds = FIRST_DAY + DAY_S * (day + np.interp(part, _RHYTHM, _HOURS))
    return [dt.datetime.fromtimestamp(second, dt.UTC) for second in seconds.round(3).tolist()]


# Share of a day's payments by time of day: fewest at 3 in the morning, most at 3 in the afternoon.
_HOURS = np.linspace(0.0, 1.0, 97)
_DENSITY = 1.0 - 0.85 * np.cos(2 * np.pi * (_HOURS - 0.125))
_RHYTHM = np.concatenate(([0.0], np.cumsum((_DENSITY[1:] + _DENSITY[:-1]) / 2)))
_RHYTHM /= _RHYTHM[-1]


def open_source(name: str, declaration: Declaration) -> PaymentsSimulator:
    """Open ``payments_simulator[?seed=S&events=N]``."""
    options: dict[str, int] = {}
    for option, value in parse_qsl(name.partition("?")[2], keep_blank_values=True):
        if option not in ("seed", "events") or not value.isdecimal():
            raise SourceInvalid(f"{name}: {option}={value}: use seed and events, whole numbers")
        options[option] = int(value)
    check_columns(Path("payments_simulator"), COLUMNS, declaration)
    return PaymentsSimulator(options.get("seed", 1), options.get("events"), key_path(declaration))
