"""``triage`` without the fence: shows that the verifier would see what the fence keeps away."""

from __future__ import annotations

import dataclasses

import sqlalchemy as sa

from cli.main import main
from triage.store import sql_worker
from triage.store import tables as t
from triage.store.base import PartitionCommit

FENCED = sql_worker._move


def unfenced(
    connection: sa.Connection, stream: str, part: PartitionCommit, at: float
) -> tuple[int, bool]:
    """Move the partition's row under whatever epoch it has."""
    p = t.partitions.c
    asked = sa.select(p.epoch).where(p.stream == stream, p.partition == part.partition)
    epoch = connection.scalar(asked) or 0
    return FENCED(connection, stream, dataclasses.replace(part, epoch=epoch), at)


if __name__ == "__main__":
    sql_worker._move = unfenced
    main()
