"""Answers questions from the views of all streams."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from detectors.arrays import Matrix
from detectors.learning.label_model import Labels
from streaming.advisor.keeper import AdvisorStore, StreamKeeper
from streaming.advisor.view import StreamView
from streaming.advisor.what_if import what_if
from streaming.pipeline import vectors
from streaming.rules.draft import draft_rule
from triage.advisor import Advice, Drafted, DraftRule, IfDecided, WhatIf, WhatIfAnswer
from triage.errors import Invalid, NotAvailable, NotFound
from triage.labels import labels_of
from triage.queries import Queries
from triage.store.base_advisor import AskedCluster

log = logging.getLogger(__name__)

READ = 5  # members that count as read where a question names none
MOST_DRAWN = 200  # newest members that a rule is drawn around
STRONGEST = 200  # members among which the one of a question is looked for


class StoreOfAnswers(AdvisorStore, Queries, Protocol):
    """What answering needs of a store."""


class Answers:
    """Answers from what ``refresh`` saw last; the two may be called from different threads."""

    def __init__(self, store: StoreOfAnswers) -> None:
        self._store = store
        self._keepers: dict[str, StreamKeeper] = {}
        self._views: dict[str, StreamView | NotAvailable] = {}

    def refresh(self) -> None:
        """Bring the views of all streams up to date. Raises StoreUnavailable."""
        for stream in self._store.streams():
            keeper = self._keepers.setdefault(stream, StreamKeeper(self._store, stream))
            try:
                self._views[stream] = keeper.refresh()
            except NotAvailable as error:
                self._views[stream] = error

    def advise(self, question: IfDecided) -> Advice:
        """See ``triage.advisor.Advisor``."""
        asked = self._asked(question.cluster_id)
        view = self._view(asked.stream)
        read = tuple(question.read) or tuple(asked.members[:READ])
        if strangers := set(read).difference(asked.members):
            raise Invalid(f"read: not in this cluster: {', '.join(sorted(strangers)[:3])}")
        more = labels_of(question.kind, asked.members, read, asked.policy)
        names = [label.candidate_id for label in more]
        found = self._store.vectors({*names, *read})
        usable = {
            name: one.vector
            for name, one in found.items()
            if one.features_version == view.features_version
        }
        more = tuple(
            label
            for label in more
            if label.candidate_id in usable and label.candidate_id not in view.told
        )
        trust = view.trust.get(question.actor, 1.0)
        labels = Labels(
            ids=tuple(label.candidate_id for label in more),
            X=_matrix(view, [usable[label.candidate_id] for label in more]),
            y=np.array([label.y for label in more], np.float64),
            weight=np.array([label.weight * trust for label in more], np.float64),
            times=np.array([found[label.candidate_id].event_time for label in more], np.float64),
        )
        seen = [usable[name] for name in read if name in usable]
        if not seen:
            raise NotAvailable("this cluster is of other features than the model has by now")
        advice = view.advise(question, labels, _matrix(view, seen))
        if asked.blind:
            return dataclasses.replace(advice, same=0, other=0, against=(), against_total=0)
        return advice

    def what_if(self, question: WhatIf) -> WhatIfAnswer:
        """See ``triage.advisor.Advisor``."""
        view = self._impartial(self._asked(question.cluster_id))
        members = self._store.members(question.cluster_id, 0, STRONGEST)
        wanted = question.candidate_id or members[0].candidate.candidate_id
        candidate = next(
            (one.candidate for one in members if one.candidate.candidate_id == wanted), None
        )
        if candidate is None:
            raise NotFound(f"there is no member {wanted} among the strongest of this cluster")
        partition = view.partitions.get(candidate.partition)
        if partition is None or candidate.features_version != view.features_version:
            raise NotAvailable("this event is of other features than the model has by now")
        row = _matrix(view, [candidate.vector])[0]
        return what_if(partition.model, view.features, candidate, row, question.changes)

    def draft_rule(self, question: DraftRule) -> Drafted:
        """See ``triage.advisor.Advisor``."""
        asked = self._asked(question.cluster_id)
        view = self._impartial(asked)
        found = self._store.vectors(asked.members[-MOST_DRAWN:])
        members = [
            one.vector for one in found.values() if one.features_version == view.features_version
        ]
        if not members:
            raise NotAvailable("this cluster is of other features than the model has by now")
        return Drafted(draft_rule(view, asked.stream, question.cluster_id, _matrix(view, members)))

    def _asked(self, cluster_id: str) -> AskedCluster:
        asked = self._store.asked(cluster_id)
        if asked is None:
            raise NotFound(f"there is no cluster {cluster_id}")
        return asked

    def _impartial(self, asked: AskedCluster) -> StreamView:
        """Return the view, of an audit that waits the one before any label.

        The labels in force hold the verdict that the audit is to check.
        """
        view = self._view(asked.stream)
        return view.unlabelled() if asked.blind else view

    def _view(self, stream: str) -> StreamView:
        view = self._views.get(stream)
        if view is None:
            raise NotAvailable(f"the model of {stream} is being loaded; ask again in a moment")
        if isinstance(view, NotAvailable):
            raise NotAvailable(str(view))
        return view


def _matrix(view: StreamView, blobs: Sequence[bytes]) -> Matrix:
    return vectors(blobs, len(view.features.names))
