"""What further labels would change, worked out without a refit of those that are there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectors.base import Matrix
from detectors.learning.cells import Cells, Table
from detectors.learning.label_model import Labels, Prior, answers, bounds, cell_table
from detectors.learning.laplace import Answers, Frozen, find_mode, find_mode_with_more
from detectors.learning.leaf_kernel import Leaves, shared_leaves


class LabelPreview:
    """A fit of labels that keeps its factorisation, to answer "and with these labels too?".

    The answer is that of ``LabelModel.set_labels`` with all labels together, up to a thousandth of
    the margin. Old rows keep the curvature that they were factorised with, new ones get their own
    block: a step then costs the square of the number of rows instead of the cube, and repeating it
    leads to the same mode.

    Args:
        cells: of a forest that must not change any more.
        kappa: prior variance of the shift of one row.
        labels: those in force.
        prior: margins before any label.
        background: rows presumed normal.
    """

    def __init__(
        self, cells: Cells, kappa: float, labels: Labels, prior: Prior, background: Matrix
    ) -> None:
        self._cells, self._kappa, self._prior_of = cells, kappa, prior
        self.labels = labels.canonical()
        self._places = {name: place for place, name in enumerate(self.labels.ids)}
        rows = np.concatenate([background, self.labels.X])
        self._prior = prior(rows)
        self._rows_cells = cells.of(rows, self._prior)
        self._first_label = len(background)
        K = shared_leaves(self._rows_cells, self._rows_cells)
        self._answers = answers(self.labels, self._prior, K, kappa)
        mode = find_mode(K, self._prior, self._answers, kappa)
        self._frozen = Frozen.of(K, mode, kappa)
        # Without a label nothing is fitted, and the background alone moves nothing.
        alpha = mode.alpha if len(self.labels) else np.zeros(len(rows))
        self.table: Table = cell_table(self._rows_cells, alpha, kappa, cells.shape)

    @property
    def label_cells(self) -> Leaves:
        """The cells of the labels' rows, in the order of ``labels``."""
        return self._rows_cells[self._first_label :]

    def table_with(self, more: Labels) -> Table:
        """Return the shift per cell if these labels were in force too.

        Labels about something that has one already are combined with it (``Labels.canonical``).
        """
        more = more.canonical()
        if not len(more):
            return self.table
        weight, again = self._answers.weight.copy(), []
        for name in more.ids:
            if (place := self._places.get(name)) is not None:
                again.append(place)
                weight[self._first_label + place] = 0.0
        more = _joined(_rows(self.labels, again), more).canonical()
        more_prior = self._prior_of(more.X)
        cells = self._cells.of(more.X, more_prior)
        across, among = shared_leaves(self._rows_cells, cells), shared_leaves(cells, cells)
        prior = np.concatenate([self._prior, more_prior])
        y = np.concatenate([self._answers.y, more.y])
        weight = np.concatenate([weight, more.weight])
        K = np.block([[self._frozen.K, across], [across.T, among]])
        first = self._first_label
        bound = np.ones(len(prior))
        bound[first:] = bounds(
            y[first:], weight[first:], prior[first:], K[first:, first:], self._kappa
        )
        alpha = find_mode_with_more(self._frozen, across, among, prior, Answers(y, weight, bound))
        both = np.concatenate([self._rows_cells, cells])
        return cell_table(both, alpha, self._kappa, self._cells.shape)


def _rows(labels: Labels, places: Sequence[int]) -> Labels:
    at = np.array(places, np.intp)
    return Labels([labels.ids[i] for i in places], labels.X[at], labels.y[at], labels.weight[at])


def _joined(one: Labels, other: Labels) -> Labels:
    return Labels(
        [*one.ids, *other.ids],
        np.concatenate([one.X, other.X]),
        np.concatenate([one.y, other.y]),
        np.concatenate([one.weight, other.weight]),
    )
