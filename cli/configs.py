"""The option that names a stream's config."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from streaming.config.load import load, parse
from streaming.config.model import StreamConfig
from streaming.errors import ConfigInvalid
from streaming.rollouts import start_with
from triage.rollout import Request, refuse_retired
from triage.store.base import Store
from triage.store.base_configs import ConfigStore

EXIT_CONFIG = 2


class Untried(click.ClickException):
    """A file or place can't be used, so nothing was tried: status 2, as 1 is a result."""

    exit_code = EXIT_CONFIG


stream_option = click.option(
    "--stream",
    "config_path",
    type=click.Path(path_type=Path),
    required=True,
    help="The stream's config, a YAML file; or the stream's name: what is in force in the store.",
)


@contextmanager
def problems_told() -> Iterator[None]:
    """Where a config is wrong, say so line by line and end with status 2."""
    try:
        yield
    except ConfigInvalid as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(EXIT_CONFIG)


def loaded(path: Path) -> StreamConfig:
    """Load a config; where it is wrong, say so line by line and end with status 2."""
    with problems_told():
        return load(path)


def checked(path: Path) -> None:
    """Check a config before anything starts; a name is looked up in the store later."""
    if path.is_file() or path.suffix:
        loaded(path)


def followed(store: ConfigStore, path: Path) -> StreamConfig:
    """Return the config in force of the stream that a file or name is of; else the file's."""
    if not path.is_file():
        return in_force(store, str(path))
    config = load(path)
    live = store.live_config(config.stream)
    return config if live is None else in_force(store, config.stream)


def named(path: Path) -> str:
    """Return the name of the stream that a file is of, or the name itself."""
    return load(path).stream if path.is_file() else str(path)


def must_know(store: Store, name: str) -> str:
    """Return the name of a stream. Raises ClickException, naming those there are, if it is none."""
    if store.in_force(name) is None:
        known = ", ".join(store.streams()) or "none"
        raise click.ClickException(f"{name}: the store knows no such stream; there are: {known}")
    return name


def in_force(store: ConfigStore, name: str) -> StreamConfig:
    """Return the config in force of a stream. Raises ConfigInvalid if there is no such stream."""
    live = store.live_config(name)
    if live is None:
        raise ConfigInvalid([f"{name}: neither a file nor a stream that the store knows"])
    return parse(live.text, f"config in force ({live.version[:12]})")


def bring_in(store: ConfigStore, path: Path, at: float) -> StreamConfig:
    """A process starts with a file, which comes into force if it is new; or with a stream's name.

    Raises Superseded where the file is an old one, or the stream was retired.
    """
    if not path.is_file():
        refuse_retired(store.rollouts(str(path)))
        return in_force(store, str(path))
    config = load(path)
    start_with(store, config, Request("start", f"started with {path.name}", at))
    return config
