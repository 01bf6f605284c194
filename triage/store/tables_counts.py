"""What is counted of ``clusters``, so that no request counts a hundred thousand of them.

Triggers keep these tables (migration 0022): no statement of the program writes them.
"""

from __future__ import annotations

import sqlalchemy as sa

from triage.store.columns import BIG, Name, col, key, metadata

waiting_clusters = sa.Table(
    "waiting_clusters",  # that wait for a person
    metadata,
    key("stream", Name),
    col("clusters", BIG),
)

signature_outcomes = sa.Table(
    "signature_outcomes",  # how clusters were decided, by what makes another like them
    metadata,
    key("stream", Name),
    key("signature", Name),
    key("verdict", sa.Text),
    col("clusters", BIG),
)

key_outcomes = sa.Table(
    "key_outcomes",
    metadata,
    key("stream", Name),
    key("key", Name),
    key("signature", Name),
    key("verdict", sa.Text),
    col("clusters", BIG),
)

COUNTS = (waiting_clusters, signature_outcomes, key_outcomes)
