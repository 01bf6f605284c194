"""``triage check``: are these stream configs right?"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from streaming.config.load import load
from streaming.config.summary import summary
from streaming.errors import ConfigInvalid


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def command(files: tuple[Path, ...]) -> None:
    """Check stream configs; starts and contacts nothing.

    Prints one line per problem (file:line: key: what is wrong) and exits with 1 if there is any.
    """
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
    if wrong:
        click.echo(f"{wrong} problem{'s' if wrong > 1 else ''}", err=True)
        sys.exit(1)
