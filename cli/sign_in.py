"""``triage sign-in``: a one-time link for a running board."""

from __future__ import annotations

import time
from pathlib import Path

import click

from cli.places import data_option, existing_store, store_option
from triage.access import ALLOWED
from triage.model import Actor
from triage.store.base import Store

TTL_S = 3600.0  # seconds in which a link can be used
ANALYST = Actor("analyst", "analyst")


@click.command("sign-in")
@click.option("--name", default="analyst", show_default=True, help="Who signs in.")
@click.option("--role", type=click.Choice(list(ALLOWED)), default="analyst", show_default=True)
@click.option(
    "--url",
    default="http://127.0.0.1:8050",
    show_default=True,
    help="Where the board is reached.",
)
@data_option
@store_option
def command(name: str, role: str, url: str, folder: Path, store_url: str | None) -> None:
    """Print a link that signs a person in, once, within the next hour."""
    with existing_store(folder, store_url) as store:
        click.echo(sign_in_link(store, url, time.time(), Actor(name, role)))


def board_url(host: str, port: int) -> str:
    """Return the address at which this machine reaches a board that listens there."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound here
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def sign_in_link(store: Store, url: str, now: float, actor: Actor = ANALYST) -> str:
    """Return a one-time link for the board at ``url``."""
    return f"{url.rstrip('/')}/sign-in?token={store.new_sign_in(actor, now, TTL_S)}"
