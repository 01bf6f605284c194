"""What waits and how clusters were decided is kept as counts, not counted anew each time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OUTCOME = ("key", "signature", "verdict")
COUNTS = (  # table, by what, of which clusters
    ("waiting_clusters", ("stream",), "{}waiting = 1"),
    ("signature_outcomes", ("stream", "signature", "verdict"), "{}verdict IS NOT NULL"),
    ("key_outcomes", ("stream", *OUTCOME), "{}verdict IS NOT NULL"),
)
WATCHED = ("stream", *OUTCOME, "waiting")


def upgrade() -> None:
    """Create the tables, count what is there, and let triggers count on."""
    clusters = sa.table("clusters", *(sa.column(name) for name in WATCHED))
    for name, by, which in COUNTS:
        table = op.create_table(
            name,
            *[sa.Column(each, sa.Text, nullable=False) for each in by],
            sa.Column("clusters", BIG, nullable=False),
            sa.PrimaryKeyConstraint(*by, name=f"pk_{name}"),
            sqlite_with_rowid=False,
        )
        columns = [clusters.c[each] for each in by]
        counted = sa.select(*columns, sa.func.count()).where(sa.text(which.format("")))
        op.execute(table.insert().from_select([*by, "clusters"], counted.group_by(*columns)))
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_triggers()
    else:
        _postgresql_triggers()


def _count(row: str, number: int) -> str:
    """Return the statements that add ``number`` to the counts that a row belongs to."""
    return " ".join(
        f"INSERT INTO {table} ({', '.join(by)}, clusters)"
        f" SELECT {', '.join(f'{row}.{name}' for name in by)}, {number}"
        f" WHERE {which.format(f'{row}.')}"
        f" ON CONFLICT ({', '.join(by)})"
        f" DO UPDATE SET clusters = {table}.clusters + excluded.clusters;"
        for table, by, which in COUNTS
    )


def _sqlite_triggers() -> None:
    changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in WATCHED)
    update = f"UPDATE OF {', '.join(WATCHED)} ON clusters WHEN {changed}"
    for name, event, work in (
        ("insert", "INSERT ON clusters", _count("NEW", 1)),
        ("delete", "DELETE ON clusters", _count("OLD", -1)),
        ("update", update, f"{_count('OLD', -1)} {_count('NEW', 1)}"),
    ):
        op.execute(f"CREATE TRIGGER clusters_count_{name} AFTER {event} BEGIN {work} END")


def _postgresql_triggers() -> None:
    changed = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in WATCHED)
    op.execute(
        "CREATE FUNCTION count_clusters() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF TG_OP <> 'INSERT' THEN {_count('OLD', -1)} END IF;"
        f" IF TG_OP <> 'DELETE' THEN {_count('NEW', 1)} END IF;"
        " RETURN NULL; END $$"
    )
    for name, event, when in (
        ("row", "INSERT OR DELETE", ""),
        ("update", f"UPDATE OF {', '.join(WATCHED)}", f"WHEN ({changed})"),
    ):
        op.execute(
            f"CREATE TRIGGER clusters_count_{name} AFTER {event} ON clusters"
            f" FOR EACH ROW {when} EXECUTE FUNCTION count_clusters()"
        )


def downgrade() -> None:
    """Drop them: they are counted anew when the schema comes back."""
    if op.get_bind().dialect.name == "sqlite":
        for name in ("insert", "delete", "update"):
            op.execute(f"DROP TRIGGER clusters_count_{name}")
    else:
        for name in ("row", "update"):
            op.execute(f"DROP TRIGGER clusters_count_{name} ON clusters")
        op.execute("DROP FUNCTION count_clusters()")
    for table, _, _ in COUNTS:
        op.drop_table(table)
