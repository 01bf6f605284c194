"""The model of a partition as its newest snapshot has it, under the labels in force."""

from __future__ import annotations

import numpy as np

from detectors.arrays import Matrix, Vector
from detectors.base import SnapshotError
from detectors.features.feature_set import FeatureSet
from detectors.learning.cells import Table
from detectors.learning.label_model import Labels
from detectors.learning.label_preview import LabelPreview
from detectors.learning.leaf_kernel import Leaves, leaf_sums
from detectors.model import StreamModel
from detectors.registry import build as build_detector
from detectors.state import unnest, unpack
from streaming.config.model import StreamConfig
from streaming.track import hash_of
from triage.errors import NotAvailable
from triage.store.base import SnapshotRow


class SnapshotModel:
    """Scores rows as the worker will once it has learned the labels; read only.

    Attributes:
        offset: of the snapshot. ``line``: the margin at which alerts begin under the labels.
    """

    def __init__(self, model: StreamModel, offset: int, labels: Labels) -> None:
        self.offset = offset
        self._model = model
        self._labels = labels.strongest(model.settings.max_labels).canonical()
        self._preview = LabelPreview(
            model.cells,
            model.settings.kappa,
            model.aged(self._labels),
            model.prior,
            model.presumed_normal(),
        )
        self._recent = model.cells.of(model.budget.rows, model.budget.priors)
        self.line = self.line_with(self._preview.table)

    def relabelled(self, labels: Labels) -> SnapshotModel:
        """Return the same snapshot under other labels."""
        return SnapshotModel(self._model, self.offset, labels)

    @property
    def model(self) -> StreamModel:
        """What was restored, under the labels of that time."""
        return self._model

    @property
    def table(self) -> Table:
        """The shift per cell under the labels in force."""
        return self._preview.table

    @property
    def labels(self) -> Labels:
        """The labels in force that it has taken in; their weights are those without age."""
        return self._labels

    @property
    def label_cells(self) -> Leaves:
        """The cells of ``labels``."""
        return self._preview.label_cells

    def prior(self, X: Matrix) -> Vector:
        """Return the margins of rows before any label."""
        return self._model.prior(X)

    def margins(self, X: Matrix) -> Vector:
        """Return the margins of rows under the labels in force."""
        prior = self.prior(X)
        return prior + self._model.cells.sums(X, prior, self.table)

    def cells(self, X: Matrix) -> Leaves:
        """Return the cells of rows: the more two share, the more alike they are."""
        return self._model.cells.of(X, self.prior(X))

    def table_with(self, more: Labels) -> Table:
        """Return the shift per cell if these labels were in force too."""
        return self._preview.table_with(self._model.aged(more))

    def line_with(self, table: Table) -> float:
        """Return the margin at which alerts would begin under such shifts."""
        return self._model.budget.line(leaf_sums(self._recent, table))


def restored(
    config: StreamConfig, partition: int, row: SnapshotRow, features: FeatureSet
) -> StreamModel:
    """Return the model of a snapshot.

    Raises NotAvailable if it is damaged, of another config, or from before alerts began.
    """
    where = f"{config.stream}[{partition}]"
    if hash_of(row.blob, row.beside) != row.sha256:
        raise NotAvailable(f"{where}: the newest snapshot is damaged; the next one is waited for")
    try:
        parts = unnest(unpack(row.blob))
        if parts["header"].meta.get("state") != config.state_version():
            raise NotAvailable(
                f"{where}: the newest snapshot is of another config; the next one is waited for"
            )
        detector = build_detector(config.detectors, features.names, config.seed)
        model = StreamModel(detector, config.learning_settings(), config.seed)
        model.restore(parts["model"])
    except (SnapshotError, KeyError) as error:
        raise NotAvailable(f"{where}: the newest snapshot can't be read: {error}") from error
    if model.warm_up_left:
        raise NotAvailable(f"{where}: its detector is still warming up")
    return model


def usual_units(model: StreamModel) -> Vector:
    """Return per column what counts as one step: the width of its usual range, where it has one."""
    low, high = model.usual_range()
    width: Vector = np.where(high > low, high - low, 1.0)
    return width
