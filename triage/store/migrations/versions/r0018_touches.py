"""When a person who may decide had a cluster before the eyes for the first time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Create ``touches``; of clusters from before nobody knows."""
    op.create_table(
        "touches",
        sa.Column("cluster_id", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("cluster_id", name="pk_touches"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("touches")
