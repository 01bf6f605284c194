"""How clusters of a key were decided is counted along the index alone."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Let ``ix_clusters_key`` cover the signature too."""
    op.drop_index("ix_clusters_key", "clusters")
    op.create_index("ix_clusters_key", "clusters", ["stream", "key", "verdict", "signature"])


def downgrade() -> None:
    """Let it cover the verdict last again."""
    op.drop_index("ix_clusters_key", "clusters")
    op.create_index("ix_clusters_key", "clusters", ["stream", "key", "verdict"])
