"""Splits, merges and assignments by hand; who looks at what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create ``regroupings`` and ``presence``; clusters have an assignee."""
    op.add_column("clusters", sa.Column("assignee", sa.Text, nullable=True))
    op.create_index(
        "ix_clusters_assignee",
        "clusters",
        ["assignee"],
        sqlite_where=sa.text("assignee IS NOT NULL"),
        postgresql_where=sa.text("assignee IS NOT NULL"),
    )
    op.create_table(
        "presence",
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("cluster_id", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("actor", name="pk_presence"),
    )
    op.create_table(
        "regroupings",
        sa.Column("number", BIG, nullable=False),
        sa.Column("regrouping_id", sa.Text, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("cluster_id", sa.Text, sa.ForeignKey("clusters.cluster_id"), nullable=False),
        sa.Column("other", sa.Text, sa.ForeignKey("clusters.cluster_id"), nullable=False),
        sa.Column("members", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_regroupings"),
        sa.UniqueConstraint("regrouping_id", name="uq_regroupings_regrouping_id"),
    )
    for columns in (["stream", "number"], ["cluster_id"], ["other"]):
        op.create_index(f"ix_regroupings_{'_'.join(columns)}", "regroupings", columns)


def downgrade() -> None:
    """Drop them; a merged cluster has no members, so it stays out of the queue."""
    op.drop_table("regroupings")
    op.drop_table("presence")
    op.drop_index("ix_clusters_assignee", "clusters")
    op.drop_column("clusters", "assignee")
    op.execute("UPDATE clusters SET status = 'suppressed' WHERE status = 'merged'")
