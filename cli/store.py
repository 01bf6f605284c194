"""``triage store``: looking after the database."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cli.places import Places, data_option, store_option
from triage.errors import TriageError
from triage.store.migrate import downgrade
from triage.store.rights import grants

EXIT_ASKED = 1


@click.group("store")
def command() -> None:
    """Look after the database."""


@command.command("grants")
@click.argument("role")
def grants_(role: str) -> None:
    """Print the SQL that gives ROLE, on PostgreSQL, the rights that the service needs.

    Run it as the owner of the tables after each migration, and let the service sign in as ROLE: it
    can then neither change nor delete the audit trail.
    """
    for statement in grants(role):
        click.echo(statement)


@command.command("downgrade")
@click.argument("schema")
@click.option("--yes", is_flag=True, help="Do it; without this it is only told what would go.")
@data_option
@store_option
def downgrade_(schema: str, yes: bool, folder: Path, store_url: str | None) -> None:
    """Take the store back to the SCHEMA of an earlier version, for that version to go on with it.

    Which SCHEMA that is, its program says when it refuses the store. Stop all processes and back up
    first. All rows that the earlier version knows stay; what only later ones keep is dropped.
    Without --yes nothing changes, and the exit code is 1.
    """
    places = Places.existing(folder, None, store_url, needs="triage.db")
    try:
        gone = downgrade(places.store_address(), schema, keep=yes)
    except TriageError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{'Dropped' if yes else 'Would be dropped'}: {', '.join(gone) or 'nothing'}.")
    if not yes:
        click.echo("Nothing was changed: say --yes to do it.")
        sys.exit(EXIT_ASKED)
    click.echo(f"The store has schema {schema} now: start the version that knows it.")
