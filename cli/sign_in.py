"""``triage sign-in``: a one-time link for a running board."""

from __future__ import annotations

import time
from pathlib import Path

import click

from cli.places import Places, data_option, port_option, store_option
from triage.errors import TriageError
from triage.model import Actor
from triage.store.base import Store
from triage.store.store import open_store

TTL_S = 3600.0  # seconds in which a link can be used
ANALYST = Actor("analyst", "analyst")


@click.command("sign-in")
@click.option("--name", default="analyst", show_default=True, help="Who signs in.")
@click.option(
    "--role", type=click.Choice(["viewer", "analyst", "lead"]), default="analyst", show_default=True
)
@port_option
@data_option
@store_option
def command(name: str, role: str, port: int, folder: Path, store_url: str | None) -> None:
    """Print a link that signs a person in, once, within the next hour."""
    try:
        store = open_store(Places.existing(folder, None, store_url).store_url)
        click.echo(sign_in_link(store, port, time.time(), Actor(name, role)))
    except TriageError as error:
        raise click.ClickException(str(error)) from error


def sign_in_link(store: Store, port: int, now: float, actor: Actor = ANALYST) -> str:
    """Return a one-time link for the board on this machine."""
    token = store.new_sign_in(actor, now, TTL_S)
    return f"http://127.0.0.1:{port}/sign-in?token={token}"
