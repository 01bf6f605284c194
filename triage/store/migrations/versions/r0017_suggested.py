"""What the board suggested to whoever gave a verdict."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add ``verdicts.suggested``; of older verdicts nobody knows."""
    op.add_column("verdicts", sa.Column("suggested", sa.Text, nullable=True))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("verdicts", "suggested")
