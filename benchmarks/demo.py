"""``make bench-demo``: how soon the demo is of use, how fast a verdict is felt, what it takes.

Starts `triage demo` in an empty folder, signs in over HTTP as a browser would, and measures: until
the board answers; from the first event until the first cluster; from sending a verdict until the
re-ordered queue is readable (labels in force in every partition); resident memory of all processes
and of each. The last line is JSON: ready_s, first_cluster_s, verdict_to_queue_p95_s, rss_mb.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.processes import command_of, end, ended, rss_mb, start, tree, wait_for

READY_S, FIRST_EVENT_S, FIRST_CLUSTER_S, LEARNED_S = 60.0, 60.0, 180.0, 30.0
LINK = re.compile(r"(http://[\d.]+:\d+)/sign-in\?token=(\S+)")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--verdicts", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=90.0, help="shortest run, for the memory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="triage-demo-") as folder:
        print(json.dumps(measure(Path(folder), options.verdicts, options.seconds)))


def measure(folder: Path, verdicts: int, seconds: float) -> dict[str, Any]:
    """Run the demo and return the figures."""
    output = folder / "output.txt"
    begun = time.monotonic()
    with ended(start("demo", "--data", str(folder / "data"), "--port", "0", output=output)) as demo:
        wait_for(lambda: LINK.search(text(output)) is not None, READY_S, "sign-in link")
        ready = time.monotonic() - begun
        address, token = link(output)
        with httpx.Client(base_url=address, timeout=10) as board:
            sign_in(board, token)
            wait_for(lambda: accepted(board) > 0, FIRST_EVENT_S, "first event")
            first = wait_for(lambda: bool(queue(board)), FIRST_CLUSTER_S, "first cluster")
            times = [t for t in (decide(board) for _ in range(verdicts)) if t is not None]
            time.sleep(max(0.0, seconds - (time.monotonic() - begun)))
        memory: Counter[str] = Counter()
        for pid in tree(demo.pid):
            memory[command_of(pid) or "others"] += round(rss_mb([pid]))
        load = os.getloadavg()[0]
        end(demo)
    return {
        "ready_s": round(ready, 2),
        "first_cluster_s": round(first, 1),
        "verdicts": len(times),
        "verdict_to_queue_p50_s": round(float(np.quantile(times, 0.5)), 3),
        "verdict_to_queue_p95_s": round(float(np.quantile(times, 0.95)), 3),
        "rss_mb": memory.total(),
        "rss_mb_of": memory,
        "load": round(load, 1),
    }


def text(output: Path) -> str:
    """Return what the demo has printed so far."""
    return output.read_text(encoding="utf-8", errors="replace")


def link(output: Path) -> tuple[str, str]:
    """Return the board's address and the one-time token that the demo printed."""
    found = LINK.search(text(output))
    if found is None:
        raise RuntimeError("the demo printed no link")
    return found[1], found[2]


def sign_in(board: httpx.Client, token: str) -> None:
    """Use the link as its page does."""
    page = board.get("/sign-in", params={"token": token})
    page.raise_for_status()
    fields = dict(re.findall(r'name="([^"]+)"[^>]*value="([^"]*)"', page.text))
    answer = board.post("/sign-in", data=fields)
    if answer.status_code not in (200, 303):
        raise RuntimeError(f"sign-in answered {answer.status_code}")


def accepted(board: httpx.Client) -> int:
    """Return how many events have been accepted."""
    status = board.get("/api/v1/status").raise_for_status().json()
    return sum(int(stream["counters"]["accepted"]) for stream in status["streams"])


def queue(board: httpx.Client) -> list[dict[str, object]]:
    """Return the first rows of the queue."""
    rows = board.get("/api/v1/queue", params={"limit": 5}).raise_for_status().json()["rows"]
    return list(rows)


def decide(board: httpx.Client) -> float | None:
    """Give a verdict on the top cluster; return the seconds until the queue has learned from it."""
    wait_for(lambda: bool(queue(board)), FIRST_CLUSTER_S, "cluster to decide")
    row = queue(board)[0]
    cluster_id = row["cluster_id"]
    detail = board.get(f"/api/v1/clusters/{cluster_id}").raise_for_status().json()
    body = {
        "kind": "real" if float(str(row["posterior"])) > 0.5 else "spurious",
        "revision": detail["row"]["revision"],
        "read": [member["candidate_id"] for member in detail["members"][:3]],
    }
    headers = {
        "Idempotency-Key": f"bench/{cluster_id}/{body['revision']}",
        "X-CSRFToken": board.cookies.get("_csrf_token") or "",
    }
    begun = time.monotonic()
    answer = board.post(f"/api/v1/clusters/{cluster_id}/verdicts", json=body, headers=headers)
    if answer.status_code == 409:  # the cluster grew meanwhile
        return None
    verdict_id = answer.raise_for_status().json()["verdict_id"]

    def learned() -> bool:
        verdict = board.get(f"/api/v1/verdicts/{verdict_id}").raise_for_status().json()
        return bool(verdict["learned"]) and bool(queue(board) is not None)

    wait_for(learned, LEARNED_S, "learned verdict")
    return time.monotonic() - begun


if __name__ == "__main__":
    main()
