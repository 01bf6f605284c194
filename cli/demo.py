"""``triage demo``: the whole loop on simulated payments or real telemetry."""

from __future__ import annotations

from pathlib import Path

import click

from cli.options import Bounded
from cli.places import Places, data_option, host_option, port_option
from cli.run import Run, start

STREAMS = Path(__file__).parent.parent / "examples" / "streams"
RATE = 200.0  # events per second
SOURCES = {"payments": "payments_simulator", "shuttle": "shuttle"}
"""Stream -> built-in source."""


@click.command("demo")
@click.option(
    "--stream",
    type=click.Choice(sorted(SOURCES)),
    default="payments",
    show_default=True,
    help="Simulated card payments, or the Shuttle telemetry bundled with river.",
)
@click.option("--rate", type=Bounded(min=0, min_open=True), default=RATE, show_default=True)
@host_option
@port_option
@data_option
def command(stream: str, rate: float, host: str, port: int, folder: Path) -> None:
    """Start everything on this machine; needs no Kafka and no database.

    Prints the board's address with a one-time sign-in link. Ctrl-C ends it; the next start carries
    on where it stopped.
    """
    run = Run(
        STREAMS / f"{stream}.yaml",
        SOURCES[stream],
        rate,
        host,
        port,
        board=True,
        until_done=False,
        quiet=False,
        environment="demo",
    )
    start(run, Places.of(folder, None, None))
