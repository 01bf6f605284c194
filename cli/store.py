"""``triage store``: looking after the database."""

from __future__ import annotations

import click

from triage.store.rights import grants


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
