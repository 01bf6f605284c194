"""A stream as it really comes: bad records, records sent twice, out of order, a day late.

The generator knows what each record is; an account is kept of it, and the store and the dead-letter
topic must agree with it to the record.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import heapq
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping

from benchmarks.fleet import Feeder
from benchmarks.kill import all_candidates, messages, replayed
from benchmarks.processes import wait_for
from benchmarks.story import Outcome, Story, opened
from streaming.dead_letters import dead_letters
from streaming.decode import MAX_RECORD_BYTES
from triage.store.base import Store

RATE = 20_000.0  # events per second at most; two cores take fewer
WAIT_S = 1_800.0
BAD, TWICE, SHUFFLED, LATE = 0.01, 0.1, 0.2, 0.02  # shares of the events
HELD_BACK = 200  # events that may overtake one that is out of order
AGAIN = 5_000  # events after which one may come a second time; the horizon is 100,000 a partition
DAY = dt.timedelta(days=1)

Row = tuple[bytes | None, bytes]


class Account:
    """What was sent, by kind; ``bad`` holds digests of the bad records."""

    def __init__(self) -> None:
        self.good = 0
        self.twice = 0
        self.bad: Counter[str] = Counter()
        self.over = False


def keep_account(story: Story) -> Outcome:
    """Send ``story.many`` events with everything that can be wrong with them; compare."""
    account = Account()
    rows = dirty(story.rows, story.many, random.Random(story.name), account)
    story.fleet.start(*story.fleet.names)
    begun = time.monotonic()
    feeder = Feeder(story.url, story.topic, rows, RATE)
    wait_for(lambda: account.over or feeder.ended, WAIT_S, "end of the events")
    story.events = feeder.finish(WAIT_S)
    story.work_off(WAIT_S)
    seconds = time.monotonic() - begun
    story.stop()
    with opened(story.store_url) as store:
        return seconds, compared(story, store, account)


def dirty(rows: Iterator[Row], count: int, rng: random.Random, account: Account) -> Iterator[Row]:
    """Yield ``count`` events and what comes with them; each keeps the key of its event."""
    waiting: list[tuple[int, Row]] = []  # (when, row), those that come later
    for number, (key, value) in enumerate(itertools.islice(rows, count)):
        account.good += 1
        row = (key, a_day_late(value) if rng.random() < LATE else value)
        at = number + (rng.randrange(HELD_BACK) if rng.random() < SHUFFLED else 0)
        heapq.heappush(waiting, (at, row))
        if rng.random() < TWICE:
            account.twice += 1
            heapq.heappush(waiting, (at + 1 + rng.randrange(AGAIN), row))
        if rng.random() < BAD:
            bad = poison(value, rng)
            account.bad[digest(bad)] += 1
            heapq.heappush(waiting, (number, (key, bad)))
        while waiting and waiting[0][0] <= number:
            yield heapq.heappop(waiting)[1]
    while waiting:
        yield heapq.heappop(waiting)[1]
    account.over = True


def a_day_late(value: bytes) -> bytes:
    """Return an event as if it had happened a day before its neighbours."""
    event = json.loads(value)
    event["tx_time"] = (dt.datetime.fromisoformat(event["tx_time"]) - DAY).isoformat()
    return json.dumps(event).encode()


def poison(value: bytes, rng: random.Random) -> bytes:
    """Return a record that can't be used."""
    if rng.random() < 0.02:
        return value[:-1] + b',"more":"' + b"x" * MAX_RECORD_BYTES + b'"}'
    return rng.choice(
        [
            b"",
            b"null",
            b"[" * 10_000,
            value[:-1],
            value + b"}",
            b"\xff" + value,
            b"[" + value + b"]",
            value.replace(b'"amount":', b'"amount":1e400,"was":'),
            value.replace(b'"amount":', b'"amount":NaN,"was":'),
            value.replace(b'"amount":', b'"amount":"much","was":'),
            value.replace(b'"amount":', b'"was":'),
            value.replace(b'"amount":', b'"amount":null,"was":'),
            value.replace(b'"customer_id":"', b'"customer_id":"' + b"x" * 9_000),
        ]
    )


def digest(value: bytes) -> str:
    """Return what a record is known by."""
    return hashlib.sha256(value).hexdigest()


def compared(story: Story, store: Store, account: Account) -> Mapping[str, int]:
    """Compare store and dead-letter topic with the account, candidates with a replay."""
    (status,) = store.status(time.time()).streams
    seen = status.counters
    letters = Counter(digest(one.value) for one in dead_letters(story.transport, story.topic))
    ids = Counter(candidate.event_id for candidate in all_candidates(story.config, store))
    told = [
        (account.good, seen.accepted),
        (account.twice, seen.duplicates),
        (account.bad.total(), seen.dead_lettered),
    ]
    _, replay = replayed(story.config, store, story.transport)
    missing, repeated, findings = messages(store, story.transport)
    return {
        "candidates": ids.total(),
        "verdicts": 0,
        "findings": findings,
        "bad": letters.total(),
        "repeated": seen.duplicates,
        "lost": sum(max(0, sent - got) for sent, got in told)
        + (account.bad - letters).total()
        + replay["lost"]
        + missing,
        "twice": sum(max(0, got - sent) for sent, got in told)
        + (letters - account.bad).total()
        + ids.total()
        - len(ids)
        + repeated,
        "different": replay["different"],
    }
