"""What a process counts, as Prometheus reads it (text format 0.0.4).

``METRICS`` is the one table; ``docs/operations.md`` has the same rows, and a test compares them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: ``kind`` is counter or gauge, ``labels`` in the order of their values."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


EVENTS = Metric(
    "triage_events_total",
    "counter",
    ("stream", "outcome"),
    "Records committed, by outcome: accepted, dead_lettered or duplicate (late is always 0: no "
    "event is dropped for its time).",
)
CANDIDATES = Metric(
    "triage_candidates_total", "counter", ("stream",), "Candidates committed by the worker."
)
HELD_BACK = Metric(
    "triage_held_back_total",
    "counter",
    ("stream", "partition"),
    "Events that reached the share of the alerts, but not the limit per hour or day, or that a "
    "drifted field explains.",
)
PARTITIONS = Metric(
    "triage_partitions_owned", "gauge", ("stream",), "Partitions that this worker owns."
)
LAG_RECORDS = Metric(
    "triage_lag_records", "gauge", ("stream",), "Records of our partitions not processed yet."
)
LAG_SECONDS = Metric(
    "triage_lag_seconds",
    "gauge",
    ("stream",),
    "Age of the newest record processed while there are more; 0 when there are none.",
)
COMMITS = Metric(
    "triage_commits_total", "counter", ("stream",), "Transactions that the worker committed."
)
COMMIT_SECONDS = Metric(
    "triage_commit_seconds_total", "counter", ("stream",), "Time spent in those transactions."
)
LAST_COMMIT = Metric(
    "triage_last_commit_timestamp_seconds",
    "gauge",
    ("stream",),
    "When the worker last committed, in seconds since 1970.",
)
TAKEN_OVER = Metric(
    "triage_partitions_taken_over_total",
    "counter",
    ("stream",),
    "Partitions that this worker began to own.",
)
FENCED = Metric(
    "triage_fenced_total",
    "counter",
    ("stream",),
    "Commits refused because another worker had taken a partition over.",
)
GROUPED = Metric(
    "triage_grouped_total", "counter", ("stream",), "Candidates that the grouper put in clusters."
)
LEASE = Metric(
    "triage_lease_held", "gauge", ("lease",), "1 while this process holds the lease, else 0."
)
PUBLISHED = Metric(
    "triage_published_total", "counter", ("topic",), "Messages of the outbox known to be out."
)
CLOSED_UNREAD = Metric(
    "triage_closed_unread", "gauge", ("stream",), "Members that are closed unread now."
)
WRONG_BOUND = Metric(
    "triage_wrong_closings_bound",
    "gauge",
    ("stream",),
    "Audited upper 95 % bound of the share of wrong closings, 1 while nothing is known; if readers "
    "are not all wrong alike, where triage_closings_bound_by_truth is 0.",
)
BY_TRUTH = Metric(
    "triage_closings_bound_by_truth",
    "gauge",
    ("stream",),
    "1 while late truth on audits bears that bound out, else 0.",
)
AUDITS = Metric(
    "triage_audits",
    "gauge",
    ("stream", "answer"),
    "Audits of closings that the bound is made of, by answer: right or wrong.",
)
RETRIES = Metric(
    "triage_retries_total",
    "counter",
    (),
    "Steps that failed because a broker or database was away, and were tried again.",
)
DRIFTS = Metric(
    "triage_drifted_fields",
    "gauge",
    ("stream", "partition"),
    "Fields that no longer come as they used to: missing, retyped, elsewhere, new.",
)
ROLLOUT = Metric(
    "triage_rollout", "gauge", ("stream",), "Number of the roll-out of the config in force."
)
TRIAL = Metric(
    "triage_trial",
    "gauge",
    ("stream", "measure"),
    "The config that is tried or watched: events, candidates, candidates_in_force (of the old "
    "one), cost, errors, lost.",
)
STOPPED = Metric(
    "triage_trials_stopped_total", "counter", ("stream",), "Configs that a guard took back."
)
BOARD_ANSWERS = Metric(
    "triage_board_answers_total",
    "counter",
    ("status",),
    "Requests that the board answered, by class of status: 2xx, 3xx, 4xx or 5xx.",
)
BOARD_SECONDS = Metric(
    "triage_board_answer_seconds_total", "counter", (), "Time until those answers began."
)
OPEN_CLUSTERS = Metric(
    "triage_open_clusters", "gauge", ("stream",), "Clusters that wait for a verdict (of a board)."
)
STARTED = Metric(
    "process_start_time_seconds", "gauge", (), "When the process began, in seconds since 1970."
)

METRICS = (
    EVENTS,
    CANDIDATES,
    HELD_BACK,
    PARTITIONS,
    LAG_RECORDS,
    LAG_SECONDS,
    COMMITS,
    COMMIT_SECONDS,
    LAST_COMMIT,
    TAKEN_OVER,
    FENCED,
    GROUPED,
    LEASE,
    PUBLISHED,
    CLOSED_UNREAD,
    WRONG_BOUND,
    BY_TRUTH,
    AUDITS,
    RETRIES,
    DRIFTS,
    ROLLOUT,
    TRIAL,
    STOPPED,
    BOARD_ANSWERS,
    BOARD_SECONDS,
    OPEN_CLUSTERS,
    STARTED,
)


class Metrics:
    """The values of one process. Written by one thread, read by any."""

    def __init__(self) -> None:
        self._values: dict[tuple[Metric, tuple[str, ...]], float] = {}
        self._lock = threading.Lock()

    def add(self, metric: Metric, *labels: str, by: float = 1.0) -> None:
        """Raise a counter."""
        with self._lock:
            key = (metric, labels)
            self._values[key] = self._values.get(key, 0.0) + by

    def set(self, metric: Metric, *labels: str, to: float) -> None:
        """Set a gauge."""
        with self._lock:
            self._values[metric, labels] = to

    def value(self, metric: Metric, *labels: str) -> float:
        """Return a value, 0 if there is none yet."""
        with self._lock:
            return self._values.get((metric, labels), 0.0)

    def text(self) -> str:
        """Return all that has a value, in the table's order."""
        with self._lock:
            values = sorted(self._values.items(), key=lambda item: item[0][1])
        return "".join(_lines(metric, values) for metric in METRICS)


def _lines(metric: Metric, values: Iterable[tuple[tuple[Metric, tuple[str, ...]], float]]) -> str:
    rows = [
        f"{metric.name}{_labels(metric, labels)} {float(value)!r}\n"
        for (of, labels), value in values
        if of is metric
    ]
    if not rows:
        return ""
    head = f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {metric.kind}\n"
    return head + "".join(rows)


def _labels(metric: Metric, values: tuple[str, ...]) -> str:
    if not values:
        return ""
    pairs = zip(metric.labels, values, strict=True)
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
