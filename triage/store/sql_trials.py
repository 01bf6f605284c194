"""What versions made of the records that were tried beside the one in force."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from triage.model import MemberState
from triage.store import tables as t
from triage.store.base import PartitionCommit
from triage.store.database import Database
from triage.store.sql_labels import in_force_until
from triage.store.sql_shared import SqlPart
from triage.trial import Trial

COUNTED = (
    "events",
    "both",
    "only_live",
    "only_new",
    "dead_letters_live",
    "dead_letters_new",
    "seconds_live",
    "seconds_new",
)


class SqlTrials(SqlPart):
    """See ``trial.RolloutReads``."""

    def trial(self, stream: str, number: int) -> Trial:
        """See ``trial.RolloutReads``."""
        c = t.trials.c
        sums = [sa.func.coalesce(sa.func.sum(c[name]), 0) for name in COUNTED]
        with self._db.read() as connection:
            row = connection.execute(
                sa.select(*sums, sa.func.max(c.failed)).where(
                    c.stream == stream, c.rollout == number
                )
            ).one()
        events, both, only_live, only_new, bad_live, bad_new, live, new, failed = tuple(row)
        return Trial(
            events=int(events),
            both=int(both),
            only_live=int(only_live),
            only_new=int(only_new),
            dead_letters_live=int(bad_live),
            dead_letters_new=int(bad_new),
            seconds_live=float(live),
            seconds_new=float(new),
            failed=failed or "",
        )

    def lost(self, stream: str, number: int) -> Sequence[str]:
        """See ``trial.RolloutReads``."""
        m, n, c, j = t.missed.c, t.labels.c, t.candidates.c, t.journal.c
        began = (
            sa.select(sa.func.min(j.offset))
            .where(j.stream == c.stream, j.partition == c.partition, j.rollout == number)
            .scalar_subquery()
        )
        real = (
            n.stream == stream,
            n.y == 1.0,
            n.state == str(MemberState.READ),
            in_force_until(n),
        )
        missed = sa.select(m.candidate_id).where(m.rollout == number)
        about = sa.select(n.verdict_id).where(*real, n.candidate_id.in_(missed)).distinct()
        with self._db.read() as connection:
            rows = connection.execute(
                sa.select(n.verdict_id, m.candidate_id)
                .join(t.candidates, c.candidate_id == n.candidate_id)
                .outerjoin(t.missed, (m.candidate_id == n.candidate_id) & (m.rollout == number))
                .where(*real, n.verdict_id.in_(about), c.offset >= began)
            ).all()
        found = {verdict_id for verdict_id, missing in rows if missing is None}
        return sorted({verdict_id for verdict_id, _ in rows} - found)


def add_trial(db: Database, connection: sa.Connection, stream: str, part: PartitionCommit) -> None:
    """Add one commit's part to what is known. Only after ``Database.in_order``."""
    trial = part.trial
    if trial is None:
        return
    c = t.trials.c
    values = {name: getattr(trial, name) for name in COUNTED}
    insert = db.insert(t.trials).values(
        stream=stream,
        rollout=part.rollout,
        partition=part.partition,
        failed=trial.failed,
        **values,
    )
    more = {name: c[name] + values[name] for name in COUNTED}
    if trial.failed:
        more["failed"] = sa.literal(trial.failed)
    connection.execute(
        insert.on_conflict_do_update(index_elements=["stream", "rollout", "partition"], set_=more)
    )
    if trial.missed:
        rows = [{"rollout": part.rollout, "candidate_id": name} for name in trial.missed]
        connection.execute(db.insert(t.missed).on_conflict_do_nothing(), rows)
