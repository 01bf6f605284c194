"""``triage restore``: an empty place filled from a backup."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import click

from cli.data_folder import DataFolder
from cli.places import Places, data_option, store_option, transport_option
from streaming.backup import restore
from streaming.errors import StreamingError
from triage.errors import TriageError


@click.command("restore")
@click.argument("source", type=click.Path(path_type=Path))
@data_option
@transport_option
@store_option
def command(source: Path, folder: Path, transport_url: str | None, store_url: str | None) -> None:
    """Fill an empty store (and an empty place for the embedded log) from the backup SOURCE.

    All or nothing; a backup of an older version is brought to this one's schema. The store may be
    of the other kind than the one that was copied: that is how a pilot moves from SQLite to
    PostgreSQL.
    Over Kafka run `triage reconcile` before the processes.
    """
    places = Places.of(folder, transport_url, store_url)
    try:
        with DataFolder(places.folder) if places.log_file() else nullcontext():
            manifest = restore(source, places.store_address(), places.log_file())
    except (StreamingError, TriageError) as error:
        raise click.ClickException(str(error)) from error
    what = ", ".join(f"{manifest.rows[name]} {name}" for name in ("candidates", "verdicts"))
    click.echo(f"restored the backup of {manifest.made}: {what}")
    if places.log_file() is None:
        click.echo("next: triage reconcile, then start the processes")
