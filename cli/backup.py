"""``triage backup``: a copy of everything that is kept, while it runs."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
from pathlib import Path

import click

from cli.places import Places, data_option, store_option, transport_option
from streaming.backup import back_up
from streaming.errors import StreamingError
from triage.errors import TriageError


@click.command("backup")
@click.argument("target", type=click.Path(path_type=Path))
@data_option
@transport_option
@store_option
def command(target: Path, folder: Path, transport_url: str | None, store_url: str | None) -> None:
    """Write a backup into the new folder TARGET, while everything runs.

    It holds the store, be it SQLite or PostgreSQL, as one file, and the embedded log of the same
    moment (a broker's topics are the broker's). Who is signed in is left out.
    """
    places = Places.existing(folder, transport_url, store_url, needs="triage.db")
    made = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    program = importlib.metadata.version("streaming-triage")
    try:
        manifest = back_up(target, places.store_address(), places.log_file(), program, made)
    except (StreamingError, TriageError) as error:
        raise click.ClickException(str(error)) from error
    what = ", ".join(f"{manifest.rows[name]} {name}" for name in ("candidates", "verdicts"))
    click.echo(f"{target}: {what}, {' and '.join(manifest.files)}, schema {manifest.schema}")
    click.echo(f"to use it: triage restore {target} --data NEW_FOLDER (or --store URL)")
