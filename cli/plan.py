"""``triage plan``: what would bringing this config into force change?"""

from __future__ import annotations

import difflib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from cli.configs import Untried, problems_told
from cli.places import Places, data_option, store_option
from streaming.carry import ColumnKeys, columns_of, share
from streaming.config.changes import MEANING, Effect, changes_of, effect_of
from streaming.config.load import load
from streaming.config.model import StreamConfig
from streaming.config_book import ConfigBook
from streaming.errors import Stop
from streaming.turn import records_to_warm
from triage.errors import TriageError
from triage.model import Label
from triage.rollout import Stage
from triage.store.base import Store

LIVE = "live"
SHOWN = 2_000  # characters of a value; an added feature is shown whole
LISTED = 12  # columns
EFFECTS = {effect.words().replace(" ", "-"): effect for effect in Effect}


@click.command("plan")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--against",
    metavar="live|FILE",
    default=LIVE,
    show_default=True,
    help="The old config: the one in force, or a file.",
)
@click.option(
    "--accept",
    type=click.Choice(list(EFFECTS)),
    help="Fail (exit code 1) if the change does more than this.",
)
@data_option
@store_option
def command(
    file: Path, against: str, accept: str | None, folder: Path, store_url: str | None
) -> None:
    """Say what bringing this config into force would change; changes nothing.

    Each key that differs is classed: keeps state, needs warm-up, resets state, changes the
    contract. Exits with 0, with 1 if it does more than --accept says, with 2 if a file or
    the store can't be used.
    """
    try:
        with problems_told():
            effect, lines = _told(load(file), against, Places.of(folder, None, store_url))
    except (Stop, TriageError) as error:
        raise Untried(str(error)) from error
    for line in lines:
        click.echo(line)
    if accept is not None and effect > EFFECTS[accept]:
        click.echo(f"More than --accept {accept}", err=True)
        sys.exit(1)


def told_of(store: Store, new: StreamConfig) -> tuple[Effect, Sequence[str]]:
    """Return what bringing the config into force does, and the lines that say so."""
    live = store.live_config(new.stream)
    if live is None:
        return Effect.CHANGES_NOTHING, [_first(new.stream, store.streams())]
    book = ConfigBook(store, new.stream)
    labels = store.labels_at(new.stream, store.label_position(new.stream))
    current = store.in_force(new.stream)
    tried_in = current.stage if current is not None and current.tried == new.version else None
    effect, lines = _lines(book.config(live.version), new, labels, book, tried_in)
    if current is not None and current.retired:
        retired = f"{new.stream} is retired; to take it up first: triage apply --back {new.stream}"
        lines = [retired, *lines]
    return effect, lines


def _first(stream: str, known: Sequence[str]) -> str:
    """Say that a stream would be a new one; most often its name is mistyped."""
    there = f" Streams there are: {', '.join(known)}" if known else ""
    near = difflib.get_close_matches(stream, known, n=1)
    meant = f' Did you mean "{near[0]}"?' if near else there
    return f"{stream}: a new stream, nothing of this name ever ran here.{meant}"


def _told(new: StreamConfig, against: str, places: Places) -> tuple[Effect, Sequence[str]]:
    if not places.has_store():
        if against == LIVE:
            raise Untried(
                f"there is no store in {places.folder}: name the right --data or --store, or an "
                "old file with --against FILE"
            )
        return _lines(load(Path(against)), new, (), {})
    with closing(places.store(migrate=False)) as store:
        if against == LIVE:
            return told_of(store, new)
        labels = store.labels_at(new.stream, store.label_position(new.stream))
        return _lines(load(Path(against)), new, labels, ConfigBook(store, new.stream))


def _lines(
    old: StreamConfig,
    new: StreamConfig,
    labels: Sequence[Label],
    known: Mapping[str, ColumnKeys],
    tried_in: Stage | None = None,
) -> tuple[Effect, Sequence[str]]:
    changes = changes_of(old, new)
    effect = effect_of(old, new, changes)
    lines = [f"{new.stream}: {old.version[:12]} -> {new.version[:12]}"]
    for change in changes:
        lines.append(f"  {change.key}: {_shown(change.old)} -> {_shown(change.new)}")
        lines.append(f"    {change.effect.words()}: {change.why}")
    if tried_in is None:
        lines.append(f"This {effect.words()}: {MEANING[effect]}.")
        lines += [f"  {line}" for line in _learning(old, new)]
    else:
        lines.append(f"It is in {tried_in}: it goes live with what it has learned there.")
    lines += [f"  {line}" for line in _of_columns(old, new)]
    if effect is not Effect.CHANGES_NOTHING:
        lines += [f"  {line}" for line in _of_labels(new, labels, known)]
    return effect, lines


def _learning(old: StreamConfig, new: StreamConfig) -> Iterator[str]:
    """Yield what detectors learn before they alert."""
    if old.stream != new.stream:
        yield f"no alerts for the first {new.learning.warm_up:,} accepted events of each partition"
    elif old.state_version() != new.state_version():
        yield (
            f"each partition first learns the newest {records_to_warm(new):,} records of its log; "
            f"where there are fewer than {new.learning.warm_up:,}, it alerts after that many"
        )


def _of_columns(old: StreamConfig, new: StreamConfig) -> Iterator[str]:
    """Yield which columns go and come."""
    before, after = columns_of(old), columns_of(new)
    names = {_name(key) for key in after} & {_name(key) for key in before}
    gone = [_name(key) for key in before if key not in after]
    come = [_name(key) for key in after if key not in before]
    for what, listed in (
        ("columns that are gone", [name for name in gone if name not in names]),
        ("new columns", [name for name in come if name not in names]),
        ("columns that mean something else now", [name for name in come if name in names]),
    ):
        if listed:
            more = f" and {len(listed) - LISTED:,} more" if len(listed) > LISTED else ""
            yield f"{what}: {', '.join(map(_shown, listed[:LISTED]))}{more}"


def _of_labels(
    new: StreamConfig, labels: Sequence[Label], known: Mapping[str, ColumnKeys]
) -> Iterator[str]:
    """Yield how many verdicts and late truths stay in force, by the columns that they have."""
    want, version = columns_of(new), new.features_version()
    parts: dict[str, float] = {}
    for label in labels:
        if label.features_version in ("", version):
            part = 1.0
        else:
            part = share(known.get(label.features_version, ()), want)
        parts[label.verdict_id] = max(part, parts.get(label.verdict_id, 0.0))
    counts = Counter(round(part * len(want)) for part in parts.values())
    for columns, count in sorted(counts.items(), reverse=True):
        what = f"{count:,} verdicts and late truths"
        if columns == len(want):
            yield f"{what} stay in force"
        elif columns:
            yield f"{what} count by the {columns} of {len(want)} columns that they have"
        else:
            yield f"{what} have none of these columns: not learned from"


def _name(key: str) -> str:
    return key.rpartition(":")[0]


def _shown(value: Any) -> str:
    """Return a value on one line; what could move a terminal is escaped."""
    text = "absent" if value is None else json.dumps(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
