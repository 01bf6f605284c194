"""``triage rollback``: takes back what one analyst taught in a period."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import click

from cli.places import data_option, existing_store, store_option
from streaming.verified import message_of
from triage.commands import RollBack, RollBackCommand, UndoRollBack
from triage.handlers import Triage
from triage.model import Actor

FORMATS = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"]


@click.command("rollback")
@click.option("--analyst", help="Whose labels.")
@click.option("--since", type=click.DateTime(FORMATS), help="First moment (UTC).")
@click.option("--until", type=click.DateTime(FORMATS), help="End (UTC), excluded; default: now.")
@click.option("--reason", default="", help="Kept in the audit trail.")
@click.option("--undo", "rollback_id", help="Give back what the roll-back of this id took.")
@click.option("--as", "name", default="command line", show_default=True, help="Who does it.")
@data_option
@store_option
def command(
    analyst: str | None,
    since: dt.datetime | None,
    until: dt.datetime | None,
    reason: str,
    rollback_id: str | None,
    name: str,
    folder: Path,
    store_url: str | None,
) -> None:
    """Take back all labels that an analyst gave in a period, on every stream.

    Detectors are from their next commit on as if these labels had never been. The clusters stay
    decided and findings stay published; --undo gives the labels back.
    """
    now = time.time()
    change: RollBackCommand
    if rollback_id is not None:
        change = UndoRollBack(rollback_id)
    elif analyst is None or since is None:
        raise click.UsageError("name --analyst and --since (or --undo ID)")
    else:
        # until is excluded: a verdict of this very moment counts too
        change = RollBack(analyst, _utc(since), _utc(until) if until else now + 1.0, reason)
    with existing_store(folder, store_url) as store:
        done = Triage(store, message_of).roll_back(change, Actor(name, "lead"), now)
    what = "taken back" if done.undone_at is None else "given back"
    click.echo(f"labels of {len(done.taken)} verdicts and reports of {done.analyst} {what}")
    if done.undone_at is None:
        click.echo(f"to give them back: triage rollback --undo {done.rollback_id}")


def _utc(moment: dt.datetime) -> float:
    return moment.replace(tzinfo=dt.UTC).timestamp()
