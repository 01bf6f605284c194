"""``triage stages``: what is in force, what is tried beside it, and how that does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from cli.configs import must_know
from cli.places import data_option, existing_store, store_option
from streaming.config_book import ConfigBook
from streaming.stage_guard import HOUR_S
from triage.plain import plain
from triage.rollout import Rollout, RolloutKind
from triage.store.base import Store
from triage.trial import Trial

SHOWN = 10  # roll-outs
SENTENCE = 300  # characters


@click.command("stages")
@click.argument("stream", required=False)
@data_option
@store_option
def command(stream: str | None, folder: Path, store_url: str | None) -> None:
    """Show what is in force, what is tried beside it and how that does; newest first.

    Without STREAM: all streams, also those that were retired.
    """
    with existing_store(folder, store_url, migrate=False) as store:
        for line in _all(store) if stream is None else _lines(store, stream):
            click.echo(line)


def _all(store: Store) -> Iterator[str]:
    for stream in store.streams():
        if current := store.in_force(stream):
            yield _state(current)


def _state(current: Rollout) -> str:
    if current.retired:
        return f"{current.stream}: retired, with version {current.version[:12]}"
    return f"{current.stream}: version {current.version[:12]} is in force"


def _lines(store: Store, stream: str) -> Iterator[str]:
    log = store.rollouts(must_know(store, stream))
    current = log[-1]
    turned = [number == current.number for number in store.turned(stream)]
    yield _state(current)
    if current.beside:
        yield f"  {_besides(store, current)}"
        yield from _trial(store.trial(stream, current.number), store.lost(stream, current.number))
    yield f"  {sum(turned)} of {len(turned)} partitions have turned to roll-out {current.number}"
    yield from _history(log)


def _besides(store: Store, current: Rollout) -> str:
    if current.tried:
        return f"version {current.tried[:12]} is tried in {current.stage}"
    settings = ConfigBook(store, current.stream).config(current.version).rollout
    until = _at(current.at + HOUR_S * settings.watch_hours)
    return f"it is watched at least until {until}: version {current.beside[:12]} runs on beside it"


def _trial(trial: Trial, lost: Sequence[str]) -> Iterator[str]:
    if not trial.events:
        yield "    no event seen yet"
        return
    yield (
        f"    {trial.events:,} events: {trial.new:,} candidates where the old version has "
        f"{trial.live:,}: {trial.both:,} in both, {trial.only_new:,} only new, "
        f"{trial.only_live:,} only old"
    )
    yield (
        f"    an event takes {trial.cost:.2f} times as long; {trial.errors:.1%} are dead letters "
        f"only for it; {len(lost):,} verified findings missed"
    )


def _history(log: Sequence[Rollout]) -> Iterator[str]:
    for entry in reversed(log[-SHOWN:]):
        at = _at(entry.at)
        what = f"{entry.tried[:12]} in {entry.stage}" if entry.tried else entry.version[:12]
        if entry.kind is RolloutKind.STOP:
            ended = log[entry.number - 2]
            what = f"{(ended.tried or ended.version)[:12]}, back to {what}"
        who = f", by {entry.author}" if entry.author else ""
        why = f": {entry.reason}" if entry.reason else ""
        yield f"  {entry.number:>3}  {at}  {entry.kind:<6}  {what}{plain(who + why, SENTENCE)}"


def _at(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
