"""A backlog worked off by ``triage worker``, the process that it is: how fast, in what memory."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fleet import Fleet
from benchmarks.processes import cpu_s, peak_mb, wait_for
from triage.store.base import Store
from triage.store.store import open_store

STREAM = "backlog"
WORKER = "worker-0"
LOOKS = (0.1, 0.25, 0.5, 0.75, 1.0)  # shares of the events after which memory is looked at
WAIT_S = 1_800.0
LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a worker did with a backlog.

    Attributes:
        seconds, cpu_s: from its first commit on, wall clock and processor time.
        peaks_mb: the most resident memory up to each of ``LOOKS``.
    """

    events: int
    seconds: float
    cpu_s: float
    peaks_mb: tuple[float, ...]


def work_off(folder: Path, config: str, url: str, store_url: str, events: int) -> Backlog:
    """Let one worker score so many events that are in the topic already; each must count once."""
    path = folder / "backlog.yaml"
    path.write_text(config, encoding="utf-8")
    fleet = Fleet(folder, path, f"{url}?client_id=backlog", store_url, 1)
    with closing(open_store(store_url)) as store:
        try:
            fleet.start(WORKER)
            pid = fleet.pid(WORKER)

            def until(least: int) -> None:
                wait_for(lambda: _done(store) >= least, WAIT_S, f"{least:,} events", LOOK_S)

            until(1)
            begun, before, cpu = time.monotonic(), _done(store), cpu_s(pid)
            peaks = []
            for share in LOOKS:
                until(int(share * events))
                peaks.append(peak_mb(pid))
            seconds, spent = time.monotonic() - begun, cpu_s(pid) - cpu
            fleet.stop(WORKER)
        finally:
            fleet.close()
        if _done(store) != events:
            raise RuntimeError(f"{_done(store):,} of {events:,} events have taken effect")
    return Backlog(events - before, seconds, spent, tuple(peaks))


def _done(store: Store) -> int:
    found = [one for one in store.status(time.time()).streams if one.stream == STREAM]
    return found[0].counters.accepted if found else 0
