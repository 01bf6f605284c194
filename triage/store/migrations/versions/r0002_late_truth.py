"""Late truth."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from triage.store.columns import Name

revision = "0002"
down_revision = "0001"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CHUNK = 1_000

candidates = sa.table(
    "candidates",
    sa.column("seq", BIG),
    sa.column("body", sa.Text),
    sa.column("event_id", Name),
)


def upgrade() -> None:
    """Create ``truths``; let candidates be found by their event id, labels by their candidate."""
    op.add_column("candidates", sa.Column("event_id", sa.Text, nullable=True))
    _fill_event_ids(op.get_bind())
    op.create_index("ix_candidates_stream_event_id", "candidates", ["stream", "event_id"])
    op.create_index("ix_labels_candidate_id", "labels", ["candidate_id"])
    op.create_table(
        "truths",
        sa.Column("truth_id", sa.Text, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("real", sa.SmallInteger, nullable=False),
        sa.Column("candidate_id", sa.Text, nullable=True),
        sa.Column("event_id", sa.Text, nullable=True),
        sa.Column("entities", sa.Text, nullable=True),
        sa.Column("time", sa.Double, nullable=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("position", BIG, nullable=False),
        sa.Column("gone", BIG, nullable=True),
        sa.Column("joined", BIG, nullable=False),
        sa.PrimaryKeyConstraint("truth_id", name="pk_truths"),
        sa.UniqueConstraint("stream", "position", name="uq_truths_stream_position"),
    )
    op.create_index("ix_truths_stream_source_id", "truths", ["stream", "source", "id"])
    op.create_index("ix_truths_stream_gone", "truths", ["stream", "gone"])
    waiting = sa.text("joined = 0 AND gone IS NULL")
    for name in ("candidate_id", "event_id", "time"):
        op.create_index(
            f"ix_truths_waiting_{name}",
            "truths",
            ["stream", name],
            sqlite_where=waiting,
            postgresql_where=waiting,
        )


def downgrade() -> None:
    """Drop them; late truth stays in the label log."""
    op.drop_table("truths")
    op.drop_index("ix_labels_candidate_id", "labels")
    op.drop_index("ix_candidates_stream_event_id", "candidates")
    op.drop_column("candidates", "event_id")


def _fill_event_ids(connection: sa.Connection) -> None:
    """Take them out of the bodies, in JSON's own terms: an id is anybody's text."""
    c, seq = candidates.c, 0
    while rows := connection.execute(
        sa.select(c.seq, c.body).where(c.seq > seq).order_by(c.seq).limit(CHUNK)
    ).all():
        seq = rows[-1][0]
        known = [{"at": row[0], "value": json.loads(row[1])["event_id"]} for row in rows]
        connection.execute(
            candidates.update()
            .where(c.seq == sa.bindparam("at"))
            .values(event_id=sa.bindparam("value")),
            known,
        )
