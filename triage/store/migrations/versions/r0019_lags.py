"""How far each partition is behind its log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create ``lags``."""
    op.create_table(
        "lags",
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("records", BIG, nullable=False),
        sa.Column("seconds", sa.Double, nullable=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("stream", "partition", name="pk_lags"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("lags")
