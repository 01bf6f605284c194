"""Sign-in links and sessions."""

from __future__ import annotations

from contextlib import closing
from itertools import count

import sqlalchemy as sa

from tests.support.cases import ANNA, AT, BEN
from triage.store.base import Store
from triage.store.database import Database
from triage.store.sessions import ABSOLUTE_S, IDLE_S
from triage.store.store import open_store


def sign_in(store: Store, at: float = AT) -> str:
    session = store.redeem(store.new_sign_in(ANNA, at, 60), at)
    assert session is not None
    return session


def test_a_link_works_once(store: Store) -> None:
    token = store.new_sign_in(ANNA, AT, 60)
    session = store.redeem(token, AT + 1)
    assert session is not None
    assert store.session(session, AT + 2) == ANNA
    assert store.redeem(token, AT + 2) is None
    assert store.session(session, AT + 3) == ANNA


def test_a_link_expires(store: Store) -> None:
    token = store.new_sign_in(ANNA, AT, 60)
    assert store.redeem(token, AT + 60) is None


def test_unknown_tokens_open_nothing(store: Store) -> None:
    assert store.redeem("guess", AT) is None
    assert store.session("guess", AT) is None
    assert store.session(store.new_sign_in(ANNA, AT, 60), AT) is None  # a link is no session


def test_a_session_ends_when_told(store: Store) -> None:
    session = sign_in(store)
    store.end(session, AT + 1)
    store.end(session, AT + 2)
    assert store.session(session, AT + 3) is None


def test_the_end_of_a_session_ends_no_other(store: Store) -> None:
    ended, mine = sign_in(store), sign_in(store)
    other = store.redeem(store.new_sign_in(BEN, AT, 60), AT)
    assert other is not None
    store.end(ended, AT + 1)
    assert [store.session(session, AT + 2) for session in (ended, mine)] == [None, ANNA]
    assert store.session(other, AT + 2) == BEN


def test_an_idle_session_expires_a_used_one_does_not(store: Store) -> None:
    used, idle = sign_in(store), sign_in(store)
    assert store.session(used, AT + IDLE_S - 1) == ANNA
    assert store.session(idle, AT + IDLE_S) is None
    assert store.session(used, AT + IDLE_S) == ANNA


def test_asking_whether_a_session_lasts_is_no_use_of_it(store: Store) -> None:
    session = sign_in(store)
    assert store.lasts(session, AT + IDLE_S - 1)
    assert not store.lasts(session, AT + IDLE_S)
    assert not store.lasts("guess", AT)
    store.end(session, AT + 1)
    assert not store.lasts(session, AT + 2)


def test_after_a_working_day_it_is_over(store: Store) -> None:
    session = sign_in(store)
    at = AT
    while at + IDLE_S / 2 < AT + ABSOLUTE_S:
        at += IDLE_S / 2
        assert store.session(session, at) == ANNA
    assert store.session(session, AT + ABSOLUTE_S) is None


def test_only_hashes_are_kept(url: str) -> None:
    numbers = count(1)
    with closing(open_store(url, token=lambda: f"secret-{next(numbers)}")) as store:
        assert sign_in(store) == "secret-2"
    with closing(Database(url)) as database, database.read() as connection:
        for table in ("sign_ins", "sessions"):
            (row,) = connection.execute(sa.text(f"SELECT * FROM {table}"))  # noqa: S608
            assert not any("secret" in str(value) for value in row)
