"""``triage reconcile``: an older store learns what has gone out since its backup."""

from __future__ import annotations

import socket
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import click

from cli.places import Places, data_option, store_option, transport_option
from streaming.errors import StreamingError
from streaming.reconcile import ahead, retractions
from triage.errors import TriageError
from triage.model import Actor
from triage.reconcile import SentFinding
from triage.store.base import RELAY_LEASE, Store

LEASE_S = 60.0
PATIENCE_S = 15.0  # a relay that has just ended may hold its lease for six seconds
EXIT_UNDECIDED = 1


@click.command("reconcile")
@click.option(
    "--unknown",
    "choice",
    type=click.Choice(["keep", "retract"]),
    help="What becomes of findings that were decided after the backup.",
)
@click.option("--as", "name", default="command line", show_default=True, help="Who does it.")
@data_option
@transport_option
@store_option
def command(
    choice: str | None,
    name: str,
    folder: Path,
    transport_url: str | None,
    store_url: str | None,
) -> None:
    """Bring a store that was restored from an older backup up to its topics.

    Findings that wait in the outbox and are in the verified topic already are taken for sent.
    Findings that were decided after the backup are listed: say whether they stand as they are
    (keep; whoever decides their cluster again sends a second finding) or are taken back (retract).
    Stop the relay first. Nothing changes where store and topics agree.
    """
    places = Places.existing(folder, transport_url, store_url, needs="triage.db")
    try:
        store, transport = places.store(), places.transport()
        epoch, holder = _lease(store)
        found = ahead(store, transport)
        now = time.time()
        if found.unknown and choice is None:
            _list(found.unknown)
            _release(store, holder)
            sys.exit(EXIT_UNDECIDED)
        back = retractions(found.unknown, name, now) if choice == "retract" else []
        if found.last:
            store.adopt(found.sent, found.last, back, Actor(name, "lead"), epoch, now)
        _release(store, holder)
        transport.close()
        store.close()
    except (StreamingError, TriageError) as error:
        raise click.ClickException(str(error)) from error
    for topic, number in found.last.items():
        click.echo(f"{topic}: goes on after {number}")
    if not found.last:
        click.echo("store and topics agree: nothing to do")
        return
    known = len(found.sent) - len(found.unknown)
    click.echo(
        f"{known} messages of the outbox are out already, {len(found.unknown)} were decided after"
        f" the backup, {len(back)} of them will be retracted"
    )


def _lease(store: Store) -> tuple[int, str]:
    """Take the relay's lease. Raises ClickException if a relay keeps it."""
    holder = f"reconcile:{socket.gethostname()}:{uuid.uuid4()}"
    until = time.monotonic() + PATIENCE_S
    while (epoch := store.acquire_lease(RELAY_LEASE, holder, time.time(), LEASE_S)) is None:
        if time.monotonic() > until:
            raise click.ClickException("a relay is at work on this store: stop it first")
        time.sleep(0.5)
    return epoch, holder


def _release(store: Store, holder: str) -> None:
    store.acquire_lease(RELAY_LEASE, holder, time.time(), 0.0)


def _list(unknown: Sequence[SentFinding]) -> None:
    for each in unknown:
        click.echo(f"{each.finding_id}/{each.revision} {each.kind} by {each.by}: {each.title}")
    click.echo(
        f"{len(unknown)} messages above were decided after the backup, and this store knows nothing"
        " of them. Say what becomes of them: --unknown keep (they stand as they are) or --unknown"
        " retract (they are taken back, and their clusters decided anew)",
        err=True,
    )
