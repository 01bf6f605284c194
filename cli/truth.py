"""``triage truth``: what became of events, told later."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import IO

import click
from pydantic import ValidationError

from cli.places import Places, data_option, store_option
from streaming.verified import message_of
from triage.commands import ReportTruth, RetractTruth
from triage.errors import TriageError
from triage.handlers import Triage
from triage.late_truth import MAX_REPORTS
from triage.model import Actor
from triage.truth import TruthOutcome, TruthReport

HELP = """Tell what became of events: FILE (- for stdin) has one JSON object per line.

\b
{"id": "cb-17", "real": true, "event_id": "t-4711"}
{"id": "cb-18", "real": false, "entities": {"card": "12"}, "time": 1790000000}

An id told again replaces what it said before, so the same file twice changes nothing. Detectors
learn it at once; on the cluster it stands beside the verdict, and wins where they differ.
"""


@click.command("truth", help=HELP)
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--stream", required=True, help="Name of the stream that the events are of.")
@click.option("--source", required=True, help="Who tells it, e.g. chargebacks.")
@click.option("--retract", is_flag=True, help="Take back what was told: only `id` is read.")
@click.option("--as", "name", default="command line", show_default=True, help="Who hands it in.")
@data_option
@store_option
def command(
    file: IO[str],
    stream: str,
    source: str,
    retract: bool,
    name: str,
    folder: Path,
    store_url: str | None,
) -> None:
    """Tell what became of events."""
    places = Places.existing(folder, None, store_url, needs="triage.db")
    total: dict[str, int] = {}
    try:
        store = places.store()
        triage, actor = Triage(store, message_of), Actor(name, "service")
        lines = _lines(file)
        while part := list(islice(lines, MAX_REPORTS)):
            change: ReportTruth | RetractTruth
            if retract:
                change = RetractTruth(stream, source, tuple(_id(*line) for line in part))
            else:
                change = ReportTruth(stream, source, tuple(_report(*line) for line in part))
            _count(total, triage.tell(change, actor, time.time()))
        store.close()
    except TriageError as error:
        raise click.ClickException(str(error)) from error
    click.echo(", ".join(f"{number} {what}" for what, number in total.items() if number) or "empty")


def _lines(file: IO[str]) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(file, 1) if line.strip())


def _report(number: int, line: str) -> TruthReport:
    try:
        return TruthReport.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "report"
        raise click.ClickException(
            f"line {number}: {where}: {first['msg']}; what stands before it in blocks of "
            f"{MAX_REPORTS:,} lines is told: mend it and send the file again"
        ) from error


def _id(number: int, line: str) -> str:
    try:
        return str(json.loads(line)["id"])
    except (ValueError, TypeError, KeyError) as error:
        raise click.ClickException(f"line {number}: a JSON object with an id is needed") from error


def _count(total: dict[str, int], outcome: TruthOutcome) -> None:
    for what, number in asdict(outcome).items():
        total[what] = total.get(what, 0) + number
