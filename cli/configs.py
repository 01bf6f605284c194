"""The option that names a stream's config."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from streaming.config.load import load
from streaming.config.model import StreamConfig
from streaming.errors import ConfigInvalid

EXIT_CONFIG = 2

stream_option = click.option(
    "--stream",
    "config_path",
    type=click.Path(path_type=Path),
    required=True,
    help="The stream's config, a YAML file.",
)


def loaded(path: Path) -> StreamConfig:
    """Load a config; where it is wrong, say so line by line and end with status 2."""
    try:
        return load(path)
    except ConfigInvalid as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(EXIT_CONFIG)
