"""How old the last record of a partition was when it was committed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add ``partitions.delay``."""
    op.add_column("partitions", sa.Column("delay", sa.Double, nullable=True))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("partitions", "delay")
