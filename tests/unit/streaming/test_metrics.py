"""What a process counts: the text that Prometheus reads, and the table in the docs."""

from __future__ import annotations

import re

from streaming.metrics import EVENTS, LAG_RECORDS, METRICS, Metrics
from tests.support.data import REPOSITORY

SAMPLE = re.compile(r'^[a-z_]+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? [0-9.e+-]+$')


def test_values_are_shown_with_type_and_help() -> None:
    metrics = Metrics()
    metrics.add(EVENTS, "payments", "late", by=2)
    metrics.add(EVENTS, "payments", "accepted", by=5)
    metrics.add(EVENTS, "payments", "accepted")
    metrics.set(LAG_RECORDS, "payments", to=7)
    metrics.set(LAG_RECORDS, "payments", to=3)
    assert metrics.text().splitlines() == [
        f"# HELP triage_events_total {EVENTS.help}",
        "# TYPE triage_events_total counter",
        'triage_events_total{stream="payments",outcome="accepted"} 6.0',
        'triage_events_total{stream="payments",outcome="late"} 2.0',
        f"# HELP triage_lag_records {LAG_RECORDS.help}",
        "# TYPE triage_lag_records gauge",
        'triage_lag_records{stream="payments"} 3.0',
    ]


def test_a_name_of_a_stream_cannot_break_out_of_its_quotes() -> None:
    metrics = Metrics()
    metrics.set(LAG_RECORDS, 'a"} 1\nb\\', to=1)
    lines = metrics.text().splitlines()
    assert lines[2] == r'triage_lag_records{stream="a\"} 1\nb\\"} 1.0'
    assert len(lines) == 3


def test_names_follow_the_conventions() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert metric.help.endswith(".")
        assert "\n" not in metric.help
        values = Metrics()
        values.add(metric, *("x" for _ in metric.labels))
        assert SAMPLE.match(values.text().splitlines()[2])


def test_the_docs_have_exactly_this_table() -> None:
    page = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(\w+)` \| (counter|gauge) \| (.+?) \| (.+) \|$", page, re.MULTILINE)
    assert told == [
        (metric.name, metric.kind, ", ".join(metric.labels) or "–", metric.help)
        for metric in METRICS
    ]
