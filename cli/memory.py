"""What a long-running process asks of Python's garbage collector."""

from __future__ import annotations

import gc

YOUNG = 5_000  # new containers between two looks at the young ones; Python's own is 700
OLD = 50  # looks at the middle-aged between two looks at all; Python's own is 10


def spare_start() -> None:
    """Leave what the start has made, mostly modules, out of every later look.

    A look at all of it takes 60 to 70 ms, in which a board answers nobody.
    """
    gc.collect()
    gc.freeze()


def settle() -> None:
    """Leave what the start has made out of every later look, and look at all more rarely.

    A worker's records are invisible to the collector; what it would look at again and again are
    candidates that are about to be written and dropped.
    """
    spare_start()
    gc.set_threshold(YOUNG, 10, OLD)
