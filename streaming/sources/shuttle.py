"""``shuttle``: 49,097 sensor readings of a space shuttle, 7 % anomalies, bundled with river.

The Statlog (Shuttle) set of the UCI repository in the form of the ODDS benchmark; its nine sensors
have no published names. The columns are ``row``, ``f1`` to ``f9``, ``label`` and ``label_kind``.
"""

from __future__ import annotations

import csv
import gzip
import importlib.util
from pathlib import Path

from streaming.errors import SourceInvalid
from streaming.sources._files import check_columns
from streaming.sources._values import rows_of
from streaming.sources.base import Chunk, Declaration, key_path

FILE = Path("datasets", "shuttle.csv.gz")


class Shuttle:
    """The whole set, in memory (some 20 MB)."""

    name = "shuttle"
    identities = (name,)
    resumable = True

    def __init__(self, path: Path, declaration: Declaration) -> None:
        try:
            with gzip.open(path, "rt", encoding="ascii", newline="") as file:
                names, *cells = csv.reader(file)
        except (OSError, ValueError) as error:
            raise SourceInvalid(f"{path}: can't be read: {error}; install river anew") from error
        columns = [[int(cell) for cell in column] for column in zip(*cells, strict=True)]
        anomaly = columns[names.index("anomaly")]
        table: dict[str, list[int] | list[str | None]] = {"row": list(range(len(cells)))}
        table |= {n: c for n, c in zip(names, columns, strict=True) if n != "anomaly"}
        table["label"] = anomaly
        table["label_kind"] = ["anomaly" if one else None for one in anomaly]
        check_columns(Path(self.name), list(table), declaration)
        self._rows = rows_of(list(table), list(table.values()), key_path(declaration))

    def read(self, position: int, max_records: int) -> Chunk:
        """See ``Source``."""
        rows = self._rows[position : position + max_records]
        end = position + len(rows)
        return Chunk(rows, end, done=end >= len(self._rows))

    def total(self) -> int | None:
        """See ``Source``."""
        return len(self._rows)

    def close(self) -> None:
        """See ``Source``."""


def open_source(name: str, declaration: Declaration) -> Shuttle:
    """Open the set where river is installed, without importing river (which takes a second)."""
    river = importlib.util.find_spec("river")
    if river is None or river.origin is None:
        raise SourceInvalid(f"{name}: needs the package river, which is not installed")
    return Shuttle(Path(river.origin).parent / FILE, declaration)
