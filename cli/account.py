"""``triage account``: local accounts of the board."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click

from cli.places import Places, data_option, store_option
from triage.access import ALLOWED
from triage.accounts import LINK_S, Account, Accounts
from triage.errors import TriageError
from triage.model import Actor

role_choice = click.Choice(list(ALLOWED))
url_option = click.option(
    "--url",
    default="http://127.0.0.1:8050",
    show_default=True,
    help="Where the board is reached.",
)


def who_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--as``: who is named in the audit trail."""
    option = click.option(
        "--as", "who", default="command line", show_default=True, help="Who acts."
    )
    return option(function)


@click.group("account")
def command() -> None:
    """Add, list, disable and reset accounts. There is no default one and no default password."""


@command.command("add")
@click.argument("name")
@click.option("--role", type=role_choice, default="analyst", show_default=True)
@url_option
@who_option
@data_option
@store_option
def add(name: str, role: str, url: str, who: str, folder: Path, store_url: str | None) -> None:
    """Add an account; print the one-time link on which its password is chosen."""
    with _accounts(folder, store_url) as accounts:
        _print_link(url, name, accounts.add(name, role, Actor(who, "lead"), time.time()))


@command.command("reset")
@click.argument("name")
@click.option("--role", type=role_choice, help="Give it another role.")
@url_option
@who_option
@data_option
@store_option
def reset(
    name: str, role: str | None, url: str, who: str, folder: Path, store_url: str | None
) -> None:
    """Forget the password, sign out everywhere, enable again; print a new one-time link."""
    with _accounts(folder, store_url) as accounts:
        _print_link(url, name, accounts.reset(name, role, Actor(who, "lead"), time.time()))


@command.command("disable")
@click.argument("name")
@who_option
@data_option
@store_option
def disable(name: str, who: str, folder: Path, store_url: str | None) -> None:
    """Let this person in no more, and sign out everywhere at once."""
    with _accounts(folder, store_url) as accounts:
        accounts.disable(name, Actor(who, "lead"), time.time())
    click.echo(f"{name} is disabled and signed out; `triage account reset {name}` undoes it")


@command.command("list")
@data_option
@store_option
def list_all(folder: Path, store_url: str | None) -> None:
    """List the accounts: name, role, state, when the password was chosen."""
    with _accounts(folder, store_url) as accounts:
        for account in accounts.all():
            chosen = "-" if account.password_at is None else day(account.password_at)
            click.echo(f"{account.name:<24} {account.role:<8} {_state(account):<14} {chosen}")


@contextmanager
def _accounts(folder: Path, store_url: str | None) -> Iterator[Accounts]:
    places = Places.of(folder, None, store_url)
    try:
        folder.mkdir(parents=True, exist_ok=True)  # the first account may come before the first run
        with closing(places.store()) as store:
            yield Accounts(store)
    except TriageError as error:
        raise click.ClickException(str(error)) from error


def _print_link(url: str, name: str, token: str) -> None:
    click.echo(f"{url.rstrip('/')}/sign-in/password?token={token}")
    click.echo(f"For {name}: works once, for {LINK_S / 3600:.0f} hours.", err=True)


def _state(account: Account) -> str:
    if account.disabled_at is not None:
        return "disabled"
    return "waits for link" if account.password_at is None else "active"


def day(at: float) -> str:
    """Return a moment as a day of UTC."""
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d")
