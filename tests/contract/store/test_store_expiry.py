"""An expected verdict teaches until it expires."""

from __future__ import annotations

import json
from contextlib import closing

import sqlalchemy as sa

from tests.support.cases import AT, STREAM, Desk
from triage.expiry import BATCH, EVERY_S, Expiry
from triage.model import ClusterStatus, VerdictKind
from triage.store import tables as t
from triage.store.database import Database

END = AT + 3_600.0


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> float:
        return self.now


def test_the_labels_end_and_the_cluster_stays_decided(desk: Desk) -> None:
    clock = Clock()
    expiry = Expiry(desk.store, clock)
    cluster_id = desk.cluster(3)
    verdict = desk.decide(cluster_id, VerdictKind.EXPECTED, expires_at=END)
    taught = desk.labels()
    clock.now = END - 1
    assert not expiry.step()
    assert desk.labels() == taught
    clock.now += EVERY_S
    before = desk.store.status(AT).position
    assert expiry.step()
    assert desk.labels() == {}
    assert desk.labels(len(taught)) == taught  # a replay up to there still learns them
    row = desk.row(cluster_id)
    assert (row.status, row.verdict) == (ClusterStatus.DECIDED, VerdictKind.EXPECTED)
    (change,) = desk.store.changes_after(before, 10)
    assert (change.kind, change.data["id"]) == ("verdict", verdict.verdict_id)
    shown = desk.store.verdict(verdict.verdict_id)
    assert shown is not None
    assert (shown.scope, shown.expires_at, shown.learned) == ("this customer", END, False)


def test_each_ends_once_whoever_looks(desk: Desk) -> None:
    desk.decide(desk.cluster(2), VerdictKind.EXPECTED, expires_at=END)
    clock = Clock()
    clock.now = END
    looks = [Expiry(desk.store, clock), Expiry(desk.store, clock)]
    assert [expiry.step() for expiry in looks] == [True, False]
    ended = desk.store.label_position(STREAM)
    clock.now += EVERY_S
    assert [expiry.step() for expiry in looks] == [False, False]
    assert desk.store.label_position(STREAM) == ended


def test_only_expected_verdicts_that_stand_expire(desk: Desk) -> None:
    desk.decide(desk.cluster(1, "real"), VerdictKind.REAL, expires_at=END)
    kept = desk.labels()
    undone = desk.decide(desk.cluster(1, "undone"), VerdictKind.EXPECTED, expires_at=END)
    desk.undo(undone.verdict_id)
    clock = Clock()
    clock.now = END + 1
    assert not Expiry(desk.store, clock).step()
    assert desk.labels() == kept


def test_an_expired_verdict_can_still_be_undone(desk: Desk) -> None:
    cluster_id = desk.cluster(1)
    verdict = desk.decide(cluster_id, VerdictKind.EXPECTED, expires_at=END)
    clock = Clock()
    clock.now = END
    Expiry(desk.store, clock).step()
    desk.undo(verdict.verdict_id, at=END + 1)
    assert desk.row(cluster_id).status is ClusterStatus.OPEN
    assert desk.labels() == {}


def test_many_end_in_bounded_steps(desk: Desk) -> None:
    for number in range(BATCH + 1):
        desk.decide(desk.cluster(1, f"k{number}"), VerdictKind.EXPECTED, expires_at=END)
    clock = Clock()
    clock.now = END
    expiry = Expiry(desk.store, clock)
    assert expiry.step()
    assert len(desk.labels()) == 1
    assert expiry.step()
    assert desk.labels() == {}


def test_the_audit_trail_tells(desk: Desk, url: str) -> None:
    verdict = desk.decide(desk.cluster(1), VerdictKind.EXPECTED, expires_at=END)
    clock = Clock()
    clock.now = END
    Expiry(desk.store, clock).step()
    with closing(Database(url)) as database, database.read() as connection:
        newest = sa.select(t.audit).order_by(t.audit.c.seq.desc()).limit(1)
        row = connection.execute(newest).mappings().one()
    assert (row["actor"], row["role"], row["action"]) == ("triage", "system", "expire")
    assert json.loads(row["after"])["verdict_id"] == verdict.verdict_id
