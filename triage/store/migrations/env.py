"""Runs the migrations on the connection that ``migrate.migrate`` hands over."""

from __future__ import annotations

from alembic import context

from triage.store.tables_access import SCHEMA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SCHEMA,
    render_as_batch=True,
)
context.run_migrations()
