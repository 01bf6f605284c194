"""``triage plan``: what would running with this config change?"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from cli.places import Places, data_option, store_option
from streaming.config.changes import MEANING, Effect, changes_of, columns_of, effect_of
from streaming.config.load import load, parse
from streaming.config.model import StreamConfig
from streaming.errors import ConfigInvalid
from triage.errors import TriageError
from triage.model import Label
from triage.store.base import LiveConfig

LIVE = "live"
SHOWN = 60  # characters of a value
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
    """Say what a restart with this config would change; changes nothing.

    Each key that differs is classed: keeps state, needs warm-up, resets state, changes the
    contract. Exits with 0, or with 1 if it does more than --accept says.
    """
    try:
        new = load(file)
        old, labels = _old(new, against, Places.of(folder, None, store_url))
    except ConfigInvalid as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(2)
    except TriageError as error:
        raise click.ClickException(str(error)) from error
    effect = Effect.CHANGES_NOTHING
    if old is None:
        click.echo(f"{new.stream}: never ran here; {file} would be its first config")
    else:
        changes = changes_of(old, new)
        effect = effect_of(old, new, changes)
        click.echo(f"{new.stream}: {old.version[:12]} -> {new.version[:12]}")
        for change in changes:
            click.echo(f"  {change.key}: {_shown(change.old)} -> {_shown(change.new)}")
            click.echo(f"    {change.effect.words()}: {change.why}")
        click.echo(f"A restart {effect.words()}: {MEANING[effect]}.")
        for line in _consequences(old, new, effect, labels):
            click.echo(f"  {line}")
    if accept is not None and effect > EFFECTS[accept]:
        click.echo(f"More than --accept {accept}", err=True)
        sys.exit(1)


def _old(
    new: StreamConfig, against: str, places: Places
) -> tuple[StreamConfig | None, Sequence[Label]]:
    """Return the config to compare with, None if the stream never ran, and the labels in force."""
    live: LiveConfig | None = None
    labels: Sequence[Label] = ()
    if places.has_store():
        with closing(places.store(migrate=False)) as store:
            live = store.live_config(new.stream)
            labels = store.labels_at(new.stream, store.label_position(new.stream))
    elif against == LIVE:
        raise click.ClickException(
            f"there is no store in {places.folder}: name the right --data or --store, or an old "
            "file with --against FILE"
        )
    if against != LIVE:
        return load(Path(against)), labels
    if live is None:
        return None, labels
    return parse(live.text, f"config in force ({live.version[:12]})"), labels


def _consequences(
    old: StreamConfig, new: StreamConfig, effect: Effect, labels: Sequence[Label]
) -> Iterator[str]:
    """Yield what follows for detectors, columns and verdicts."""
    if old.state_version() != new.state_version() or old.stream != new.stream:
        warm_up = new.learning.warm_up
        yield f"no alerts for the first {warm_up:,} accepted events of each partition"
    before, after = columns_of(old), columns_of(new)
    for what, names in (
        ("columns that are gone", [name for name in before if name not in after]),
        ("new columns", [name for name in after if name not in before]),
    ):
        if names:
            more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
            yield f"{what}: {', '.join(map(_shown, names[:LISTED]))}{more}"
    version = new.features_version()
    kept = {one.verdict_id for one in labels if one.features_version in ("", version)}
    lost = {one.verdict_id for one in labels} - kept
    if kept and effect is not Effect.CHANGES_NOTHING:
        yield f"{len(kept):,} verdicts and late truths stay in force"
    if lost:
        yield f"{len(lost):,} verdicts and late truths are of other columns: not learned from"


def _shown(value: Any) -> str:
    """Return a value on one line; what could move a terminal is escaped."""
    text = "absent" if value is None else json.dumps(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
