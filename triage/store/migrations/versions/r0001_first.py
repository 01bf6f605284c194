"""The first schema."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

APPEND_ONLY = {"audit": "", "labels": "", "outbox": "OLD.verdict_id IS NOT NULL"}
"""Rows that are never changed, and when they can't be deleted either (default: always).

Dead letters have no verdict; they may go once they are published.
"""


def upgrade() -> None:
    """Create all tables, and the triggers that keep what was written."""
    _streams()
    _clusters()
    _verdicts()
    _messages()
    _people()
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_triggers()
    else:
        _postgresql_triggers()


def _sqlite_triggers() -> None:
    for table, kept in APPEND_ONLY.items():
        refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        when = f"WHEN {kept}" if kept else ""
        op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}")
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {when} {refuse}")


def _postgresql_triggers() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table, kept in APPEND_ONLY.items():
        when = f"WHEN ({kept})" if kept else ""
        op.execute(
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}"
            f" FOR EACH ROW {when} EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
            " EXECUTE FUNCTION refuse_change()"
        )


def _table(name: str, *parts: sa.Column[Any] | sa.Constraint, **options: Any) -> None:
    keys = [part.name for part in parts if isinstance(part, sa.Column) and part.info]
    op.create_table(name, *parts, sa.PrimaryKeyConstraint(*keys, name=f"pk_{name}"), **options)


def _key(name: str, kind: Any, of: str = "") -> sa.Column[Any]:
    column = _col(name, kind, of)
    column.info["key"] = True
    return column


def _col(name: str, kind: Any, of: str = "") -> sa.Column[Any]:
    to = [sa.ForeignKey(of)] if of else []
    return sa.Column(name, kind, *to, nullable=False, autoincrement=False)


def _opt(name: str, kind: Any, of: str = "") -> sa.Column[Any]:
    column = _col(name, kind, of)
    column.nullable = True
    return column


def _index(name: str, table: str, *columns: str, where: str | None = None) -> None:
    only = None if where is None else sa.text(where)
    op.create_index(name, table, columns, sqlite_where=only, postgresql_where=only)


def _streams() -> None:
    """What workers keep."""
    _table(
        "configs",
        _key("stream", sa.Text),
        _key("version", sa.Text),
        _col("text", sa.Text),
        _col("at", sa.Double),
    )
    _table(
        "streams",
        _key("stream", sa.Text),
        _col("title", sa.Text),
        _col("config_version", sa.Text),
        _col("policy", sa.Text),
        _col("at", sa.Double),
    )
    _table(
        "partitions",
        _key("stream", sa.Text),
        _key("partition", sa.Integer),
        _col("topic_id", sa.Text),
        _col("config_version", sa.Text),
        _col("epoch", BIG),
        _col("next_offset", BIG),
        _col("label_position", BIG),
        _col("accepted", BIG),
        _col("dead_lettered", BIG),
        _col("duplicates", BIG),
        _col("late", BIG),
        _col("skipped", BIG),
        _col("candidates", BIG),
        _col("warm_up_left", BIG),
        _opt("last_event_time", sa.Double),
        _opt("committed_at", sa.Double),
    )
    _table(
        "journal",
        _key("entry", BIG),
        _col("stream", sa.Text),
        _col("partition", sa.Integer),
        _col("offset", BIG),
        _col("label_position", BIG),
    )
    _index("ix_journal_stream_partition_offset", "journal", "stream", "partition", "offset")
    _table(
        "snapshots",
        _key("stream", sa.Text),
        _key("partition", sa.Integer),
        _key("snapshot", BIG),
        _col("offset", BIG),
        _col("label_position", BIG),
        _col("sha256", sa.Text),
        _col("blob", sa.LargeBinary),
    )


def _clusters() -> None:
    """What the board shows."""
    _table(
        "candidates",
        _key("seq", BIG),
        _col("candidate_id", sa.Text),
        _col("stream", sa.Text),
        _col("partition", sa.Integer),
        _col("offset", BIG),
        _col("detector", sa.Text),
        _col("config_version", sa.Text),
        _col("features_version", sa.Text),
        _col("model_version", BIG),
        _col("event_time", sa.Double),
        _col("entity", sa.Text),
        _col("score", sa.Double),
        _col("margin", sa.Double),
        _col("posterior", sa.Double),
        _col("threshold", sa.Double),
        _col("method", sa.Text),
        _col("vector", sa.LargeBinary),
        _col("body", sa.Text),
        _col("context", sa.LargeBinary),
        sa.UniqueConstraint("candidate_id", name="uq_candidates_candidate_id"),
    )
    _index("ix_candidates_stream_entity_event_time", "candidates", "stream", "entity", "event_time")
    _index("ix_candidates_stream_event_time", "candidates", "stream", "event_time")
    _index("ix_candidates_stream_seq", "candidates", "stream", "seq")
    _table(
        "clusters",
        _key("cluster_id", sa.Text),
        _col("stream", sa.Text),
        _col("detector", sa.Text),
        _col("key", sa.Text),
        _col("signature", sa.Text),
        _col("title", sa.Text),
        _col("subtitle", sa.Text),
        _col("search", sa.Text),
        _col("status", sa.Text),
        _col("waiting", sa.SmallInteger),
        _col("revision", BIG),
        _col("worth", sa.Double),
        _col("posterior", sa.Double),
        _col("score", sa.Double),
        _col("size", BIG),
        _col("entities", BIG),
        _col("first_time", sa.Double),
        _col("last_time", sa.Double),
        _col("created_at", sa.Double),
        _col("suggested", sa.Text),
        _opt("verdict", sa.Text),
        _opt("predecessor", sa.Text),
        _col("top", sa.Text),
    )
    _index("ix_clusters_key", "clusters", "stream", "key", "verdict")
    _index("ix_clusters_largest", "clusters", "waiting", "size", "cluster_id")
    _index("ix_clusters_newest", "clusters", "waiting", "last_time", "cluster_id")
    _index("ix_clusters_search", "clusters", "search", "waiting", "status", "stream", "cluster_id")
    _index("ix_clusters_signature", "clusters", "stream", "signature", "verdict")
    _index("ix_clusters_status_worth", "clusters", "status", "worth", "cluster_id")
    _index("ix_clusters_stream_worth", "clusters", "waiting", "stream", "worth", "cluster_id")
    _index("ix_clusters_worth", "clusters", "waiting", "worth", "cluster_id")
    _table(
        "members",
        _key("candidate_id", sa.Text, "candidates.candidate_id"),
        _col("seq", BIG),
        _col("stream", sa.Text),
        _col("partition", sa.Integer),
        _opt("cluster_id", sa.Text, "clusters.cluster_id"),
        _col("posterior", sa.Double),
        _col("state", sa.Text),
        sqlite_with_rowid=False,
    )
    _index("ix_members_cluster_id", "members", "cluster_id")
    _index("ix_members_open", "members", "stream", "partition", where="state = 'open'")
    _table(
        "cluster_reasons",
        _key("cluster_id", sa.Text, "clusters.cluster_id"),
        _col("sums", sa.Text),
    )
    _table(
        "cluster_entities",
        _key("cluster_id", sa.Text, "clusters.cluster_id"),
        _key("name", sa.Text),
        _key("value", sa.Text),
        _col("members", BIG),
        sqlite_with_rowid=False,
    )
    _index("ix_cluster_entities_value", "cluster_entities", "value")


def _verdicts() -> None:
    """What people decided, and what came of it."""
    _table(
        "verdicts",
        _key("verdict_id", sa.Text),
        _col("number", BIG),
        _col("cluster_id", sa.Text, "clusters.cluster_id"),
        _col("stream", sa.Text),
        _col("kind", sa.Text),
        _col("state", sa.Text),
        _col("actor", sa.Text),
        _col("at", sa.Double),
        _col("reason", sa.Text),
        _col("scope", sa.Text),
        _opt("expires_at", sa.Double),
        _col("read_ids", sa.Text),
        _col("read", BIG),
        _col("propagated", BIG),
        _col("grace_until", sa.Double),
        _opt("label_position", BIG),
        sa.UniqueConstraint("number", name="uq_verdicts_number"),
    )
    _index("ix_verdicts_actor_kind", "verdicts", "actor", "kind")
    _index("ix_verdicts_at", "verdicts", "at")
    _index("ix_verdicts_cluster_id", "verdicts", "cluster_id")
    _index("ix_verdicts_pending", "verdicts", "grace_until", where="state = 'pending'")
    _table(
        "labels",
        _key("stream", sa.Text),
        _key("position", BIG),
        _col("verdict_id", sa.Text),
        _opt("candidate_id", sa.Text, "candidates.candidate_id"),
        _opt("y", sa.Double),
        _opt("weight", sa.Double),
        _opt("state", sa.Text),
        _col("at", sa.Double),
    )
    _index("ix_labels_retractions", "labels", "stream", "verdict_id", "position")
    _table(
        "learnings",
        _key("learning", BIG),
        _col("stream", sa.Text),
        _col("partition", sa.Integer),
        _col("model_before", BIG),
        _col("model_after", BIG),
        _col("rose", BIG),
        _col("fell", BIG),
        _col("at", sa.Double),
    )
    _index("ix_learnings_stream_model_after", "learnings", "stream", "model_after")
    _table(
        "findings",
        _key("finding_id", sa.Text),
        _key("revision", BIG),
        _col("verdict_id", sa.Text, "verdicts.verdict_id"),
        _col("kind", sa.Text),
        _col("outbox_id", BIG),
        _col("at", sa.Double),
    )
    _index("ix_findings_verdict_id", "findings", "verdict_id")
    _table(
        "audit",
        _key("seq", BIG),
        _col("at", sa.Double),
        _col("actor", sa.Text),
        _col("role", sa.Text),
        _col("action", sa.Text),
        _col("object", sa.Text),
        _col("request_id", sa.Text),
        _opt("before", sa.Text),
        _opt("after", sa.Text),
    )
    _index("ix_audit_object", "audit", "object")
    _table(
        "requests",
        _key("actor", sa.Text),
        _key("key", sa.Text),
        _col("sha256", sa.Text),
        _col("verdict_id", sa.Text),
        _col("at", sa.Double),
    )


def _messages() -> None:
    """What goes out, and what boards are told."""
    _table(
        "outbox",
        _key("outbox_id", BIG),
        _col("topic", sa.Text),
        _opt("key", sa.LargeBinary),
        _col("value", sa.LargeBinary),
        _col("headers", sa.Text),
        _opt("verdict_id", sa.Text),
        _col("not_before", sa.Double),
        _col("at", sa.Double),
    )
    _index("ix_outbox_verdict_id", "outbox", "verdict_id")
    _table(
        "pending",
        _key("outbox_id", BIG, "outbox.outbox_id"),
        _col("topic", sa.Text),
        _opt("verdict_id", sa.Text),
        _col("not_before", sa.Double),
    )
    _index("ix_pending_topic_not_before", "pending", "topic", "not_before")
    _index("ix_pending_verdict_id", "pending", "verdict_id")
    _table(
        "numbered",
        _key("topic", sa.Text),
        _key("sequence", BIG),
        _col("outbox_id", BIG, "outbox.outbox_id"),
        _col("at", sa.Double),
        sa.UniqueConstraint("outbox_id", name="uq_numbered_outbox_id"),
    )
    _table(
        "topics",
        _key("topic", sa.Text),
        _col("numbered", BIG),
        _col("published", BIG),
        _col("at", sa.Double),
    )
    _table(
        "changes",
        _key("change_id", BIG),
        _col("kind", sa.Text),
        _col("at", sa.Double),
        _col("data", sa.Text),
    )
    _table(
        "marks",
        _key("name", sa.Text),
        _col("value", BIG),
    )


def _people() -> None:
    """Who holds what, who is signed in."""
    _table(
        "leases",
        _key("name", sa.Text),
        _col("holder", sa.Text),
        _col("epoch", BIG),
        _col("expires_at", sa.Double),
    )
    _table(
        "sign_ins",
        _key("token_sha256", sa.Text),
        _col("actor", sa.Text),
        _col("role", sa.Text),
        _col("expires_at", sa.Double),
        _opt("used_at", sa.Double),
    )
    _table(
        "sessions",
        _key("token_sha256", sa.Text),
        _col("actor", sa.Text),
        _col("role", sa.Text),
        _col("started_at", sa.Double),
        _col("seen_at", sa.Double),
        _opt("ended_at", sa.Double),
    )
    _index("ix_sessions_actor", "sessions", "actor")
