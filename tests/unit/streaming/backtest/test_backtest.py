"""History through two configs: what counts, what is lost, what stops a change."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from streaming.backtest.compare import Guards, compared, wilson
from streaming.backtest.judged import Judged, judged_of
from streaming.backtest.report import page
from streaming.backtest.run import Runs, run
from streaming.backtest.window import Window, source_window, topic_window
from streaming.config.load import parse
from streaming.config.model import StreamConfig
from streaming.errors import Stop
from streaming.records import OutRecord
from streaming.sources.registry import open_source
from streaming.transports.embedded import EmbeddedTransport
from tests.support.streams import START, STRANGE_EVERY, events, small_config
from triage.model import Label

COUNT = 3_000
OLD = small_config()
FEWER = small_config(alert_budget="0.5%")
MANY = 10**9


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "events.jsonl"
    rows = [
        {**event, "label": int(i % STRANGE_EVERY == STRANGE_EVERY - 1)}
        for i, event in enumerate(events(COUNT))
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return str(path)


def backtest(file: str, *configs: StreamConfig, **guards: float) -> Mapping[str, Any]:
    window = source_window(open_source(file, configs[0]), configs[0], MANY, "label")
    return compared(window, run(window, configs, Ticks()), Guards(**guards))


class Ticks:
    """Processor time that passes by a second a look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def test_the_same_config_changes_nothing(file: str) -> None:
    result = backtest(file, OLD, OLD)
    assert result["new"] == result["old"]
    assert result["both"] == result["new"]["candidates"] > 20
    assert (result["only_new"], result["only_old"], result["lost"]) == (0, 0, [])
    assert (result["volume_ratio"], result["fails"]) == (1.0, [])


def test_twice_is_the_same_but_for_the_time_that_it_takes(file: str) -> None:
    assert backtest(file, FEWER, OLD) == backtest(file, FEWER, OLD)


def test_a_finding_that_only_the_old_one_finds_is_lost_and_stops_the_change(file: str) -> None:
    result = backtest(file, FEWER, OLD)
    assert result["new"]["candidates"] < result["old"]["candidates"]
    assert result["new"]["hash"] == result["old"]["hash"]  # the same scores, another threshold
    lost = result["lost"]
    assert 0 < len(lost) == result["missed_by_new"] - result["missed_by_old"]
    assert all(found["title"] for found in lost)
    assert result["fails"] == [f"{len(lost)} verified findings would be lost"]
    assert 50 <= result["verified_real"] <= COUNT // STRANGE_EVERY


def test_twice_the_candidates_stop_the_change(file: str) -> None:
    result = backtest(file, OLD, FEWER)
    assert result["lost"] == []
    assert result["volume_ratio"] >= 2
    assert result["fails"] == [f"{result['volume_ratio']:.2f} times the candidates; the limit is 2"]
    assert backtest(file, OLD, FEWER, max_volume=100)["fails"] == []


def test_without_an_old_config_nothing_is_compared(file: str) -> None:
    result = backtest(file, OLD)
    assert result["old"] is None
    assert "lost" not in result
    assert result["fails"] == []
    assert 0 < result["new"]["precision"] <= 1


def test_events_count_from_where_every_detector_is_warm(file: str) -> None:
    slow = small_config(learning="{block: 64, warm_up: 640}")
    result = backtest(file, OLD, slow)
    assert result["events"] == COUNT - 2 * 640  # of two partitions
    assert result["new"]["cpu_us_per_event"] > 0


def test_what_the_limit_holds_back_is_counted(file: str) -> None:
    text = OLD.text + "\nalert_limit: {most: 1, per: hour}\n"
    result = backtest(file, parse(text, "limited.yaml"), OLD)
    assert result["new"]["held_back"] == result["old"]["candidates"] - result["new"]["candidates"]
    assert result["new"]["held_back"] > 0
    assert result["old"]["held_back"] == 0
    assert "held back by alert_limit or drift" in page(result)


def test_volume_over_time_adds_up(file: str) -> None:
    result = backtest(file, FEWER, OLD)
    for side in ("new", "old"):
        assert sum(span[side] for span in result["volume"]) == result[side]["candidates"]
    assert result["new"]["per_day"] == round(result["new"]["candidates"] / result["days"], 1) or (
        abs(result["new"]["per_day"] * result["days"] / result["new"]["candidates"] - 1) < 0.01
    )


def filled(path: str = ":memory:") -> EmbeddedTransport:
    """Return a log with the events in two partitions, one a second."""
    transport = EmbeddedTransport(path, lambda: 0.0)
    transport.ensure_topic("tests", 2)
    records = [
        OutRecord(
            "tests",
            str(event["card"]).encode(),
            json.dumps(event).encode(),
            timestamp_ms=(START + i) * 1000,
        )
        for i, event in enumerate(events(COUNT))
    ]
    transport.publisher("p").publish(records, 1)
    return transport


def of_topic(transport: EmbeddedTransport, since: int, limit: int = MANY) -> Window:
    return topic_window(transport, OLD, (START + since) * 1000, 128, limit, Judged())


def test_a_topic_is_read_since_a_time_and_a_little_earlier_to_learn(tmp_path: Path) -> None:
    transport = filled(str(tmp_path / "log.db"))
    window = of_topic(transport, 2_000)
    runs = run(window, [OLD], Ticks())
    assert runs.sides[0].events == 1_000
    assert runs.sides[0].processed == 1_000
    assert runs.sides[0].records == 1_000 + 2 * 128
    assert runs.counted == window.compare_from
    assert 999 <= runs.seconds < 1_010  # from the last event that only taught
    transport.close()
    with sqlite3.connect(tmp_path / "log.db") as db:
        assert db.execute("SELECT count(*) FROM groups").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM positions").fetchone() == (0,)


def test_how_records_are_read_changes_nothing() -> None:
    window = of_topic(filled(), 2_000)
    batches = list(window.batches)
    single = [[record] for batch in batches for record in batch]
    runs = [run(_with(window, parts), [FEWER, OLD], Ticks()) for parts in (batches, single)]
    assert _figures(runs[0]) == _figures(runs[1])


def _with(window: Window, batches: Sequence[Any]) -> Window:
    return dataclasses.replace(window, batches=iter(batches))


def _figures(runs: Runs) -> object:
    sides = [(side.candidates, side.events, side.hash) for side in runs.sides]
    return sides, runs.counted, runs.seconds


def test_of_a_large_window_some_keys_are_taken_whole() -> None:
    transport = filled()
    window = of_topic(transport, 0, limit=1_000)
    assert window.one_in == 3
    taken = [record for batch in window.batches for record in batch]
    keys = {record.key for record in taken}
    everything = [record for batch in of_topic(transport, 0).batches for record in batch]
    assert 0 < len(keys) < 7
    assert len(taken) == sum(record.key in keys for record in everything)


def test_a_large_window_without_a_key_is_refused_with_the_remedy() -> None:
    keyless = OLD.model_copy(update={"key": None})
    with pytest.raises(Stop, match="the stream has no key to choose some by: take a shorter time"):
        topic_window(filled(), keyless, 0, 0, 1_000, Judged())


def test_an_empty_window_is_refused() -> None:
    with pytest.raises(Stop, match="nothing came since then; go back further with --since"):
        of_topic(filled(), COUNT + 1)


class FakeStore:
    def __init__(self, labels: list[Label]) -> None:
        self.labels = labels

    def label_position(self, stream: str) -> int:
        return len(self.labels)

    def labels_at(self, stream: str, position: int) -> Sequence[Label]:
        return self.labels

    def places(self, candidate_ids: Sequence[str]) -> Mapping[str, tuple[int, int]]:
        return {name: (0, int(name[1:])) for name in candidate_ids if name != "c9"}


def label(
    candidate: str, verdict: str, y: float, weight: float = 1.0, *, inferred: bool = False
) -> Label:
    return Label(candidate, verdict, y, weight, b"", "f", 0.0, {}, inferred=inferred)


def test_what_somebody_read_is_judged_however_little_its_label_weighs() -> None:
    store = FakeStore(
        [
            label("c1", "v1", 1.0),
            label("c2", "v1", 1.0),
            label("c3", "v1", 1.0, inferred=True),  # however much a guess weighs
            label("c4", "v2", 0.0, weight=0.3),  # of an analyst who was overruled before
            label("c9", "v3", 1.0),
        ]
    )
    judged = judged_of(store, "tests")
    assert [(one.name, one.places) for one in judged.findings()] == [("v1", ((0, 1), (0, 2)))]
    said = {offset: judged.is_real((0, offset)) for offset in range(1, 6)}
    assert said == {1: True, 2: True, 3: None, 4: False, 5: None}


def test_a_finding_is_kept_as_long_as_one_of_its_events_is_found() -> None:
    transport = filled()
    window = of_topic(transport, 1_000)
    runs = run(window, [FEWER, OLD], Ticks())
    new, old = (side.candidates for side in runs.sides)
    (kept, *_), (gone, *_) = sorted(new), sorted(old.keys() - new.keys())
    for places, lost in (([kept, gone], 0), ([gone], 1)):
        judged = Judged({"v1": places})
        again = dataclasses.replace(window, judged=judged)
        assert len(compared(again, runs)["lost"]) == lost


@pytest.mark.parametrize(
    ("hits", "total", "interval"),
    [(0, 0, None), (0, 10, (0.0, 0.2775)), (5, 10, (0.2366, 0.7634)), (10, 10, (0.7225, 1.0))],
)
def test_intervals(hits: int, total: int, interval: tuple[float, float] | None) -> None:
    assert wilson(hits, total) == (interval and pytest.approx(interval, abs=1e-4))


def test_the_report_is_one_page_that_asks_nobody_and_shows_hostile_text_as_text(
    tmp_path: Path,
) -> None:
    hostile = "<script>alert(1)</script><img src=https://evil.example/x>"
    path = tmp_path / "events.jsonl"
    rows = [{**event, "card": hostile, "label": 1} for event in events(COUNT)]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    result = backtest(str(path), FEWER, OLD)
    html = page({**result, "source": hostile})
    assert "&lt;script&gt;" in html
    assert not any(word in html for word in ("<script", "<img", 'src="', "href", "url(", "@import"))
    assert "default-src 'none'" in html
    assert "would be lost" in html
    assert html.count("<table>") == html.count("</table>") > 3


def test_where_no_event_counts_it_says_why_instead_of_that_all_is_well(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(map(json.dumps, events(100))), encoding="utf-8")
    with pytest.raises(
        Stop, match=r"of 100 records none counts .* accepted 128 \(learning.warm_up"
    ):
        backtest_of(path, OLD, OLD)
    path.write_bytes(b"\xff\xfe\n" * 50 + b'{"card": "a", "amount": "x"}\n' * 150)
    with pytest.raises(Stop, match=r"200 can't be used \(150 wrong_type amount, 50 not_json\)"):
        backtest_of(path, OLD, OLD)


def test_a_config_that_can_use_no_record_is_not_let_through(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(map(json.dumps, events(COUNT))), encoding="utf-8")
    text = OLD.text.replace("amount: {type: number, ", "amount: {type: string, ")
    text = text.replace(
        "{kind: log, field: amount, label: amount}", "{kind: frequency, field: shop}"
    )
    numbers_are_texts = parse(text, "texts.yaml")
    with pytest.raises(Stop, match=r"3,000 can't be used \(3,000 wrong_type amount\)"):
        backtest_of(path, numbers_are_texts, OLD)


def backtest_of(path: Path, *configs: StreamConfig) -> Runs:
    window = source_window(open_source(str(path), configs[0]), configs[0], MANY, None)
    return run(window, configs, Ticks())


def test_the_cost_is_that_of_the_events_that_count(file: str) -> None:
    window = source_window(open_source(file, OLD), OLD, MANY, None)
    (side,) = run(window, [OLD], Ticks()).sides
    assert side.processed == side.events == COUNT - 2 * 128
