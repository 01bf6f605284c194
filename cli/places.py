"""Where a running system keeps its things."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode

import click

from cli.secrets import secret
from streaming.errors import Stop
from streaming.transports.base import Transport
from streaming.transports.registry import open_transport
from triage.errors import Invalid, TriageError
from triage.store.base import Store
from triage.store.store import open_store

data_option = click.option(
    "--data",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Folder for everything that is kept: log, store, keys.",
)
transport_option = click.option(
    "--transport",
    "transport_url",
    metavar="URL",
    envvar="TRIAGE_TRANSPORT",
    help="Where topics live: embedded log in the data folder (default), kafka://HOST:PORT or"
    " kafka+librdkafka://HOST:PORT; see docs/kafka.md. Also as TRIAGE_TRANSPORT.",
)
store_option = click.option(
    "--store",
    "store_url",
    metavar="URL",
    envvar="TRIAGE_STORE",
    help="Database: SQLite in the data folder (default) or postgresql://USER@HOST/DATABASE with"
    " ?password=env:NAME or file:PATH. Also as TRIAGE_STORE.",
)


host_option = click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address that the board listens on."
)
port_option = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8050,
    show_default=True,
    help="Port that the board listens on; 0 picks a free one.",
)


@dataclass(frozen=True, slots=True)
class Places:
    """Addresses of the log and the store; both live in ``folder`` unless told otherwise."""

    folder: Path
    transport_url: str
    store_url: str

    @classmethod
    def of(cls, folder: Path, transport_url: str | None, store_url: str | None) -> Places:
        """Fill in the defaults."""
        folder = folder.resolve()
        return cls(
            folder,
            transport_url or f"embedded:{folder / 'log.db'}",
            store_url or f"sqlite:///{folder / 'triage.db'}",
        )

    @classmethod
    def existing(
        cls, folder: Path, transport_url: str | None, store_url: str | None, needs: str = "log.db"
    ) -> Places:
        """The same for commands that only look: somebody must have run something there."""
        if transport_url is None and store_url is None and not (folder / needs).is_file():
            raise click.ClickException(
                f"there is no {needs} in {folder}, so nothing has run there yet: start `triage "
                "demo` or `triage run` first, or name the right folder with --data"
            )
        return cls.of(folder, transport_url, store_url)

    def log_file(self) -> Path | None:
        """Return the file of the embedded log, None where topics live in a broker."""
        if not self.transport_url.startswith("embedded:"):
            return None
        return Path(self.transport_url.removeprefix("embedded:").partition("?")[0])

    def has_log(self) -> bool:
        """Return whether there can be a log; of a broker only connecting tells."""
        file = self.log_file()
        return file is None or file.is_file()

    def has_store(self) -> bool:
        """Return whether there can be a store; of a server only connecting tells."""
        path = self.store_url.removeprefix("sqlite:///")
        return path == self.store_url or Path(path).is_file()

    def transport(self) -> Transport:
        """Open the transport; secrets that its URL refers to are read from here."""
        return open_transport(self.transport_url, time.time, secret)

    def store(self, *, migrate: bool = True) -> Store:
        """Open the store; a password that its URL refers to is read from here."""
        return open_store(self.store_address(), migrate)

    def store_address(self) -> str:
        """Return the store's URL with the password that it refers to. Not for messages."""
        return _with_password(self.store_url)

    def arguments(self) -> list[str]:
        """Return the command-line options that name these places."""
        return [
            *("--data", str(self.folder)),
            *("--transport", self.transport_url),
            *("--store", self.store_url),
        ]


@contextmanager
def existing_store(folder: Path, store_url: str | None, *, migrate: bool = True) -> Iterator[Store]:
    """The store of a system that has run, as long as the block lasts.

    What goes wrong with it ends the command with one sentence.
    """
    places = Places.existing(folder, None, store_url, needs="triage.db")
    try:
        with closing(places.store(migrate=migrate)) as store:
            yield store
    except (Stop, TriageError) as error:
        raise click.ClickException(str(error)) from error


def _with_password(url: str) -> str:
    """Return the URL of a store with the password that it refers to. Raises Invalid."""
    place, _, query = url.partition("?")
    options = dict(parse_qsl(query))
    reference = options.pop("password", None)
    if reference is None:
        return url
    scheme, _, rest = place.partition("://")
    user, at, host = rest.partition("@")
    if not at or ":" in user or not reference.startswith(("env:", "file:")):
        raise Invalid("store: write postgresql://USER@HOST/DATABASE?password=env:NAME or file:PATH")
    try:
        password = quote(secret(reference), safe="")
    except Stop as error:
        raise Invalid(f"store: {error}") from None
    return f"{scheme}://{user}:{password}@{host}" + (f"?{urlencode(options)}" if options else "")
