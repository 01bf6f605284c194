"""``triage accept-gap``: a stream goes on after what retention has deleted."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from cli.configs import loaded, stream_option
from cli.places import Places, data_option, store_option, transport_option
from streaming.errors import StreamingError
from streaming.gap import accept, gaps
from triage.cases import AuditEntry
from triage.errors import TriageError

EXIT_GAPS = 1


@click.command("accept-gap")
@stream_option
@click.option("--yes", is_flag=True, help="Go on after the gaps; without it they are only listed.")
@click.option("--as", "name", default="command line", show_default=True, help="Who accepts it.")
@data_option
@transport_option
@store_option
def command(
    config_path: Path,
    yes: bool,
    name: str,
    folder: Path,
    transport_url: str | None,
    store_url: str | None,
) -> None:
    """List the records that retention deleted before the worker had processed them.

    With --yes the partitions go on after them. Their detectors have the state of their newest
    snapshot; what is lost is counted as skipped, and the audit trail says who accepted it. Stop the
    workers first. Ends with status 1 if there are gaps that were not accepted.
    """
    config = loaded(config_path)
    places = Places.existing(folder, transport_url, store_url, needs="triage.db")
    try:
        store, transport = places.store(), places.transport()
        found = list(gaps(config, transport, store))
        for gap in found:
            click.echo(
                f"{config.source.topic}/{gap.state.partition}: the log starts at {gap.start},"
                f" {gap.lost} records after {gap.state.next_offset} are lost; the detector forgets"
                f" {gap.forgotten} that it had processed since its snapshot"
            )
        if yes and found:
            now = time.time()
            for gap in found:
                accept(config, store, gap, now)
            told = {str(gap.state.partition): [gap.state.next_offset, gap.start] for gap in found}
            with store.unit_of_work() as unit:
                entry = AuditEntry(
                    now, name, "lead", "accept_gap", config.stream, "", None, {"gaps": told}
                )
                unit.audit(entry)
        transport.close()
        store.close()
    except (StreamingError, TriageError) as error:
        raise click.ClickException(str(error)) from error
    if not found:
        click.echo("no gaps")
    elif yes:
        click.echo("accepted: start the workers")
    else:
        click.echo("to go on after them: the same with --yes", err=True)
        sys.exit(EXIT_GAPS)
