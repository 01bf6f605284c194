"""The tables of closings and their audits."""

from __future__ import annotations

import sqlalchemy as sa

from triage.store.columns import BIG, Name, col, key, metadata, opt

closings = sa.Table(
    "closings",  # members that a dismissal left unread: closed, or what would be
    metadata,
    key("verdict_id", sa.Text, "verdicts.verdict_id"),
    col("number", BIG),  # of the verdict: their order
    col("stream", Name),
    col("cluster_id", sa.Text, "clusters.cluster_id"),
    col("probability", sa.Double),
    col("members", BIG),
    col("at", sa.Double),
    sa.Index(None, "stream", "number"),
)

audits = sa.Table(
    "audits",  # those of them that were drawn; each has a cluster of its own
    metadata,
    key("candidate_id", sa.Text, "candidates.candidate_id"),
    col("verdict_id", sa.Text, "closings.verdict_id"),
    col("stream", Name),
    col("cluster_id", sa.Text, "clusters.cluster_id"),
    opt("wrong", sa.SmallInteger),  # none: waits for its answer
    sa.Index(None, "cluster_id"),
    sa.Index(None, "verdict_id"),
    sa.Index(
        "ix_audits_waiting",
        "stream",
        "verdict_id",
        sqlite_where=sa.text("wrong IS NULL"),
        postgresql_where=sa.text("wrong IS NULL"),
    ),
)
