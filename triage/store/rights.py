"""What the service's own role may do on PostgreSQL, where another role owns the tables."""

from __future__ import annotations

from collections.abc import Iterator

from triage.store.tables import APPEND_ONLY
from triage.store.tables_access import SCHEMA

FORGETS = ("outbox",)  # dead letters go once they are published; a trigger keeps all others


def grants(role: str) -> Iterator[str]:
    """Yield the statements, for the owner to run after each migration.

    The role can neither change nor delete the audit trail, the label log and what was sent, nor
    switch off the triggers that refuse it, nor truncate or drop anything.
    """
    name = '"' + role.replace('"', '""') + '"'
    for table in SCHEMA.sorted_tables:
        rights = "SELECT, INSERT"
        if table.name not in APPEND_ONLY:
            rights += ", UPDATE, DELETE"
        elif table.name in FORGETS:
            rights += ", DELETE"
        yield f"REVOKE ALL ON {table.name} FROM {name};"
        yield f"GRANT {rights} ON {table.name} TO {name};"
    yield f"GRANT SELECT ON alembic_version TO {name};"
