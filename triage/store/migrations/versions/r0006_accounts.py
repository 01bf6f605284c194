"""Local accounts, links that set a password, tries to sign in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create ``accounts`` and ``sign_in_tries``; say of links whether they set a password."""
    op.create_table(
        "accounts",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("password", sa.Text, nullable=True),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("password_at", sa.Double, nullable=True),
        sa.Column("disabled_at", sa.Double, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_accounts"),
    )
    op.create_table(
        "sign_in_tries",
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("subject_sha256", sa.Text, nullable=False),
        sa.Column("used", sa.Double, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("scope", "subject_sha256", name="pk_sign_in_tries"),
    )
    op.create_index("ix_sign_in_tries_at", "sign_in_tries", ["at"])
    op.add_column(
        "sign_ins", sa.Column("sets_password", sa.SmallInteger, nullable=False, server_default="0")
    )
    op.create_index("ix_sign_ins_actor", "sign_ins", ["actor"])


def downgrade() -> None:
    """Drop them: people sign in by links only."""
    op.drop_index("ix_sign_ins_actor", "sign_ins")
    op.drop_column("sign_ins", "sets_password")
    op.drop_table("sign_in_tries")
    op.drop_table("accounts")
