"""How far the scores of a cluster's members reach down."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Add ``clusters.weakest``, from the members; of a cluster without any its strongest."""
    op.add_column("clusters", sa.Column("weakest", sa.Double, nullable=True))
    op.execute(
        "UPDATE clusters SET weakest = COALESCE("
        "(SELECT MIN(candidates.score) FROM members"
        " JOIN candidates ON candidates.seq = members.seq"
        " WHERE members.cluster_id = clusters.cluster_id), score)"
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_column("clusters", "weakest")
