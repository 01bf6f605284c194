"""``triage token``: tokens for programs that use the REST API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from cli.account import day, role_choice, who_option
from cli.options import Bounded
from cli.places import data_option, existing_store, store_option
from triage.model import Actor
from triage.tokens import MAX_DAYS, Token, Tokens


@click.group("token")
def command() -> None:
    """Add, list and revoke tokens for the REST API: named, for one role, until a day."""


@command.command("add")
@click.argument("name")
@click.option("--role", type=role_choice, required=True, help="What it may do.")
@click.option(
    "--days",
    type=Bounded(0, MAX_DAYS, min_open=True),
    default=90,
    show_default=True,
    help="How long it works.",
)
@who_option
@data_option
@store_option
def add(name: str, role: str, days: float, who: str, folder: Path, store_url: str | None) -> None:
    """Print a new token. It is shown this once: only its hash is kept."""
    with _tokens(folder, store_url) as tokens:
        click.echo(tokens.add(name, role, days, Actor(who, "lead"), time.time()))
    click.echo("Send it as: Authorization: Bearer TOKEN", err=True)


@command.command("revoke")
@click.argument("name")
@who_option
@data_option
@store_option
def revoke(name: str, who: str, folder: Path, store_url: str | None) -> None:
    """End a token at once."""
    with _tokens(folder, store_url) as tokens:
        tokens.revoke(name, Actor(who, "lead"), time.time())
    click.echo(f"{name} no longer works")


@command.command("list")
@data_option
@store_option
def list_all(folder: Path, store_url: str | None) -> None:
    """List the tokens: name, role, state, until when, last use."""
    now = time.time()
    with _tokens(folder, store_url) as tokens:
        for token in tokens.all():
            used = "never used" if token.used_at is None else f"used {day(token.used_at)}"
            until = day(token.expires_at)
            click.echo(f"{token.name:<24} {token.role:<8} {_state(token, now):<8} {until} {used}")


@contextmanager
def _tokens(folder: Path, store_url: str | None) -> Iterator[Tokens]:
    with existing_store(folder, store_url) as store:
        yield Tokens(store)


def _state(token: Token, now: float) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "works" if token.expires_at > now else "expired"
