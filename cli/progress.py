"""The progress bar of commands that take a while: on a terminal only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tqdm import tqdm


def bar(total: int | None, unit: str, *, hidden: bool = False) -> tqdm[Any]:
    """Return a bar; ``total=None`` where nobody knows. Nothing is shown where no terminal is."""
    return tqdm(total=total, unit=unit, unit_scale=True, disable=True if hidden else None)


def follow(progress: tqdm[Any]) -> Callable[[int], None]:
    """Return what moves the bar to a number done in all."""

    def to(done: int) -> None:
        progress.update(done - progress.n)

    return to
