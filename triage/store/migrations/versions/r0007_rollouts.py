"""Roll-outs of configs, and the states that they replaced."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create ``rollouts`` and ``retained``; what was in force begins the log."""
    op.create_table(
        "rollouts",
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("beside", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("previous", BIG, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("stream", "number", name="pk_rollouts"),
    )
    op.create_table(
        "retained",
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("rollout", BIG, nullable=False),
        sa.Column("state_version", sa.Text, nullable=False),
        sa.Column("offset", BIG, nullable=False),
        sa.Column("label_position", BIG, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("blob", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("stream", "partition", "rollout", name="pk_retained"),
    )
    for table in ("partitions", "journal", "snapshots"):
        op.add_column(table, sa.Column("rollout", BIG, nullable=False, server_default="0"))
    op.add_column("journal", sa.Column("since", BIG, nullable=True))
    op.add_column("journal", sa.Column("base", BIG, nullable=True))
    op.add_column("snapshots", sa.Column("beside", sa.LargeBinary, nullable=True))
    _begin_the_logs()


def downgrade() -> None:
    """Drop them; partitions stay at the config that they last committed under."""
    op.drop_column("snapshots", "beside")
    op.drop_column("journal", "base")
    op.drop_column("journal", "since")
    for table in ("snapshots", "journal", "partitions"):
        op.drop_column(table, "rollout")
    op.drop_table("retained")
    op.drop_table("rollouts")


def _begin_the_logs() -> None:
    """The config in force comes last; partitions stand at the one they last committed under."""
    connection = op.get_bind()
    rows = connection.execute(
        sa.text(
            "SELECT c.stream, c.version, c.at FROM configs c JOIN streams s ON s.stream = c.stream "
            "ORDER BY c.stream, CASE WHEN c.version = s.config_version THEN 1 ELSE 0 END, c.at, "
            "c.version"
        )
    ).all()
    numbers: dict[str, int] = {}
    for stream, version, at in rows:
        number = numbers[stream] = numbers.get(stream, 0) + 1
        connection.execute(
            sa.text(
                "INSERT INTO rollouts (stream, number, kind, version, beside, stage, previous, "
                "author, reason, at) VALUES (:stream, :number, 'start', :version, '', 'live', "
                ":previous, '', '', :at)"
            ),
            {
                "stream": stream,
                "number": number,
                "version": version,
                "previous": number - 1,
                "at": at,
            },
        )
        for table in ("journal", "snapshots", "partitions"):
            where = "stream = :stream" if table == "partitions" else _OF_PARTITION
            also = " AND config_version = :version" if table == "partitions" else ""
            connection.execute(
                sa.text(f"UPDATE {table} SET rollout = :number WHERE {where}{also}"),  # noqa: S608
                {"stream": stream, "number": number, "version": version},
            )


_OF_PARTITION = (
    "stream = :stream AND partition IN (SELECT partition FROM partitions p "
    "WHERE p.stream = :stream AND p.config_version = :version)"
)
