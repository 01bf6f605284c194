"""Roll-backs of an analyst's labels."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create ``rollbacks``."""
    op.create_table(
        "rollbacks",
        sa.Column("rollback_id", sa.Text, nullable=False),
        sa.Column("analyst", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("taken", sa.Text, nullable=False),
        sa.Column("undone_at", sa.Double, nullable=True),
        sa.PrimaryKeyConstraint("rollback_id", name="pk_rollbacks"),
    )
    op.create_index("ix_rollbacks_analyst", "rollbacks", ["analyst"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("rollbacks")
