"""Suppressions of expected verdicts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create ``suppressions`` and what they kept out."""
    op.create_table(
        "suppressions",
        sa.Column("suppression_id", sa.Text, sa.ForeignKey("verdicts.verdict_id"), nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("cluster_id", sa.Text, sa.ForeignKey("clusters.cluster_id"), nullable=False),
        sa.Column("entities", sa.Text, nullable=False),
        sa.Column("features", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("usual", sa.Double, nullable=False),
        sa.Column("hits", BIG, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("because", sa.Text, nullable=False),
        sa.Column("ended_at", sa.Double, nullable=True),
        sa.PrimaryKeyConstraint("suppression_id", name="pk_suppressions"),
    )
    op.create_index("ix_suppressions_stream_state", "suppressions", ["stream", "state"])
    op.create_table(
        "kept_out",
        sa.Column(
            "candidate_id", sa.Text, sa.ForeignKey("candidates.candidate_id"), nullable=False
        ),
        sa.Column(
            "suppression_id",
            sa.Text,
            sa.ForeignKey("suppressions.suppression_id"),
            nullable=False,
        ),
        sa.Column("event_time", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("candidate_id", name="pk_kept_out"),
    )
    op.create_index(
        "ix_kept_out_suppression_id_event_time", "kept_out", ["suppression_id", "event_time"]
    )


def downgrade() -> None:
    """Drop them; what was kept out waits again."""
    op.drop_table("kept_out")
    op.drop_table("suppressions")
    op.execute(
        "UPDATE clusters SET status = 'open', waiting = 1 WHERE status = 'suppressed' AND size > 0"
    )
    op.execute("UPDATE clusters SET status = 'decided' WHERE status = 'suppressed'")
