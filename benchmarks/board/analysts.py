"""Analysts over HTTP: each gives a verdict every two seconds, on clusters of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from benchmarks.board.served import Board, somebody
from triage.queries import QueueFilter

EVERY_S = 2.0
FAR = 20_000  # rows further down the queue than the browser's own
EACH = 60  # clusters that an analyst has before it: two minutes


@contextmanager
def crowd(board: Board, analysts: int) -> Iterator[list[float]]:
    """Let so many work beside the block; give the ms that their verdicts took.

    Raises:
        RuntimeError: after the block, if any request failed.
    """
    rows = board.store.queue(QueueFilter(order="newest"), FAR, analysts * EACH).rows
    stop, times, failed = threading.Event(), list[float](), list[str]()

    def work(number: int) -> None:
        with board.client(somebody(f"crowd-{number}")) as client:
            stop.wait(EVERY_S * number / analysts)
            for row in rows[number::analysts]:
                begun = time.perf_counter()
                try:
                    times.append(decide(client, row.cluster_id))
                except httpx.HTTPStatusError as error:
                    failed.append(f"{error.response.url.path}: {error.response.text}")
                except httpx.HTTPError as error:
                    failed.append(str(error))
                if stop.wait(max(0.0, EVERY_S - (time.perf_counter() - begun))):
                    return

    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(analysts)]
    for thread in threads:
        thread.start()
    try:
        yield times
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    if failed:
        raise RuntimeError(f"{len(failed)} requests failed, the first: {failed[0]}")


def decide(client: httpx.Client, cluster: str) -> float:
    """Look at a cluster as the board does, decide it; return the ms of the verdict."""
    path = f"/api/v1/clusters/{cluster}"
    detail = client.get(path, params={"members": 3}).raise_for_status().json()
    sent = {
        "kind": "spurious",
        "revision": detail["row"]["revision"],
        "read": [member["candidate_id"] for member in detail["members"]],
    }
    begun = time.perf_counter()
    headers = {"idempotency-key": f"bench-{cluster}-{begun}"}
    client.post(f"{path}/verdicts", json=sent, headers=headers).raise_for_status()
    return 1000 * (time.perf_counter() - begun)
