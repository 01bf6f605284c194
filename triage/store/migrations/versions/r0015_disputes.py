"""Verdicts that a second reader disagrees with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Create ``disputes``."""
    op.create_table(
        "disputes",
        sa.Column("dispute_id", sa.Text, nullable=False),
        sa.Column("verdict_id", sa.Text, sa.ForeignKey("verdicts.verdict_id"), nullable=False),
        sa.Column("cluster_id", sa.Text, sa.ForeignKey("clusters.cluster_id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("read_ids", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("settled_by", sa.Text, nullable=False),
        sa.Column("settled_at", sa.Double, nullable=True),
        sa.Column("answer", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("dispute_id", name="pk_disputes"),
    )
    op.create_index("ix_disputes_cluster_id", "disputes", ["cluster_id"])
    op.create_index(
        "ix_disputes_open",
        "disputes",
        ["verdict_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    """Drop them; what they asked for is not done."""
    op.drop_table("disputes")
