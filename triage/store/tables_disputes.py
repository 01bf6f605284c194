"""The table of disputes."""

from __future__ import annotations

import sqlalchemy as sa

from triage.store.columns import Name, Words, col, key, metadata, opt

disputes = sa.Table(
    "disputes",  # a second reader disagrees with a verdict
    metadata,
    key("dispute_id", sa.Text),
    col("verdict_id", sa.Text, "verdicts.verdict_id"),
    col("cluster_id", sa.Text, "clusters.cluster_id"),
    col("kind", sa.Text),
    col("actor", Name),
    col("at", sa.Double),
    col("reason", Words),
    col("read_ids", sa.Text),
    col("state", sa.Text),
    col("settled_by", Name),
    opt("settled_at", sa.Double),
    col("answer", Words),
    sa.Index(None, "cluster_id"),
    sa.Index(
        "ix_disputes_open",
        "verdict_id",
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    ),
)
