"""The open candidates of one partition, walked down its trees once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detectors.arrays import Matrix, Vector
from detectors.learning.leaf_kernel import Leaves
from streaming.advisor.snapshot_model import SnapshotModel


@dataclass(frozen=True, slots=True)
class WaitingRows:
    """Open candidates, rows parallel.

    Attributes:
        ids: candidate ids. ``clusters``: the cluster of each.
        prior: margins before any label; ``cells``: of the model.
    """

    ids: tuple[str, ...]
    clusters: tuple[str, ...]
    X: Matrix
    prior: Vector
    cells: Leaves

    @classmethod
    def of(
        cls, model: SnapshotModel, ids: Sequence[str], clusters: Sequence[str], X: Matrix
    ) -> WaitingRows:
        """Walk all of them."""
        prior = model.prior(X)
        return cls(tuple(ids), tuple(clusters), X, prior, model.model.cells.of(X, prior))

    def now(
        self, model: SnapshotModel, clusters: Mapping[str, str], new: Sequence[str], X: Matrix
    ) -> WaitingRows:
        """Return those that wait now, walking only the ``new`` ones (vectors ``X``).

        ``clusters``: candidate -> cluster, of all that wait.
        """
        kept = [i for i, name in enumerate(self.ids) if name in clusters]
        ids = (*(self.ids[i] for i in kept), *new)
        places = np.array(kept, np.intp)
        added = WaitingRows.of(model, new, new, X)
        return WaitingRows(
            ids,
            tuple(clusters[name] for name in ids),
            np.concatenate([self.X[places], added.X]),
            np.concatenate([self.prior[places], added.prior]),
            np.concatenate([self.cells[places], added.cells]),
        )
