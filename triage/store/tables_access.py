"""The tables of who may come in: accounts, links, sessions, tokens; and what each keeps."""

from __future__ import annotations

import sqlalchemy as sa

from triage.store.columns import Name, Words, col, key, opt
from triage.store.tables import metadata

accounts = sa.Table(
    "accounts",
    metadata,
    key("name", Name),
    col("role", sa.Text),
    opt("password", sa.Text),
    col("created_at", sa.Double),
    opt("password_at", sa.Double),
    opt("disabled_at", sa.Double),
)

sign_in_tries = sa.Table(
    "sign_in_tries",
    metadata,
    key("scope", sa.Text),
    key("subject_sha256", sa.Text),
    col("used", sa.Double),  # at ``at``; tries grow again from then on
    col("at", sa.Double),
    sa.Index(None, "at"),
)

sign_ins = sa.Table(
    "sign_ins",
    metadata,
    key("token_sha256", sa.Text),
    col("actor", Name),
    col("role", sa.Text),
    col("expires_at", sa.Double),
    opt("used_at", sa.Double),
    sa.Column("sets_password", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Index(None, "actor"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    key("token_sha256", sa.Text),
    col("actor", Name),
    col("role", sa.Text),
    col("started_at", sa.Double),
    col("seen_at", sa.Double),
    opt("ended_at", sa.Double),
    sa.Index(None, "actor"),
)

api_tokens = sa.Table(
    "api_tokens",
    metadata,
    key("token_sha256", sa.Text),
    col("name", Name),
    col("role", sa.Text),
    col("created_at", sa.Double),
    col("expires_at", sa.Double),
    opt("used_at", sa.Double),
    opt("revoked_at", sa.Double),
    sa.Index(None, "name"),
)

views = sa.Table(
    "views",  # saved filters of the queue
    metadata,
    key("view_id", sa.Text),
    col("owner", Name),
    col("name", Words),
    col("address", Words),
    col("shared", sa.SmallInteger),
    col("at", sa.Double),
    sa.Index(None, "owner"),
)

SCHEMA = metadata
"""All tables: those of ``tables`` and these."""
