"""The tables, for SQLite and PostgreSQL alike.

Rows that are written once (candidates, labels, outbox, audit) stand apart from the narrow rows that
change often (members, verdicts), so that a new posterior rewrites few bytes.

Long, as what refers to each other stands together; what stands for itself is in ``tables_...``.
"""

from __future__ import annotations

import sqlalchemy as sa

from triage.store.columns import BIG, Name, Words, col, key, metadata, opt
from triage.store.tables_closing import audits, closings
from triage.store.tables_counts import key_outcomes, signature_outcomes, waiting_clusters
from triage.store.tables_disputes import disputes

__all__ = [
    "audits",
    "closings",
    "disputes",
    "key_outcomes",
    "metadata",
    "signature_outcomes",
    "waiting_clusters",
]

configs = sa.Table(
    "configs",
    metadata,
    key("stream", Name),
    key("version", sa.Text),
    col("text", Words),
    col("at", sa.Double),
)

rollouts = sa.Table(
    "rollouts",  # what was in force, entry by entry; see triage/rollout.py
    metadata,
    key("stream", Name),
    key("number", BIG),
    col("kind", sa.Text),
    col("version", sa.Text),
    col("beside", sa.Text),
    col("stage", sa.Text),
    col("previous", BIG),
    col("author", Name),
    col("reason", Words),
    col("at", sa.Double),
)

retained = sa.Table(
    "retained",  # states of versions that were replaced, to go back to
    metadata,
    key("stream", Name),
    key("partition", sa.Integer),
    key("rollout", BIG),
    col("state_version", sa.Text),
    col("offset", BIG),
    col("label_position", BIG),
    col("sha256", sa.Text),
    col("blob", sa.LargeBinary),
)

trials = sa.Table(
    "trials",  # what a version made of the records that was tried beside the one in force
    metadata,
    key("stream", Name),
    key("rollout", BIG),
    key("partition", sa.Integer),
    col("events", BIG),
    col("both", BIG),
    col("only_live", BIG),
    col("only_new", BIG),
    col("dead_letters_live", BIG),
    col("dead_letters_new", BIG),
    col("seconds_live", sa.Double),
    col("seconds_new", sa.Double),
    col("failed", Words),
)

missed = sa.Table(
    "missed",  # candidates that a tried version did not find
    metadata,
    key("rollout", BIG),
    key("candidate_id", sa.Text, "candidates.candidate_id"),
    sa.Index(None, "candidate_id"),
)

drifts = sa.Table(
    "drifts",  # fields that no longer come as they used to
    metadata,
    key("stream", Name),
    key("partition", sa.Integer),
    key("field", Name),
    key("kind", sa.Text),
    col("detail", Words),
    col("since", BIG),
)

streams = sa.Table(
    "streams",
    metadata,
    key("stream", Name),
    col("title", Words),
    col("config_version", sa.Text),
    col("policy", sa.Text),
    opt("noun", Words),  # what its events are called (``titles.Noun``)
    col("at", sa.Double),
)

partitions = sa.Table(
    "partitions",
    metadata,
    key("stream", Name),
    key("partition", sa.Integer),
    col("topic_id", sa.Text),
    col("config_version", sa.Text),
    col("rollout", BIG),
    col("epoch", BIG),
    col("next_offset", BIG),
    col("label_position", BIG),
    col("accepted", BIG),
    col("dead_lettered", BIG),
    col("duplicates", BIG),
    col("late", BIG),
    col("skipped", BIG),
    col("candidates", BIG),
    col("held_back", BIG),
    col("warm_up_left", BIG),
    opt("last_event_time", sa.Double),
    opt("committed_at", sa.Double),
    opt("delay", sa.Double),
)

lags = sa.Table(
    "lags",  # how far partitions are behind their log, as their workers told last
    metadata,
    key("stream", Name),
    key("partition", sa.Integer),
    col("records", BIG),
    opt("seconds", sa.Double),
    col("at", sa.Double),
)

journal = sa.Table(
    "journal",
    metadata,
    key("entry", BIG),
    col("stream", Name),
    col("partition", sa.Integer),
    col("offset", BIG),
    col("label_position", BIG),
    col("rollout", BIG),
    opt("since", BIG),
    opt("base", BIG),
    sa.Index(None, "stream", "partition", "offset"),
)

snapshots = sa.Table(
    "snapshots",
    metadata,
    key("stream", Name),
    key("partition", sa.Integer),
    key("snapshot", BIG),
    col("offset", BIG),
    col("label_position", BIG),
    col("sha256", sa.Text),
    col("blob", sa.LargeBinary),
    col("rollout", BIG),
    opt("beside", sa.LargeBinary),
)

candidates = sa.Table(
    "candidates",
    metadata,
    key("seq", BIG),
    col("candidate_id", sa.Text),
    col("stream", Name),
    col("partition", sa.Integer),
    col("offset", BIG),
    col("detector", Name),
    col("config_version", sa.Text),
    col("features_version", sa.Text),
    col("model_version", BIG),
    opt("event_id", Name),
    col("event_time", sa.Double),
    col("entity", Name),
    col("score", sa.Double),
    col("margin", sa.Double),
    col("posterior", sa.Double),
    col("threshold", sa.Double),
    col("method", Words),
    col("vector", sa.LargeBinary),
    col("body", sa.Text),
    col("context", sa.LargeBinary),
    sa.UniqueConstraint("candidate_id"),
    sa.Index(None, "stream", "seq"),
    sa.Index(None, "stream", "event_time"),
    sa.Index(None, "stream", "entity", "event_time"),
    sa.Index(None, "stream", "event_id"),
)

members = sa.Table(
    "members",
    metadata,
    key("candidate_id", sa.Text, "candidates.candidate_id"),
    col("seq", BIG),
    col("stream", Name),
    col("partition", sa.Integer),
    opt("cluster_id", sa.Text, "clusters.cluster_id"),
    col("posterior", sa.Double),
    col("state", sa.Text),
    sa.Index(None, "cluster_id"),
    sa.Index(
        "ix_members_open",
        "stream",
        "partition",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    ),
    sa.Index(
        "ix_members_closed",
        "stream",
        "cluster_id",
        sqlite_where=sa.text("state = 'closed'"),
        postgresql_where=sa.text("state = 'closed'"),
    ),
    sqlite_with_rowid=False,
)

clusters = sa.Table(
    "clusters",
    metadata,
    key("cluster_id", sa.Text),
    col("stream", Name),
    col("detector", Name),
    col("key", Name),
    col("signature", Name),
    col("title", Words),
    col("subtitle", Words),
    col("search", Words),
    col("status", sa.Text),
    col("waiting", sa.SmallInteger),  # 1 where a person is awaited: open and second opinion
    col("revision", BIG),
    col("worth", sa.Double),
    col("posterior", sa.Double),
    col("score", sa.Double),  # of its strongest member
    opt("weakest", sa.Double),
    col("size", BIG),
    col("entities", BIG),
    col("first_time", sa.Double),
    col("last_time", sa.Double),
    col("created_at", sa.Double),
    col("suggested", sa.Text),
    opt("verdict", sa.Text),
    opt("predecessor", sa.Text),
    opt("origin", sa.Text),  # the verdict whose unread members these are: its rest, or an audit
    col("counted", sa.SmallInteger),  # 1: its members count among the closings already
    col("pull", sa.Double),  # worth = pull x that of the posterior; 0: an audit, has its own place
    opt("assignee", Name),
    col("top", Words),
    opt("arrival", BIG),  # its number among the stream's clusters, as the grouper made them
    opt("chance", sa.Double),  # with which it was drawn for a random look; drawn: 1 if it was
    opt("drawn", sa.SmallInteger),
    sa.Index("ix_clusters_worth", "waiting", "worth", "cluster_id"),
    sa.Index("ix_clusters_newest", "waiting", "last_time", "cluster_id"),
    sa.Index("ix_clusters_largest", "waiting", "size", "cluster_id"),
    sa.Index("ix_clusters_stream_worth", "waiting", "stream", "worth", "cluster_id"),
    sa.Index("ix_clusters_status_worth", "status", "worth", "cluster_id"),
    sa.Index("ix_clusters_search", "search", "waiting", "status", "stream", "cluster_id"),
    sa.Index("ix_clusters_signature", "stream", "signature", "verdict"),
    sa.Index("ix_clusters_key", "stream", "key", "verdict", "signature"),
    sa.Index(
        "ix_clusters_origin",
        "origin",
        sqlite_where=sa.text("origin IS NOT NULL"),
        postgresql_where=sa.text("origin IS NOT NULL"),
    ),
    sa.Index(
        "ix_clusters_assignee",
        "assignee",
        sqlite_where=sa.text("assignee IS NOT NULL"),
        postgresql_where=sa.text("assignee IS NOT NULL"),
    ),
    sa.Index("ix_clusters_arrival", "stream", "arrival", "chance", "drawn", "verdict"),
    sa.Index(
        "ix_clusters_drawn",
        "arrival",
        "cluster_id",
        "stream",
        sqlite_where=sa.text("drawn = 1 AND waiting = 1"),
        postgresql_where=sa.text("drawn = 1 AND waiting = 1"),
    ),
)

cluster_reasons = sa.Table(
    "cluster_reasons",
    metadata,
    key("cluster_id", sa.Text, "clusters.cluster_id"),
    col("sums", Words),
)

cluster_entities = sa.Table(
    "cluster_entities",
    metadata,
    key("cluster_id", sa.Text, "clusters.cluster_id"),
    key("name", Name),
    key("value", Name),
    col("members", BIG),
    sa.Index(None, "value"),
    sqlite_with_rowid=False,
)

cluster_cohorts = sa.Table(
    "cluster_cohorts",
    metadata,
    key("cluster_id", sa.Text, "clusters.cluster_id"),
    key("name", Name),
    key("value", Name),
    col("members", BIG),
    sa.Index("ix_cluster_cohorts_value", "value", "name"),
    sqlite_with_rowid=False,
)

verdicts = sa.Table(
    "verdicts",
    metadata,
    key("verdict_id", sa.Text),
    col("number", BIG),
    col("cluster_id", sa.Text, "clusters.cluster_id"),
    col("stream", Name),
    col("kind", sa.Text),
    col("state", sa.Text),
    col("actor", Name),
    col("at", sa.Double),
    col("reason", Words),
    col("scope", Words),
    opt("expires_at", sa.Double),
    col("read_ids", sa.Text),
    col("read", BIG),
    col("propagated", BIG),
    col("grace_until", sa.Double),
    opt("label_position", BIG),
    opt("suggested", sa.Text),  # to the reader, by the model
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
    key("stream", Name),
    key("position", BIG),
    col("verdict_id", sa.Text),
    opt(
        "candidate_id", sa.Text, "candidates.candidate_id"
    ),  # none: a retraction, drops all labels of the verdict (or late truth)
    opt("y", sa.Double),
    opt("weight", sa.Double),
    opt("state", sa.Text),
    col("at", sa.Double),
    sa.Index("ix_labels_retractions", "stream", "verdict_id", "position"),
    sa.Index(None, "candidate_id"),
)

WAITING = "joined = 0 AND gone IS NULL"

truths = sa.Table(
    "truths",  # late truth; its labels have its id as their verdict_id
    metadata,
    key("truth_id", sa.Text),
    col("stream", Name),
    col("source", Name),
    col("id", Name),
    col("real", sa.SmallInteger),
    opt("candidate_id", sa.Text),  # as told: there may be no such candidate yet
    opt("event_id", Name),
    opt("entities", Words),
    opt("time", sa.Double),
    col("at", sa.Double),
    col("actor", Name),
    col("position", BIG),
    opt("gone", BIG),  # label position at which it was taken back
    col("joined", BIG),  # candidates that it is about
    sa.UniqueConstraint("stream", "position"),
    sa.Index(None, "stream", "source", "id"),
    sa.Index(None, "stream", "gone"),
    *(
        sa.Index(
            f"ix_truths_waiting_{name}",
            "stream",
            name,
            sqlite_where=sa.text(WAITING),
            postgresql_where=sa.text(WAITING),
        )
        for name in ("candidate_id", "event_id", "time")
    ),
)

suppressions = sa.Table(
    "suppressions",
    metadata,
    key("suppression_id", sa.Text, "verdicts.verdict_id"),
    col("stream", Name),
    col("cluster_id", sa.Text, "clusters.cluster_id"),
    col("entities", sa.Text),
    col("features", sa.Text),
    col("at", sa.Double),
    col("expires_at", sa.Double),
    col("usual", sa.Double),
    col("hits", BIG),
    col("state", sa.Text),
    col("because", sa.Text),
    opt("ended_at", sa.Double),
    sa.Index(None, "stream", "state"),
)

kept_out = sa.Table(
    "kept_out",  # candidates that a suppression kept out of the queue
    metadata,
    key("candidate_id", sa.Text, "candidates.candidate_id"),
    col("suppression_id", sa.Text, "suppressions.suppression_id"),
    col("event_time", sa.Double),
    sa.Index(None, "suppression_id", "event_time"),
)

rollbacks = sa.Table(
    "rollbacks",
    metadata,
    key("rollback_id", sa.Text),
    col("analyst", Name),
    col("since", sa.Double),
    col("until", sa.Double),
    col("actor", Name),
    col("at", sa.Double),
    col("reason", Words),
    col("taken", sa.Text),
    opt("undone_at", sa.Double),
    sa.Index(None, "analyst"),
)

regroupings = sa.Table(
    "regroupings",  # splits and merges of clusters by hand
    metadata,
    key("number", BIG),
    col("regrouping_id", sa.Text),
    col("stream", Name),
    col("kind", sa.Text),
    col("cluster_id", sa.Text, "clusters.cluster_id"),
    col("other", sa.Text, "clusters.cluster_id"),
    col("members", sa.Text),
    col("actor", Name),
    col("at", sa.Double),
    col("reason", Words),
    sa.UniqueConstraint("regrouping_id"),
    sa.Index(None, "stream", "number"),
    sa.Index(None, "cluster_id"),
    sa.Index(None, "other"),
)

presence = sa.Table(
    "presence",  # which cluster each person looks at
    metadata,
    key("actor", Name),
    col("cluster_id", sa.Text),
    col("since", sa.Double),
    col("expires_at", sa.Double),
)

touches = sa.Table(
    "touches",  # the first person who looked at a cluster, took it or decided it
    metadata,
    key("cluster_id", sa.Text),
    col("actor", Name),
    col("at", sa.Double),
)

learnings = sa.Table(
    "learnings",
    metadata,
    key("learning", BIG),
    col("stream", Name),
    col("partition", sa.Integer),
    col("model_before", BIG),
    col("model_after", BIG),
    col("rose", BIG),
    col("fell", BIG),
    col("at", sa.Double),
    sa.Index(None, "stream", "model_after"),
)

findings = sa.Table(
    "findings",
    metadata,
    key("finding_id", sa.Text),
    key("revision", BIG),
    col("verdict_id", sa.Text, "verdicts.verdict_id"),
    col("kind", sa.Text),
    col("outbox_id", BIG),
    col("at", sa.Double),
    sa.Index(None, "verdict_id"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    key("outbox_id", BIG),
    col("topic", sa.Text),
    opt("key", sa.LargeBinary),
    col("value", sa.LargeBinary),
    col("headers", sa.Text),
    opt("verdict_id", sa.Text),
    col("not_before", sa.Double),
    col("at", sa.Double),
    sa.Index(None, "verdict_id"),
)

pending = sa.Table(
    "pending",  # outbox rows that have no number yet
    metadata,
    key("outbox_id", BIG, "outbox.outbox_id"),
    col("topic", sa.Text),
    opt("verdict_id", sa.Text),
    col("not_before", sa.Double),
    sa.Index(None, "topic", "not_before"),
    sa.Index(None, "verdict_id"),
)

numbered = sa.Table(
    "numbered",  # outbox rows that have one
    metadata,
    key("topic", sa.Text),
    key("sequence", BIG),
    col("outbox_id", BIG, "outbox.outbox_id"),
    col("at", sa.Double),
    sa.UniqueConstraint("outbox_id"),
)

topics = sa.Table(
    "topics",
    metadata,
    key("topic", sa.Text),
    col("numbered", BIG),
    col("published", BIG),
    col("at", sa.Double),
)

audit = sa.Table(
    "audit",
    metadata,
    key("seq", BIG),
    col("at", sa.Double),
    col("actor", Name),
    col("role", sa.Text),
    col("action", sa.Text),
    col("object", sa.Text),
    col("request_id", Words),
    opt("before", Words),
    opt("after", Words),
    sa.Index(None, "object"),
)

requests = sa.Table(
    "requests",
    metadata,
    key("actor", Name),
    key("key", Name),
    col("sha256", sa.Text),
    col("verdict_id", sa.Text),
    col("at", sa.Double),
)

changes = sa.Table(
    "changes",
    metadata,
    key("change_id", BIG),
    col("kind", sa.Text),
    col("at", sa.Double),
    col("data", Words),
)

marks = sa.Table("marks", metadata, key("name", Name), col("value", BIG))

leases = sa.Table(
    "leases",
    metadata,
    key("name", Name),
    col("holder", Name),
    col("epoch", BIG),
    col("expires_at", sa.Double),
)

APPEND_ONLY = ("audit", "labels", "outbox")
"""Triggers refuse UPDATE and DELETE on these (dead letters in the outbox may go once published)."""
