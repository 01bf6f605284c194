"""``triage backtest``: what would this config have done?"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from cli.configs import Untried, problems_told
from cli.options import Bounded, refuse_unwritable
from cli.places import Places, data_option, store_option, transport_option
from cli.progress import bar, follow
from detectors.duration import parse_duration
from streaming.backtest.compare import Guards, compared
from streaming.backtest.judged import Judged, judged_of
from streaming.backtest.report import page
from streaming.backtest.run import run
from streaming.backtest.window import Window, source_window, topic_window
from streaming.config.load import load, parse
from streaming.config.model import StreamConfig
from streaming.errors import StreamingError
from streaming.sources.registry import open_source
from streaming.transports.base import Transport
from triage.errors import TriageError

LIVE = "live"
DAY = "24h"
LISTED = 10  # lost findings on the terminal


@click.command("backtest")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--against", metavar="live|FILE", help="The old config: the one in force, or a file.")
@click.option("--since", help="How far back the topic is read.  [default: 24h]")
@click.option("--source", help="A file or a built-in source instead of the topic.")
@click.option("--label", help="With --source: column with 1 (real), 0 (not), -1 (not known).")
@click.option(
    "--max-events",
    type=click.IntRange(min=1_000),
    default=2_000_000,
    show_default=True,
    help="Of a larger window every n-th key is taken.",
)
@click.option(
    "--max-volume",
    type=Bounded(min=1, min_open=True),
    default=2.0,
    show_default=True,
    help="Fail from so many times the candidates on.",
)
@click.option("--html", type=click.Path(path_type=Path), help="Write a report: one page, offline.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write all figures.")
@data_option
@transport_option
@store_option
def command(
    file: Path,
    against: str | None,
    since: str | None,
    source: str | None,
    label: str | None,
    max_events: int,
    max_volume: float,
    html: Path | None,
    json_path: Path | None,
    folder: Path,
    transport_url: str | None,
    store_url: str | None,
) -> None:
    """Run history through a config, and through the old one beside it.

    Reads without a consumer group and writes nothing but the reports. Exits with 1 if a verified
    finding would be lost or the candidates would double, with 2 if nothing could be compared.
    """
    if since and source:
        raise click.UsageError("--since is for a topic: a --source is read whole")
    if label and not source:
        raise click.UsageError("--label needs --source: of a topic the verdicts are taken")
    try:
        seconds = parse_duration(since or DAY)
    except ValueError as error:
        raise click.UsageError(f"--since: {error}") from error
    _writable([html, json_path], [file, *map(Path, filter(None, (against, source)))])
    places = Places.of(folder, transport_url, store_url)
    try:
        with problems_told():
            new = load(file)
            old = _old(new, against, places)
        configs = [new, *([old] if old else [])]
        if source:
            window = source_window(open_source(source, _Both(new, old)), new, max_events, label)
        else:
            window = _topic(places, configs, time.time() - seconds, max_events)
        with bar(window.total, " events") as progress:
            runs = run(window, configs, time.process_time, follow(progress))
    except (StreamingError, TriageError) as error:
        raise Untried(str(error)) from error
    result = compared(window, runs, Guards(max_volume))
    for line in _summary(result):
        click.echo(line)
    if html:
        _write(html, page(result))
    if json_path:
        _write(json_path, json.dumps(result, indent=2) + "\n")
    sys.exit(1 if result["fails"] else 0)


def _writable(reports: Sequence[Path | None], read: Sequence[Path]) -> None:
    """Refuse a report that can't be written or would replace what is read, before anything runs."""
    taken = {path.resolve() for path in read}
    for path in filter(None, reports):
        if path.resolve() in taken:
            raise click.UsageError(f"{path}: is read or written already; name another file")
        refuse_unwritable(path)
        taken.add(path.resolve())


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Untried(f"{path}: can't be written: {error.strerror}") from error


class _Both:
    """What a source is told: the fields of both configs; of one that is in both, the new type."""

    def __init__(self, new: StreamConfig, old: StreamConfig | None) -> None:
        self.key = new.key
        self.fields = {**(old.fields if old else {}), **new.fields}


def _old(new: StreamConfig, against: str | None, places: Places) -> StreamConfig | None:
    """Load the config to compare with. Raises Untried where there is none."""
    if against is None:
        return None
    if against != LIVE:
        return load(Path(against))
    live = None
    if places.has_store():
        with closing(places.store(migrate=False)) as store:
            live = store.live_config(new.stream)
    if live is None:
        raise Untried(
            f"stream {new.stream} never ran on this store, so no config is in force: name the "
            "right --data or --store, or an old file with --against FILE"
        )
    return parse(live.text, f"config in force ({live.version[:12]})")


def _topic(places: Places, configs: Sequence[StreamConfig], since: float, limit: int) -> Window:
    """Return the window of the new config's topic, with what was judged of it."""
    if not places.has_log():
        raise Untried(
            f"there is no log in {places.folder}: name the right --data or --transport, or a file "
            "with --source"
        )
    new = configs[0]
    transport = places.transport()
    lead = max(config.learning.warm_up for config in configs)
    judged = _judged(places, new, transport)
    return topic_window(transport, new, int(since * 1000), lead, limit, judged)


def _judged(places: Places, config: StreamConfig, transport: Transport) -> Judged:
    """Return the verdicts of the store, if there is one that knows this topic."""
    if not places.has_store():
        return Judged()
    with closing(places.store(migrate=False)) as store:
        live = store.live_config(config.stream)
        if live is None or transport.topic_id(config.source.topic) not in live.topic_ids:
            return Judged()
        return judged_of(store, config.stream)


def _summary(result: Mapping[str, Any]) -> Iterator[str]:
    sampled = "" if result["sampled_keys"] == "all" else f", {result['sampled_keys']} keys"
    yield f"{result['source']}: {result['events']:,} events compared{sampled}"
    for name in ("new", "old"):
        if side := result[name]:
            yield f"  {name}  {_figures(side)}"
    if result["old"]:
        counts = [f"{result[key]:,} {key.replace('_', ' ')}" for key in ("only_new", "only_old")]
        yield f"candidates: {result['both']:,} in both, {', '.join(counts)}"
    if result["verified_real"]:
        missed = f"{result['missed_by_new']:,} missed by the new config"
        yield f"verified real in this window: {result['verified_real']:,}, {missed}"
    lost_ones = result.get("lost", ())
    for lost in lost_ones[:LISTED]:
        yield f"  lost: {lost['title']} (partition {lost['partition']}, offset {lost['offset']})"
    if len(lost_ones) > LISTED:
        yield f"  and {len(lost_ones) - LISTED:,} more: --html and --json list all"
    yield from (f"STOP: {fail}" for fail in result["fails"])
    if result["old"] and not result["fails"]:
        yield "Nothing speaks against the change."


def _figures(side: Mapping[str, Any]) -> str:
    parts = [f"{side['candidates']:,} candidates"]
    if side["per_day"] is not None:
        parts.append(f"{side['per_day']:,.1f} a day")
    if side["held_back"]:
        parts.append(f"{side['held_back']:,} held back")
    if side["precision"] is not None:
        low, high = side["precision_95"]
        told = f"{side['precision']:.0%} ({low:.0%} to {high:.0%})"
        parts.append(f"precision {told} of {side['judged']:,} judged")
    parts.append(f"{side['cpu_us_per_event']:,.1f} us an event")
    parts.append(f"{side['dead_letters']:,} dead letters")
    return f"{side['version'][:12]}: {', '.join(parts)}"
