"""Audited closings of members that nobody read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create ``closings`` and ``audits``; let a cluster know what it was taken out of."""
    op.add_column("streams", sa.Column("noun", sa.Text, nullable=True))
    op.add_column("clusters", sa.Column("origin", sa.Text, nullable=True))
    op.add_column(
        "clusters", sa.Column("counted", sa.SmallInteger, nullable=False, server_default="0")
    )
    op.add_column("clusters", sa.Column("pull", sa.Double, nullable=False, server_default="1"))
    _index("ix_clusters_origin", "clusters", "origin", where="origin IS NOT NULL")
    _index("ix_members_closed", "members", "stream", "cluster_id", where="state = 'closed'")
    op.create_table(
        "closings",
        sa.Column("verdict_id", sa.Text, sa.ForeignKey("verdicts.verdict_id"), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("cluster_id", sa.Text, sa.ForeignKey("clusters.cluster_id"), nullable=False),
        sa.Column("probability", sa.Double, nullable=False),
        sa.Column("members", BIG, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("verdict_id", name="pk_closings"),
    )
    op.create_index("ix_closings_stream_number", "closings", ["stream", "number"])
    op.create_table(
        "audits",
        sa.Column(
            "candidate_id", sa.Text, sa.ForeignKey("candidates.candidate_id"), nullable=False
        ),
        sa.Column("verdict_id", sa.Text, sa.ForeignKey("closings.verdict_id"), nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("cluster_id", sa.Text, sa.ForeignKey("clusters.cluster_id"), nullable=False),
        sa.Column("wrong", sa.SmallInteger, nullable=True),
        sa.PrimaryKeyConstraint("candidate_id", name="pk_audits"),
    )
    op.create_index("ix_audits_cluster_id", "audits", ["cluster_id"])
    op.create_index("ix_audits_verdict_id", "audits", ["verdict_id"])
    _index("ix_audits_waiting", "audits", "stream", "verdict_id", where="wrong IS NULL")


def downgrade() -> None:
    """Drop them; what was closed unread is propagated, as it was before."""
    op.drop_table("audits")
    op.drop_table("closings")
    op.execute("UPDATE members SET state = 'propagated' WHERE state = 'closed'")
    op.drop_index("ix_members_closed", "members")
    op.drop_index("ix_clusters_origin", "clusters")
    op.drop_column("clusters", "pull")
    op.drop_column("clusters", "counted")
    op.drop_column("clusters", "origin")
    op.drop_column("streams", "noun")


def _index(name: str, table: str, *columns: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, list(columns), sqlite_where=condition, postgresql_where=condition)
