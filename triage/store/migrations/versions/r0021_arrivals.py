"""Clusters as they came, and which of them were drawn for a random look."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add what was drawn; a cluster from before gets its number when it grows."""
    op.add_column("clusters", sa.Column("arrival", BIG, nullable=True))
    op.add_column("clusters", sa.Column("chance", sa.Double, nullable=True))
    op.add_column("clusters", sa.Column("drawn", sa.SmallInteger, nullable=True))
    op.create_index(
        "ix_clusters_arrival", "clusters", ["stream", "arrival", "chance", "drawn", "verdict"]
    )
    op.create_index(
        "ix_clusters_drawn",
        "clusters",
        ["arrival", "cluster_id", "stream"],
        sqlite_where=sa.text("drawn = 1 AND waiting = 1"),
        postgresql_where=sa.text("drawn = 1 AND waiting = 1"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_clusters_drawn", "clusters")
    op.drop_index("ix_clusters_arrival", "clusters")
    for name in ("drawn", "chance", "arrival"):
        op.drop_column("clusters", name)
