"""``triage apply``: brings a config into force for all running workers, tries it, or goes back."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from cli.configs import must_know, named, problems_told
from cli.places import data_option, existing_store, store_option
from cli.plan import EFFECTS, told_of
from streaming import rollouts
from streaming.config.changes import Effect
from streaming.config.load import load
from streaming.rollouts import apply, go_back
from triage.errors import Conflict
from triage.plain import plain
from triage.rollout import TOOK_BACK, TRIED, Request, Rollout, Stage
from triage.rollout import told as rolled
from triage.store.base import Store

DEFAULT = "resets-state"
NAME = 60  # characters


@click.command("apply")
@click.argument("file", metavar="FILE|STREAM", type=click.Path(path_type=Path))
@click.option(
    "--stage",
    type=click.Choice([stage.value for stage in (*TRIED, Stage.LIVE)]),
    default=Stage.LIVE.value,
    show_default=True,
    help="shadow: beside the one in force, nothing shown; canary: for a share of the keys; live.",
)
@click.option("--back", is_flag=True, help="Take the last change of the stream back.")
@click.option(
    "--of",
    type=click.IntRange(min=1),
    help="With --back: the number of that change (`triage stages`); refused if it is not the last.",
)
@click.option(
    "--retire", is_flag=True, help="Give the stream up; nothing is deleted, --back takes it up."
)
@click.option("--new", is_flag=True, help="The file's stream may be one that there is not yet.")
@click.option("--again", is_flag=True, help="Also a version that was replaced or stopped before.")
@click.option("--reason", default="", help="Kept with the roll-out and in the audit trail.")
@click.option("--as", "name", default="command line", show_default=True, help="Who does it.")
@click.option(
    "--accept",
    type=click.Choice(list(EFFECTS)),
    default=DEFAULT,
    show_default=True,
    help="Refuse a change that does more than this.",
)
@data_option
@store_option
def command(
    file: Path,
    stage: str,
    back: bool,
    of: int | None,
    retire: bool,
    new: bool,
    again: bool,
    reason: str,
    name: str,
    accept: str,
    folder: Path,
    store_url: str | None,
) -> None:
    """Bring a config into force, or try it beside the one that is.

    Running workers turn to it at their next commit, one partition after the other, without a
    restart. First says what it does, as `triage plan`. A stream that there is not yet needs --new.

    With --back the last change is taken back, once: to go back further say --of which. With
    --retire the stream is given up: its workers end, and the board no longer shows it once nothing
    of it waits for a verdict. FILE may then be the name of the stream.
    """
    if back and retire:
        raise click.UsageError("--back or --retire, not both")
    if of is not None and not back:
        raise click.UsageError("--of goes with --back")
    asked = Request(name, reason, time.time())
    with existing_store(folder, store_url) as store, problems_told():
        if back:
            entry = _back(store, must_know(store, named(file)), asked, of)
        elif retire:
            entry = rollouts.retire(store, must_know(store, named(file)), asked)
        else:
            entry = _apply(store, file, Stage(stage), asked, accept, new=new, again=again)
    click.echo(_done(entry))


def _apply(
    store: Store,
    file: Path,
    stage: Stage,
    asked: Request,
    accept: str,
    *,
    new: bool,
    again: bool,
) -> Rollout:
    config = load(file)
    effect, lines = told_of(store, config)
    for line in lines:
        click.echo(line)
    if effect > EFFECTS[accept]:
        click.echo(f"Nothing was done: more than --accept {accept}", err=True)
        sys.exit(1)
    if effect is Effect.CHANGES_THE_CONTRACT:
        click.echo("Tell those who write the topic and read findings.")
    current = store.in_force(config.stream)
    if current is None and not new:
        click.echo("Nothing was done. To create the stream: --new", err=True)
        sys.exit(1)
    if current and current.tried and current.tried != config.version:
        who = f", by {plain(current.author, NAME)}" if current.author else ""
        click.echo(f"This ends the trial of version {current.tried[:12]} in {current.stage}{who}.")
    return apply(store, config, asked, stage, again=again)


def _back(store: Store, stream: str, asked: Request, of: int | None) -> Rollout:
    """Say which change is taken back, and do it if it still is the last one.

    What was just taken back, perhaps by somebody else at the same time, is no reason to go back
    further: that has to be said.
    """
    last = store.in_force(stream)
    if last is None:
        return go_back(store, stream, asked)
    if of is None and last.kind in TOOK_BACK:
        raise Conflict(
            f"Nothing was done: the last change of {stream} has been taken back already "
            f"({rolled(last)}). To go back further: triage apply --back --of {last.number} {stream}"
        )
    if of in (None, last.number):
        click.echo(f"Takes back roll-out {last.number}: {rolled(last)}.")
    return go_back(store, stream, asked, of or last.number)


def _done(entry: Rollout) -> str:
    where = f"Roll-out {entry.number} of {entry.stream}"
    if entry.retired:
        return (
            f"{where}: the stream is retired; its workers end at their next commit. To take it up "
            f"again: triage apply --back {entry.stream}"
        )
    if entry.tried:
        return (
            f"{where}: version {entry.beside[:12]} is tried in {entry.stage} beside "
            f"{entry.version[:12]}. See how it does: triage stages {entry.stream}"
        )
    watched = ""
    if entry.stage is Stage.WATCHED:
        watched = (
            f"Version {entry.beside[:12]} runs on beside it for a while: if it breaks a limit of "
            "`rollout` it is taken back. "
        )
    return (
        f"{where}: version {entry.version[:12]} is in force; running workers turn to it at their "
        f"next commit. {watched}See: triage stages {entry.stream}"
    )
