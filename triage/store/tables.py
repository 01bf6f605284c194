"""The tables, for SQLite and PostgreSQL alike.

Rows that are written once (candidates, labels, outbox, audit) stand apart from the narrow rows that
change often (members, verdicts), so that a new posterior rewrites few bytes.
"""

from __future__ import annotations

import hashlib
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

MAX_NAME = 200  # characters; PostgreSQL's index entries hold 2,704 bytes
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # an INTEGER key is SQLite's rowid


class Words(sa.types.TypeDecorator[str]):
    """Text from outside. PostgreSQL refuses NUL, both refuse lone surrogates: shown as U+FFFD.

    Only for looking up and showing; the exact text stands in the candidate's body.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Return a text that both databases take."""
        if value is None:
            return None
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


class Name(Words):
    """Text from outside that is looked up: a long one is cut, its end is a hash of the rest."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Return a text that fits into an index."""
        text = super().process_bind_param(value, dialect)
        if text is None or len(text) <= MAX_NAME:
            return text
        return text[: MAX_NAME - 17] + "~" + hashlib.sha256(text.encode()).hexdigest()[:16]


def _key(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _col(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _opt(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


configs = sa.Table(
    "configs",
    metadata,
    _key("stream", Name),
    _key("version", sa.Text),
    _col("text", Words),
    _col("at", sa.Double),
)

streams = sa.Table(
    "streams",
    metadata,
    _key("stream", Name),
    _col("title", Words),
    _col("config_version", sa.Text),
    _col("policy", sa.Text),
    _col("at", sa.Double),
)

partitions = sa.Table(
    "partitions",
    metadata,
    _key("stream", Name),
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

journal = sa.Table(
    "journal",
    metadata,
    _key("entry", BIG),
    _col("stream", Name),
    _col("partition", sa.Integer),
    _col("offset", BIG),
    _col("label_position", BIG),
    sa.Index(None, "stream", "partition", "offset"),
)

snapshots = sa.Table(
    "snapshots",
    metadata,
    _key("stream", Name),
    _key("partition", sa.Integer),
    _key("snapshot", BIG),
    _col("offset", BIG),
    _col("label_position", BIG),
    _col("sha256", sa.Text),
    _col("blob", sa.LargeBinary),
)

candidates = sa.Table(
    "candidates",
    metadata,
    _key("seq", BIG),
    _col("candidate_id", sa.Text),
    _col("stream", Name),
    _col("partition", sa.Integer),
    _col("offset", BIG),
    _col("detector", Name),
    _col("config_version", sa.Text),
    _col("features_version", sa.Text),
    _col("model_version", BIG),
    _col("event_time", sa.Double),
    _col("entity", Name),
    _col("score", sa.Double),
    _col("margin", sa.Double),
    _col("posterior", sa.Double),
    _col("threshold", sa.Double),
    _col("method", Words),
    _col("vector", sa.LargeBinary),
    _col("body", sa.Text),
    _col("context", sa.LargeBinary),
    sa.UniqueConstraint("candidate_id"),
    sa.Index(None, "stream", "seq"),
    sa.Index(None, "stream", "event_time"),
    sa.Index(None, "stream", "entity", "event_time"),
)

members = sa.Table(
    "members",
    metadata,
    _key("candidate_id", sa.Text),
    _col("seq", BIG),
    _col("stream", Name),
    _col("partition", sa.Integer),
    _opt("cluster_id", sa.Text),
    _col("posterior", sa.Double),
    _col("state", sa.Text),
    sa.Index(None, "cluster_id"),
    sa.Index(
        "ix_members_open",
        "stream",
        "partition",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    ),
    sqlite_with_rowid=False,
)

clusters = sa.Table(
    "clusters",
    metadata,
    _key("cluster_id", sa.Text),
    _col("stream", Name),
    _col("detector", Name),
    _col("key", Name),
    _col("signature", Name),
    _col("title", Words),
    _col("subtitle", Words),
    _col("search", Words),
    _col("status", sa.Text),
    _col("waiting", sa.SmallInteger),  # 1 unless decided: one index serves open and second opinion
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
    _col("top", Words),
    sa.Index("ix_clusters_worth", "waiting", "worth", "cluster_id"),
    sa.Index("ix_clusters_newest", "waiting", "last_time", "cluster_id"),
    sa.Index("ix_clusters_largest", "waiting", "size", "cluster_id"),
    sa.Index("ix_clusters_stream_worth", "waiting", "stream", "worth", "cluster_id"),
    sa.Index("ix_clusters_status_worth", "status", "worth", "cluster_id"),
    sa.Index("ix_clusters_search", "search", "waiting", "status", "stream", "cluster_id"),
    sa.Index("ix_clusters_signature", "stream", "signature", "verdict"),
    sa.Index("ix_clusters_key", "stream", "key", "verdict"),
)

cluster_reasons = sa.Table(
    "cluster_reasons",
    metadata,
    _key("cluster_id", sa.Text),
    _col("sums", Words),
)

cluster_entities = sa.Table(
    "cluster_entities",
    metadata,
    _key("cluster_id", sa.Text),
    _key("name", Name),
    _key("value", Name),
    _col("members", BIG),
    sa.Index(None, "value"),
    sqlite_with_rowid=False,
)

verdicts = sa.Table(
    "verdicts",
    metadata,
    _key("verdict_id", sa.Text),
    _col("number", BIG),
    _col("cluster_id", sa.Text),
    _col("stream", Name),
    _col("kind", sa.Text),
    _col("state", sa.Text),
    _col("actor", Name),
    _col("at", sa.Double),
    _col("reason", Words),
    _col("scope", Words),
    _opt("expires_at", sa.Double),
    _col("read_ids", sa.Text),
    _col("read", BIG),
    _col("propagated", BIG),
    _col("grace_until", sa.Double),
    _opt("label_position", BIG),
    sa.UniqueConstraint("number"),
    sa.Index(None, "cluster_id"),
    sa.Index(None, "actor", "kind"),
    sa.Index(None, "at"),
    sa.Index(
        "ix_verdicts_pending",
        "grace_until",
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    ),
)

labels = sa.Table(
    "labels",
    metadata,
    _key("stream", Name),
    _key("position", BIG),
    _col("verdict_id", sa.Text),
    _opt("candidate_id", sa.Text),  # none: a retraction, drops all labels of the verdict
    _opt("y", sa.Double),
    _opt("weight", sa.Double),
    _opt("state", sa.Text),
    _col("at", sa.Double),
    sa.Index("ix_labels_retractions", "stream", "verdict_id", "position"),
)

learnings = sa.Table(
    "learnings",
    metadata,
    _key("learning", BIG),
    _col("stream", Name),
    _col("partition", sa.Integer),
    _col("model_before", BIG),
    _col("model_after", BIG),
    _col("rose", BIG),
    _col("fell", BIG),
    _col("at", sa.Double),
    sa.Index(None, "stream", "model_after"),
)

findings = sa.Table(
    "findings",
    metadata,
    _key("finding_id", sa.Text),
    _key("revision", BIG),
    _col("verdict_id", sa.Text),
    _col("kind", sa.Text),
    _col("outbox_id", BIG),
    _col("at", sa.Double),
    sa.Index(None, "verdict_id"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    _key("outbox_id", BIG),
    _col("topic", sa.Text),
    _opt("key", sa.LargeBinary),
    _col("value", sa.LargeBinary),
    _col("headers", sa.Text),
    _opt("verdict_id", sa.Text),
    _col("not_before", sa.Double),
    _col("at", sa.Double),
    sa.Index(None, "verdict_id"),
)

pending = sa.Table(
    "pending",  # outbox rows that have no number yet
    metadata,
    _key("outbox_id", BIG),
    _col("topic", sa.Text),
    _opt("verdict_id", sa.Text),
    _col("not_before", sa.Double),
    sa.Index(None, "topic", "not_before"),
    sa.Index(None, "verdict_id"),
)

numbered = sa.Table(
    "numbered",  # outbox rows that have one
    metadata,
    _key("topic", sa.Text),
    _key("sequence", BIG),
    _col("outbox_id", BIG),
    _col("at", sa.Double),
    sa.UniqueConstraint("outbox_id"),
)

topics = sa.Table(
    "topics",
    metadata,
    _key("topic", sa.Text),
    _col("numbered", BIG),
    _col("published", BIG),
    _col("at", sa.Double),
)

audit = sa.Table(
    "audit",
    metadata,
    _key("seq", BIG),
    _col("at", sa.Double),
    _col("actor", Name),
    _col("role", sa.Text),
    _col("action", sa.Text),
    _col("object", sa.Text),
    _col("request_id", Words),
    _opt("before", Words),
    _opt("after", Words),
    sa.Index(None, "object"),
)

requests = sa.Table(
    "requests",
    metadata,
    _key("actor", Name),
    _key("key", Name),
    _col("sha256", sa.Text),
    _col("verdict_id", sa.Text),
    _col("at", sa.Double),
)

changes = sa.Table(
    "changes",
    metadata,
    _key("change_id", BIG),
    _col("kind", sa.Text),
    _col("at", sa.Double),
    _col("data", Words),
)

marks = sa.Table("marks", metadata, _key("name", Name), _col("value", BIG))

leases = sa.Table(
    "leases",
    metadata,
    _key("name", Name),
    _col("holder", Name),
    _col("epoch", BIG),
    _col("expires_at", sa.Double),
)

sign_ins = sa.Table(
    "sign_ins",
    metadata,
    _key("token_sha256", sa.Text),
    _col("actor", Name),
    _col("role", sa.Text),
    _col("expires_at", sa.Double),
    _opt("used_at", sa.Double),
)

sessions = sa.Table(
    "sessions",
    metadata,
    _key("token_sha256", sa.Text),
    _col("actor", Name),
    _col("role", sa.Text),
    _col("started_at", sa.Double),
    _col("seen_at", sa.Double),
    _opt("ended_at", sa.Double),
    sa.Index(None, "actor"),
)

APPEND_ONLY = ("audit", "labels", "outbox")
"""Triggers refuse UPDATE and DELETE on these (dead letters in the outbox may go once published)."""
