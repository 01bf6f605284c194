"""Cohorts that the members of a cluster belong to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create ``cluster_cohorts``; candidates from before name none."""
    op.create_table(
        "cluster_cohorts",
        sa.Column("cluster_id", sa.Text, sa.ForeignKey("clusters.cluster_id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("members", BIG, nullable=False),
        sa.PrimaryKeyConstraint("cluster_id", "name", "value", name="pk_cluster_cohorts"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_cluster_cohorts_value", "cluster_cohorts", ["value", "name"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("cluster_cohorts")
