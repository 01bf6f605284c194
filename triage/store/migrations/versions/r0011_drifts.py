"""Fields that no longer come as they used to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create ``drifts``."""
    op.create_table(
        "drifts",
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("since", BIG, nullable=False),
        sa.PrimaryKeyConstraint("stream", "partition", "field", "kind", name="pk_drifts"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("drifts")
