"""Configs that are tried beside the one in force."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create ``trials`` and ``missed``."""
    op.create_table(
        "trials",
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("rollout", BIG, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("events", BIG, nullable=False),
        sa.Column("both", BIG, nullable=False),
        sa.Column("only_live", BIG, nullable=False),
        sa.Column("only_new", BIG, nullable=False),
        sa.Column("dead_letters_live", BIG, nullable=False),
        sa.Column("dead_letters_new", BIG, nullable=False),
        sa.Column("seconds_live", sa.Double, nullable=False),
        sa.Column("seconds_new", sa.Double, nullable=False),
        sa.Column("failed", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("stream", "rollout", "partition", name="pk_trials"),
    )
    op.create_table(
        "missed",
        sa.Column("rollout", BIG, nullable=False),
        sa.Column(
            "candidate_id", sa.Text, sa.ForeignKey("candidates.candidate_id"), nullable=False
        ),
        sa.PrimaryKeyConstraint("rollout", "candidate_id", name="pk_missed"),
    )
    op.create_index("ix_missed_candidate_id", "missed", ["candidate_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("missed")
    op.drop_table("trials")
