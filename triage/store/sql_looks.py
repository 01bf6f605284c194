"""What the pages of detectors and metrics read: looks, configs, and what labels changed."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from triage.looks import Look
from triage.model import VerdictKind
from triage.queries import ConfigVersion, Lesson, TaughtBy
from triage.store import tables as t
from triage.store.sql_shared import STANDING


def looks(connection: sa.Connection, stream: str | None, limit: int) -> Sequence[Look]:
    """See ``queries.Queries.looks``."""
    v, c = t.verdicts.c, t.clusters.c
    decides = sa.or_(v.label_position.is_not(None), v.kind == VerdictKind.PIPELINE_FAULT)
    conditions = [v.state.in_(STANDING), v.kind != VerdictKind.UNSURE, decides]
    if stream is not None:
        conditions.append(v.stream == stream)
    rows = connection.execute(
        sa.select(
            v.verdict_id,
            v.cluster_id,
            c.title,
            v.stream,
            v.kind,
            v.actor,
            c.created_at,
            v.at,
            v.suggested,
            c.score,
            t.touches.c.at.label("touched"),
            _regrouped().label("regrouped"),
            _retaken().label("retaken"),
            c.drawn,
        )
        .join(t.clusters, c.cluster_id == v.cluster_id)
        .join(t.touches, t.touches.c.cluster_id == v.cluster_id, isouter=True)
        .where(*conditions)
        .order_by(v.number.desc())
        .limit(limit)
    ).all()
    return [
        Look(
            row.verdict_id,
            row.cluster_id,
            row.title,
            row.stream,
            VerdictKind(row.kind),
            row.actor,
            since=row.created_at,
            at=row.at,
            suggested=VerdictKind(row.suggested) if row.suggested else None,
            touched=row.touched,
            score=row.score,
            regrouped=bool(row.regrouped),
            retaken=bool(row.retaken),
            drawn=bool(row.drawn),
        )
        for row in reversed(rows)
    ]


def _regrouped() -> sa.ColumnElement[bool]:
    """Return whether members of the verdict's cluster came or went by hand."""
    r, here = t.regroupings.c, t.verdicts.c.cluster_id
    return sa.or_(  # each along its own index
        sa.exists().where(r.cluster_id == here), sa.exists().where(r.other == here)
    )


def _retaken() -> sa.ColumnElement[bool]:
    """Return whether another verdict on the cluster was taken back."""
    other = t.verdicts.alias("other").c
    here = t.verdicts.c.cluster_id
    return sa.exists().where(other.cluster_id == here, other.state.not_in(STANDING))


def configs(connection: sa.Connection, stream: str) -> Sequence[ConfigVersion]:
    """See ``queries.Queries.configs``."""
    c = t.configs.c
    rows = connection.execute(
        sa.select(c.version, c.at, c.text)
        .where(c.stream == stream)
        .order_by(c.at.desc(), c.version)
    )
    return [ConfigVersion(*row) for row in rows]


def lessons(connection: sa.Connection, stream: str, limit: int) -> Sequence[Lesson]:
    """See ``queries.Queries.lessons``."""
    one = t.learnings.c
    rows = connection.execute(
        sa.select(
            sa.func.min(one.model_before),
            one.model_after,
            sa.func.sum(one.rose),
            sa.func.sum(one.fell),
            sa.func.max(one.at),
        )
        .where(one.stream == stream)
        .group_by(one.model_after)
        .order_by(one.model_after.desc())
        .limit(limit)
    ).all()
    if not rows:
        return []
    taught = _taught(connection, stream, min(row[0] for row in rows))
    return [
        Lesson(
            model_before=before,
            model_after=after,
            rose=int(rose),
            fell=int(fell),
            at=at,
            by=[verdict for position, verdict in taught if before < position <= after],
        )
        for before, after, rose, fell, at in rows
    ]


def _taught(connection: sa.Connection, stream: str, after: int) -> list[tuple[int, TaughtBy]]:
    v, c = t.verdicts.c, t.clusters.c
    rows = connection.execute(
        sa.select(v.label_position, v.cluster_id, c.title, v.kind, v.state)
        .join(t.clusters, c.cluster_id == v.cluster_id)
        .where(v.stream == stream, v.label_position > after)
        .order_by(v.label_position)
    )
    return [
        (row[0], TaughtBy(row[1], row[2], VerdictKind(row[3]), row[4] in STANDING)) for row in rows
    ]
