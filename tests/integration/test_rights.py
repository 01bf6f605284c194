"""The service under a role of its own: it works, and can't touch the audit trail."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from cli.loop import Engine
from streaming.grouper import Grouper
from streaming.records import OutRecord
from streaming.relay import Relay
from streaming.transports.registry import open_transport
from streaming.verified import message_of
from streaming.worker import Worker
from tests.integration.test_commands import ANNA, lines
from tests.support.streams import events, small_config
from triage.commands import RecordVerdict
from triage.handlers import Triage
from triage.model import VerdictKind
from triage.queries import QueueFilter
from triage.store.rights import grants
from triage.store.store import open_store


@pytest.fixture
def as_service(postgres_database: str) -> Iterator[tuple[str, str]]:
    """Return the URL of a migrated database for a role that doesn't own it, and psycopg's."""
    open_store(postgres_database).close()
    owner = make_url(postgres_database).set(drivername="postgresql")
    role, password = f"service_{secrets.token_hex(4)}", secrets.token_hex(8)
    with psycopg.connect(owner.render_as_string(hide_password=False), autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'".encode())
        for statement in grants(role):
            admin.execute(statement.encode())
        service = owner.set(username=role, password=password)
        yield (
            service.set(drivername="postgresql+psycopg").render_as_string(hide_password=False),
            service.render_as_string(hide_password=False),
        )
        admin.execute(f"DROP OWNED BY {role}".encode())
        admin.execute(f"DROP ROLE {role}".encode())


def test_all_works_and_the_trail_stays(tmp_path: Path, as_service: tuple[str, str]) -> None:
    url, plain = as_service
    config = small_config()
    transport = open_transport(f"embedded:{tmp_path / 'log.db'}", time.time)
    transport.ensure_topic("tests", 2)
    publisher = transport.publisher("test")
    values = [*lines(events(700)).splitlines(), b"rubbish"]
    publisher.publish([OutRecord("tests", str(i % 7).encode(), v) for i, v in enumerate(values)], 1)
    publisher.close()

    store = open_store(url)
    worker = Worker(config, transport, store, time.time)
    grouper = Grouper(config, store, "g", time.time)
    relay = Relay(store, transport, "r", time.time)

    def settled() -> bool:
        return worker.lag() == 0 and worker.settled() and not store.outbox_topics()

    Engine([worker, grouper, relay], lambda: False, settled, time.sleep).run()
    row = store.queue(QueueFilter(), 0, 1).rows[0]
    read = tuple(m.candidate.candidate_id for m in store.members(row.cluster_id, 0, 3))
    command = RecordVerdict(row.cluster_id, VerdictKind.REAL, row.revision, read, "k")
    Triage(store, message_of).handle(command, ANNA, time.time() - 60)
    Engine([worker, grouper, relay], lambda: False, settled, time.sleep).run()
    assert transport.partitions("triage.verified.v1") == 1
    worker.close()

    with psycopg.connect(plain, autocommit=True) as connection:
        for attempt in (
            "UPDATE audit SET actor = 'nobody'",
            "DELETE FROM audit",
            "TRUNCATE audit",
            "ALTER TABLE audit DISABLE TRIGGER ALL",
            "DROP TABLE audit",
            "UPDATE labels SET y = 0",
            "DELETE FROM labels",
            "UPDATE outbox SET value = ''",
            "TRUNCATE outbox CASCADE",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(attempt.encode())
        # Dead letters may go once they are published; a trigger keeps the findings.
        with pytest.raises(psycopg.Error, match="outbox"):
            connection.execute("DELETE FROM outbox WHERE topic LIKE '%verified%'")
        (entries,) = connection.execute("SELECT count(*) FROM audit").fetchone() or (0,)
        assert entries > 0
    store.close()
    transport.close()
