"""How many events a partition's alert limit held back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add ``partitions.held_back``; so far nothing was."""
    with op.batch_alter_table("partitions") as table:
        table.add_column(sa.Column("held_back", BIG, nullable=False, server_default="0"))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("partitions", "held_back")
