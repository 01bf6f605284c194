"""What several commands ask of their options."""

from __future__ import annotations

import math
import os
from pathlib import Path

import click


class Bounded(click.FloatRange):
    """A number within bounds. Click lets ``nan`` through, which no bound and no limit stops."""

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number."""
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is no number", param, ctx)
        return number


def refuse_unwritable(path: Path) -> None:
    """Refuse a file that can't be written before the work for it is done. Leaves no trace."""
    folder = path.parent
    if path.is_dir():
        raise click.UsageError(f"{path}: is a folder; name a file in it")
    if not folder.is_dir():
        raise click.UsageError(f"{path}: there is no folder {folder}; make it first")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise click.UsageError(f"{path}: may not be written; name another file")
