"""What each request of a screen costs the server: processor time, which a busy machine blurs least.

A page's callbacks are asked for as Dash's own script asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import httpx

from benchmarks.board.limit import rounds
from benchmarks.board.served import Board, somebody
from triage.queries import QueueFilter

DEEP = 45_000  # rows down the queue: clusters that no other part decides
CLUSTERS, WARM = 30, 3
CLUSTER_PAGE = (
    "cluster-head.data-drawn",
    "cluster-why.data-drawn",
    "cluster-when.children",
    "cluster-side.data-drawn",
)

Ask = Callable[[httpx.Client, str], httpx.Response]


def callback(outputs: Sequence[str], inputs: Mapping[str, Callable[[str], object]]) -> Ask:
    """Return the request of the callback that fills ``outputs``; inputs are made of a cluster."""
    filled = [
        {"id": name, "property": prop} for name, _, prop in (one.partition(".") for one in outputs)
    ]
    output = outputs[0] if len(outputs) == 1 else f"..{'...'.join(outputs)}.."

    def ask(client: httpx.Client, cluster: str) -> httpx.Response:
        given = []
        for place, value in inputs.items():
            name, _, prop = place.partition(".")
            given.append({"id": name, "property": prop, "value": value(cluster)})
        body = {
            "output": output,
            "outputs": filled[0] if len(filled) == 1 else filled,
            "inputs": given,
            "changedPropIds": [next(iter(inputs))],
            "state": [],
        }
        return client.post("/_dash-update-component", json=body)

    return ask


def get(path: str) -> Ask:
    """Return the request of a path, ``{}`` being the cluster."""
    return lambda client, cluster: client.get(f"/api/v1{path.format(cluster)}")


REQUESTS: Mapping[str, Ask] = {
    "queue": get("/queue?limit=100"),
    "queue_far_down": get("/queue?limit=100&offset=60000"),
    "status": get("/status"),
    "cluster": get("/clusters/{}?members=3"),
    "preview": callback(
        ["preview.data-drawn"], {"cursor.data": lambda cluster: {"cluster": cluster}}
    ),
    "preview_when": callback(["when.data-drawn"], {"when.data-cluster": str}),
    "cluster_page": callback(
        CLUSTER_PAGE,
        {
            "url.pathname": lambda cluster: f"/cluster/{cluster}",
            "cluster-tick.data": lambda _: 0,
            "scheme.data": lambda _: "light",
        },
    ),
}


def costs(board: Board) -> Mapping[str, Sequence[float]]:
    """Return the mean processor ms of each request."""
    rows = board.store.queue(QueueFilter(), DEEP, CLUSTERS + WARM).rows
    clusters = [row.cluster_id for row in rows]
    found = {}
    with board.client(somebody("costs")) as client:
        for name, ask in REQUESTS.items():
            for cluster in clusters[:WARM]:
                ask(client, cluster).raise_for_status()
            before, asked = board.processor_ms(), 0
            for number in rounds(len(clusters) - WARM, 8):
                ask(client, clusters[number + WARM]).raise_for_status()
                asked += 1
            found[f"{name}_cpu"] = [(board.processor_ms() - before) / asked]
    return found
