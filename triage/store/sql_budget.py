"""The candidates of a version of a config with what was said of them."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from triage.budget_advice import Judged
from triage.drift import SCHEMA_DRIFT
from triage.model import MemberState
from triage.store import tables as t
from triage.store.sql_labels import in_force_until
from triage.store.sql_shared import SqlPart
from triage.truth import MISSED


class SqlBudget(SqlPart):
    """See ``budget_advice.BudgetReads``."""

    def judged(self, stream: str, version: str) -> Sequence[Judged]:
        """See ``budget_advice.BudgetReads``."""
        c, n = t.candidates.c, t.labels.c
        with self._db.read() as connection:
            candidates = connection.execute(
                sa.select(c.candidate_id, c.margin, c.event_time).where(
                    c.stream == stream, c.config_version == version, c.detector != SCHEMA_DRIFT
                )
            ).all()
            said = connection.execute(
                sa.select(n.candidate_id, n.y)
                .where(n.stream == stream, n.state == str(MemberState.READ), in_force_until(n))
                .order_by(n.position)
            ).all()
        real: dict[str, float] = {row.candidate_id: row.y for row in said}  # the newest counts
        return [Judged(margin, time, real.get(name)) for name, margin, time in candidates]

    def untold(self, stream: str) -> int:
        """See ``budget_advice.BudgetReads``."""
        w = t.truths.c
        with self._db.read() as connection:
            return (
                connection.scalar(
                    sa.select(sa.func.count()).where(
                        w.stream == stream,
                        w.real == 1,
                        w.joined == 0,
                        w.gone.is_(None),
                        w.source != MISSED,
                    )
                )
                or 0
            )
