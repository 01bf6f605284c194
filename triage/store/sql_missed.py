"""Reports of missed events in the unit of work."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from triage.commands import ReportMissed
from triage.store import tables as t
from triage.store.codec import load_candidate
from triage.store.sql_events import ordinary_events
from triage.store.sql_truth import CANDIDATE_KEY, SqlTruthUnit, candidate_key, load_truth
from triage.truth import MISSED, CandidateKey, Truth

_C, _W = t.candidates.c, t.truths.c


class SqlMissedUnit(SqlTruthUnit):
    """See ``base_missed.MissedUnit``."""

    def missed_by(self, actor: str, since: float, until: float) -> Sequence[Truth]:
        """Return the reports in force that the actor gave in that time, on every stream."""
        rows = self._connection.execute(
            sa.select(t.truths)
            .where(_W.source == MISSED, _W.actor == actor, _W.at >= since, _W.at < until)
            .where(_W.gone.is_(None))
            .order_by(_W.stream, _W.position)
        ).mappings()
        return [load_truth(row) for row in rows]

    def count_missed(self, stream: str, actor: str, since: float) -> int:
        """Return how many of the actor's reports since then, about the stream, are in force."""
        in_force = sa.func.coalesce(_W.gone, -1) == -1  # so that the index of sources is taken
        counted = self._connection.scalar(
            sa.select(sa.func.count())
            .select_from(t.truths)
            .where(_W.stream == stream, _W.source == MISSED, in_force)
            .where(_W.actor == actor, _W.at >= since)
        )
        return counted or 0

    def missed_at(self, stream: str, time: float) -> Sequence[Truth]:
        """Return the reports of events of that moment, taken back ones too, by place."""
        rows = self._connection.execute(
            sa.select(t.truths)
            .where(_W.stream == stream, _W.source == MISSED, _W.time == time)
            .order_by(_W.position)
        ).mappings()
        return [load_truth(row) for row in rows]

    def truths_by_id(self, truth_ids: Sequence[str]) -> Sequence[Truth]:
        """Return these truths, taken back ones too, by place."""
        return self._truths(sa.select(t.truths), _W.truth_id, truth_ids)

    def candidates_at(self, stream: str, time: float) -> Sequence[CandidateKey]:
        """Return the stream's candidates of that moment."""
        rows = self._connection.execute(
            sa.select(*CANDIDATE_KEY)
            .where(_C.stream == stream, _C.event_time == time)
            .order_by(_C.seq)
        ).mappings()
        return [candidate_key(row) for row in rows]

    def keeps(self, command: ReportMissed) -> bool:
        """Return whether such an event is kept beside the candidate that the command names."""
        rows = self._connection.execute(
            sa.select(t.candidates).where(
                _C.stream == command.stream, _C.candidate_id == command.beside
            )
        ).mappings()
        return any(
            event.time == command.time and command.entities.items() <= event.entities.items()
            for row in rows
            for event in ordinary_events(load_candidate(row))
        )
