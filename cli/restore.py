"""``triage restore``: an empty place filled from a backup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

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
    Over Kafka run `triage reconcile` before the processes. Accounts are what they were at the
    backup: those that can sign in are listed, so that you can disable who was disabled since.
    """
    places = Places.of(folder, transport_url, store_url)
    try:
        with DataFolder(places.folder) if places.log_file() else nullcontext():
            manifest = restore(source, places.store_address(), places.log_file())
        with closing(places.store()) as store:
            enabled = [row for row in store.accounts() if row["disabled_at"] is None]
    except (StreamingError, TriageError) as error:
        raise click.ClickException(str(error)) from error
    what = ", ".join(f"{manifest.rows[name]} {name}" for name in ("candidates", "verdicts"))
    click.echo(f"restored the backup of {manifest.made}: {what}")
    _warn_of(enabled, manifest.made)
    if places.log_file() is None:
        click.echo("next: triage reconcile, then start the processes")


def _warn_of(accounts: Sequence[Mapping[str, Any]], made: str) -> None:
    """Tell who can sign in again: the backup can't know who was disabled after it."""
    if not accounts:
        return
    for account in accounts:
        click.echo(f"  can sign in: {account['name']} ({account['role']})", err=True)
    click.echo(
        f"WARNING: roles, passwords and who is disabled are those of {made}; what was changed since"
        " is undone. Before you start the board: `triage account disable NAME` whoever should no"
        " longer be let in, `triage account reset NAME` where a password had leaked",
        err=True,
    )
