"""Saved views of the queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Create ``views``."""
    op.create_table(
        "views",
        sa.Column("view_id", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("shared", sa.SmallInteger, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("view_id", name="pk_views"),
    )
    op.create_index("ix_views_owner", "views", ["owner"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("views")
