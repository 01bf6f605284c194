"""Which candidate a look of the learning benchmarks goes to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.learning import Run, drifting, place_of_next, replay
from triage.shares import Purpose

X, TRUTH = drifting(0, 4_000, 0)
BLOCK = 200  # a twentieth of the events; one look each


def looks_per_block(run: Run) -> npt.NDArray[np.int64]:
    return np.bincount(np.flatnonzero(~run.unasked) // BLOCK, minlength=len(X) // BLOCK)


def test_candidates_wait_unless_only_the_last_block_is_looked_at() -> None:
    waits = replay(X, TRUTH, 3, 0, feedback=False)
    last = replay(X, TRUTH, 3, 0, feedback=False, latest=True)
    assert looks_per_block(waits).max() > 1
    assert looks_per_block(last).max() == 1


def test_a_look_for_the_uncertain_goes_to_what_is_as_likely_real_as_not() -> None:
    margins = np.array([-3.0, 0.2, 2.5])
    assert place_of_next(margins, Purpose.UNCERTAIN) == 1
    assert place_of_next(margins, Purpose.WORTH) == place_of_next(margins, Purpose.AUDIT) == 2


def test_what_a_look_saw_is_told_in_the_order_of_the_looks() -> None:
    with_, without = (replay(X, TRUTH, 3, 0, feedback=on) for on in (True, False))
    assert set(without.asked) == set(np.flatnonzero(~without.unasked).tolist())
    assert len(with_.seen) == len(with_.asked) == 19  # no look in the first block
    assert with_.seen != without.seen
    one_item = without.margins[
        list(without.asked)
    ]  # never learned: as at arrival, but of newer trees
    assert np.corrcoef(one_item, without.seen)[0, 1] > 0.5
