"""Finds the source that a name means: a file by its suffix, ``-``, or a built-in one by its name.

A new built-in source is one file here with ``open_source(name, declaration)``; a new kind of file
is one file and its suffix below.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import cast

from streaming import sources
from streaming.errors import SourceInvalid
from streaming.sources._files import nearest
from streaming.sources.base import Declaration, Source

SUFFIXES = {
    ".parquet": "parquet_file",
    ".pq": "parquet_file",
    ".csv": "csv_file",
    ".tsv": "csv_file",
    ".jsonl": "json_lines_file",
    ".ndjson": "json_lines_file",
    ".json": "json_lines_file",
}
PIPE = "-"
_NOT_BUILT_IN = frozenset({"base", "registry", "stdin", *SUFFIXES.values()})


def built_in() -> tuple[str, ...]:
    """Return the names of the sources that need no file."""
    found = (module.name for module in pkgutil.iter_modules(sources.__path__))
    return tuple(sorted(n for n in found if n not in _NOT_BUILT_IN and not n.startswith("_")))


def open_source(name: str, declaration: Declaration) -> Source:
    """Open a source: a path, ``-``, or a built-in name with options (``NAME?option=value``).

    Raises SourceInvalid, with the remedy, if it is none of these or can't be read.
    """
    if name == PIPE:
        module = "stdin"
    elif name.partition("?")[0] in built_in():
        module = name.partition("?")[0]
    else:
        module = _module_of_file(name)
    opened = importlib.import_module(f"{sources.__name__}.{module}")
    return cast("Source", opened.open_source(name, declaration))


def _module_of_file(name: str) -> str:
    suffix = Path(name).suffix.lower()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if Path(name).is_dir():
        raise SourceInvalid(f"{name}: is a folder; name one file in it")
    near = nearest(name, built_in())
    hint = f'; did you mean "{near}"?' if near else f"; built in are {', '.join(built_in())}"
    raise SourceInvalid(
        f"{name}: neither a file that ends in {', '.join(SUFFIXES)}, nor '-', nor a built-in"
        f" source{hint}"
    )
