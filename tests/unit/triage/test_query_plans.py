"""How SQLite answers the board's questions: along the right index, and each thing asked once.

It keeps no statistics, so the store says which index fits; a wrong one reads the whole queue.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.seed import seed_store
from triage.model import ClusterStatus
from triage.queries import QueueFilter
from triage.store import tables as t
from triage.store.database import Database
from triage.store.sql_queries import SqlQueries
from triage.store.store import open_store

SHARED = ("verdict_id", "number", "stream", "cluster_id")  # by a verdict and its closing


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path_factory.mktemp('plans') / 'store.db'}"
    with closing(open_store(url)) as store:
        seed_store(store, 100)
    with closing(Database(url)) as database:
        with database.write() as connection:
            _draw_audits(connection, 40)
        yield database


def _draw_audits(connection: sa.Connection, number: int) -> None:
    """Let so many open clusters be audits of one verdict."""
    v, c, m = t.verdicts.c, t.clusters.c, t.members.c
    unclosed = v.verdict_id.not_in(sa.select(t.closings.c.verdict_id))
    verdict = connection.execute(sa.select(t.verdicts).where(unclosed)).mappings().all()[0]
    of = {name: verdict[name] for name in SHARED}
    connection.execute(t.closings.insert().values(**of, probability=0.1, members=number, at=0.0))
    drawn = (
        sa.select(sa.func.min(m.candidate_id), sa.literal(of["verdict_id"]), c.stream, c.cluster_id)
        .join(t.members, m.cluster_id == c.cluster_id)
        .where(c.waiting == 1, m.candidate_id.not_in(sa.select(t.audits.c.candidate_id)))
        .group_by(c.cluster_id)
        .limit(number)
    )
    names = ["candidate_id", "verdict_id", "stream", "cluster_id"]
    connection.execute(t.audits.insert().from_select(names, drawn))


@contextmanager
def plans(database: Database) -> Iterator[list[str]]:
    """Collect the statements of the block, each with its plan behind it."""
    asked: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    found: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", note)
    with database.read() as connection:
        for statement, parameters in asked:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found.append(f"{statement}\n" + "\n".join(row[3] for row in rows))


def only(found: list[str], *words: str) -> str:
    (one,) = (plan for plan in found if all(word in plan for word in words))
    return one.partition("\nSEARCH")[2] or one


def test_counting_what_is_decided_reads_no_cluster(database: Database) -> None:
    with plans(database) as found:
        SqlQueries(database).queue(QueueFilter(status=ClusterStatus.DECIDED), 0, 10)
    assert "COVERING INDEX ix_clusters_status_worth" in only(found, "SELECT count(*)")


def test_audits_are_read_by_their_ids(database: Database) -> None:
    with plans(database) as found:
        SqlQueries(database).queue(QueueFilter(viewer="anna"), 0, 10)
    plan = only(found, "SELECT clusters.cluster_id, clusters.worth \nFROM clusters", "json_each")
    assert plan.startswith(" clusters USING INDEX sqlite_autoindex_clusters_1"), plan


@pytest.mark.parametrize("stream", [None, "payments"])
def test_clusters_drawn_for_a_look_are_read_along_their_own_index(
    database: Database, stream: str | None
) -> None:
    with plans(database) as found:
        SqlQueries(database).queue(QueueFilter(viewer="anna", stream=stream), 0, 10)
    plan = only(found, "clusters.drawn = 1")
    assert "USING INDEX ix_clusters_drawn" in plan
    assert "TEMP B-TREE" not in plan


def test_the_policy_of_a_stream_is_read_once(database: Database) -> None:
    queries = SqlQueries(database)
    newest = queries.queue(QueueFilter(order="largest"), 0, 1).rows[0]
    with plans(database) as found:
        events = queries.entity_events(newest.cluster_id, 400)
    assert len([event for event in events if event.candidate_id]) > 1
    assert len([plan for plan in found if "streams.policy" in plan]) == 1


@pytest.mark.parametrize("viewer", [None, "anna", "ben", "who gave no verdict"])
@pytest.mark.parametrize(
    "where",
    [
        QueueFilter(),
        QueueFilter(stream="payments", order="newest"),
        QueueFilter(status=ClusterStatus.SECOND_OPINION),
        QueueFilter(text="terminal"),
    ],
)
def test_what_is_counted_is_what_is_listed(
    database: Database, where: QueueFilter, viewer: str | None
) -> None:
    page = SqlQueries(database).queue(replace(where, viewer=viewer), 0, 10_000)
    assert page.total == len(page.rows)


def test_of_what_waits_only_what_is_hidden_is_counted(database: Database) -> None:
    with plans(database) as found:
        SqlQueries(database).queue(QueueFilter(viewer="anna"), 0, 10)
    (hidden,) = (plan for plan in found if plan.startswith("SELECT count(*)"))
    assert "clusters USING INDEX sqlite_autoindex_clusters_1" in hidden


@pytest.mark.parametrize("order", ["worth", "newest", "largest"])
def test_all_clusters_come_in_order_without_being_sorted(database: Database, order: str) -> None:
    where = QueueFilter(status=None, order=order, viewer="anna")
    key = {"worth": "worth", "newest": "last_time", "largest": "size"}[order]
    with database.read() as connection:
        c = t.clusters.c
        listed = sa.select(c.cluster_id).where(c.status != ClusterStatus.MERGED)
        expected = connection.scalars(listed.order_by(c[key].desc(), c.cluster_id.desc())).all()
    with plans(database) as found:
        page = SqlQueries(database).queue(where, 10, 40)
    assert [row.cluster_id for row in page.rows] == expected[10:50]
    assert page.total == len(expected)
    assert {row.status for row in page.rows} > {ClusterStatus.OPEN}
    (walk,) = (plan for plan in found if "UNION ALL" in plan)
    assert "TEMP B-TREE" not in walk
