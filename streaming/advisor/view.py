"""What the advisor knows of a stream at one moment, and what a verdict would change of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from detectors.arrays import Matrix, Vector
from detectors.features.feature_set import FeatureSet
from detectors.learning.label_model import Labels
from detectors.learning.leaf_kernel import Leaves, leaf_sums, shared_leaves
from streaming.advisor.snapshot_model import SnapshotModel
from streaming.advisor.waiting import WaitingRows
from streaming.pipeline import sigmoid
from triage.advisor import LIKE, Advice, AlikeCluster, IfDecided
from triage.labels import TEACHES
from triage.worth import MOVED

NAMED = 50  # clusters named in an answer; the rest is counted
CONFIRMED = 0.5  # weight from which on a label is one that somebody read, or late truth
COMPARED = 20  # read members that others are compared with
MOST_CHECKED = 2_000  # candidates that are compared with what was confirmed, those that move most

Codes = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PartitionView:
    """One partition: its model, its open candidates, and the number of the cluster of each."""

    model: SnapshotModel
    waiting: WaitingRows
    codes: Codes


@dataclass(frozen=True, slots=True)
class StreamView:
    """One stream. Nothing in it changes: whoever refreshes makes another one.

    Attributes:
        clusters: ids of the open clusters; ``PartitionView.codes`` are places in it.
        labelled: candidate -> verdict (or late truth) that its label in force comes from.
        told: candidates that late truth has told of; a verdict changes nothing about them.
        trust: what an analyst's labels weigh; 1 where not named.
        position: of the label log. ``behind``: see ``Advice``.
    """

    features: FeatureSet
    features_version: str
    partitions: Mapping[int, PartitionView]
    clusters: Sequence[str]
    labelled: Mapping[str, str]
    told: frozenset[str]
    trust: Mapping[str, float]
    position: int
    left_out: int
    behind: int

    def unlabelled(self) -> StreamView:
        """Return the view as it is before any label: what was said of anything leaves no trace."""
        none = Labels.none(len(self.features.names))
        return replace(
            self,
            partitions={
                number: replace(view, model=view.model.relabelled(none))
                for number, view in self.partitions.items()
            },
            labelled={},
            told=frozenset(),
        )

    def advise(self, question: IfDecided, more: Labels, read: Matrix) -> Advice:
        """Return what a verdict would change.

        Args:
            question: what is asked.
            more: the labels that it would add.
            read: vectors of the members on the screen.
        """
        others = np.array([name != question.cluster_id for name in self.clusters], bool)
        learned_as = TEACHES.get(question.kind)
        before, after = _Clusters(len(others)), _Clusters(len(others))
        likeness, against = np.zeros(len(others)), np.zeros(len(others))
        for view in self.partitions.values():
            was, will = _margins(view, more)
            before.add(view.codes, *was)
            after.add(view.codes, *will)
            cells = view.model.cells(read[:COMPARED])
            np.maximum.at(likeness, view.codes, _likest(view.waiting.cells, cells))
            if learned_as is not None:
                step = (will[0] - was[0]) * (1.0 if learned_as else -1.0)
                towards = np.argsort(-step, kind="stable")[:MOST_CHECKED]
                opposite = _confirmed(view.model.labels, 1.0 - learned_as)
                near = _likest(view.waiting.cells[towards], view.model.label_cells[opposite])
                np.maximum.at(against, view.codes[towards], near)
        lowered = others & (before.posterior - after.posterior > MOVED)
        raised = others & (after.posterior - before.posterior > MOVED)
        against = np.where(raised if learned_as else lowered, against, 0.0)
        likeness = np.where(others, likeness, 0.0)
        same, other = self._decided_alike(read, learned_as)
        return Advice(
            open=int(np.count_nonzero(others)),
            candidates=sum(len(view.codes) for view in self.partitions.values()),
            above=int(np.count_nonzero(others & before.above)),
            lowered=int(np.count_nonzero(lowered)),
            raised=int(np.count_nonzero(raised)),
            fall=int(np.count_nonzero(others & before.above & ~after.above)),
            rise=int(np.count_nonzero(others & after.above & ~before.above)),
            against=self._named(against),
            against_total=int(np.count_nonzero(against >= LIKE)),
            same=same,
            other=other,
            alike=self._named(likeness),
            alike_total=int(np.count_nonzero(likeness >= LIKE)),
            left_out=self.left_out,
            teaches=learned_as is not None,
            labels=self.position,
            behind=self.behind,
        )

    def _named(self, likeness: Vector) -> tuple[AlikeCluster, ...]:
        """Return the first clusters that are alike enough, likest first."""
        likest = np.argsort(-likeness, kind="stable")[:NAMED]
        return tuple(
            AlikeCluster(self.clusters[i], float(likeness[i]))
            for i in likest.tolist()
            if likeness[i] >= LIKE
        )

    def _decided_alike(self, read: Matrix, learned_as: float | None) -> tuple[int, int]:
        """Count verdicts and truths on what resembles the read members: so decided, otherwise."""
        model = next(iter(self.partitions.values())).model
        labels = model.labels
        cells = model.cells(read[:COMPARED])
        alike = (_likest(model.label_cells, cells) >= LIKE) & (labels.weight >= CONFIRMED)
        said: dict[str, bool] = {}
        for i in np.flatnonzero(alike).tolist():
            group = self.labelled.get(labels.ids[i])
            if group is not None:
                said[group] = bool(labels.y[i] >= 0.5)
        if learned_as is None:
            return 0, len(said)
        same = sum(real == (learned_as >= 0.5) for real in said.values())
        return same, len(said) - same


class _Clusters:
    """The largest posterior of each cluster, and whether any member is above its line."""

    def __init__(self, count: int) -> None:
        self.posterior = np.zeros(count)
        self.above = np.zeros(count, bool)

    def add(self, codes: Codes, margins: Vector, line: float) -> None:
        """Take in one partition."""
        np.maximum.at(self.posterior, codes, sigmoid(margins))
        self.above[codes[margins >= line]] = True


def _margins(
    view: PartitionView, more: Labels
) -> tuple[tuple[Vector, float], tuple[Vector, float]]:
    """Return open candidates' margins and the alert line, now and with these labels too."""
    model, waiting = view.model, view.waiting
    was = waiting.prior + leaf_sums(waiting.cells, model.table), model.line
    if not len(more):
        return was, was
    table = model.table_with(more)
    return was, (waiting.prior + leaf_sums(waiting.cells, table), model.line_with(table))


def _likest(rows: Leaves, to: Leaves) -> Vector:
    """Return for each row its likeness to the likest of the others; 0 where there are none."""
    if not len(rows) or not len(to):
        return np.zeros(len(rows))
    likest: Vector = shared_leaves(rows, to).max(axis=1)
    return likest


def _confirmed(labels: Labels, y: float) -> Flags:
    """Return which labels are of what was read, or of late truth, and say ``y``."""
    said: Flags = (labels.y >= 0.5) == (y >= 0.5)
    return said & (labels.weight >= CONFIRMED)


def coded(clusters: Collection[str]) -> dict[str, int]:
    """Return the place of each cluster in the sorted list of them."""
    return {name: i for i, name in enumerate(sorted(clusters))}
