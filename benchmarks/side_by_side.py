"""Processes of their own for what can be measured side by side: figures, never times."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor


def side_by_side(processes: int | None = None) -> ProcessPoolExecutor:
    """Return as many fresh interpreters as there are cores, or so many."""
    return ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"))
