"""``triage check``: are these stream configs right?"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click

from cli.places import Places, data_option, transport_option
from streaming.config.load import load
from streaming.config.model import StreamConfig
from streaming.config.summary import summary
from streaming.errors import ConfigInvalid, StreamingError
from streaming.sample.environment import look_at


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--env", is_flag=True, help="Look at the topics, too: do they hold what is declared?")
@click.option(
    "--rows",
    type=click.IntRange(min=1, max=1_000_000),
    default=10_000,
    show_default=True,
    help="With --env: newest records of each topic that are looked at.",
)
@data_option
@transport_option
def command(
    files: tuple[Path, ...], env: bool, rows: int, folder: Path, transport_url: str | None
) -> None:
    """Check stream configs; without --env contacts nothing, and never starts or changes anything.

    Prints one line per problem (file:line: key: what is wrong) and exits with 1 if there is any.
    """
    places = Places.existing(folder, transport_url, None) if env else None
    wrong = 0
    for path in files:
        try:
            config = load(path)
        except ConfigInvalid as error:
            wrong += len(error.problems)
            for problem in error.problems:
                click.echo(problem, err=True)
        else:
            click.echo(f"{path}: right")
            click.echo(summary(config))
            if places is not None:
                for problem in _environment(config, places, rows):
                    wrong += 1
                    click.echo(f"{path}: {problem}", err=True)
    if wrong:
        click.echo(f"{wrong} problem{'s' if wrong > 1 else ''}", err=True)
        sys.exit(1)


def _environment(config: StreamConfig, places: Places, rows: int) -> Iterator[str]:
    """Print what the topic is like; yield what is wrong with it."""
    try:
        with closing(places.transport()) as transport:
            found = look_at(config, transport, rows, time.process_time)
    except StreamingError as error:
        raise click.ClickException(str(error)) from error
    for kind, lines in (("topic", found.facts), ("warning", found.warnings)):
        for line in lines:
            click.echo(f"  {kind:<10} {line}")
    yield from found.problems
