"""Tokens of programs, on both stores."""

from __future__ import annotations

from contextlib import closing

import pytest
import sqlalchemy as sa

from tests.support.cases import ANNA, AT, LEAD
from triage.errors import Conflict, Invalid, NotAllowed, NotFound
from triage.model import Actor
from triage.store.base import Store
from triage.store.database import Database
from triage.tokens import DAY_S, Tokens


@pytest.fixture
def tokens(store: Store) -> Tokens:
    return Tokens(store)


def test_a_token_acts_under_its_name_until_its_day(store: Store, tokens: Tokens) -> None:
    secret = tokens.add("siem", "service", 2, LEAD, AT)
    assert secret.startswith("triage_")
    assert store.token(secret, AT + DAY_S) == Actor("token/siem", "service")
    assert store.token_lasts(secret, AT + DAY_S)
    assert store.token(secret, AT + 2 * DAY_S) is None
    assert not store.token_lasts(secret, AT + 2 * DAY_S)


def test_a_revoked_token_works_no_more(store: Store, tokens: Tokens) -> None:
    secret = tokens.add("siem", "service", 2, LEAD, AT)
    tokens.revoke("siem", LEAD, AT + 1)
    assert store.token(secret, AT + 2) is None
    with pytest.raises(NotFound, match="triage token list"):
        tokens.revoke("siem", LEAD, AT + 2)
    assert store.token(tokens.add("siem", "service", 2, LEAD, AT + 3), AT + 4) is not None


def test_tokens_sessions_and_links_are_not_each_other(store: Store, tokens: Tokens) -> None:
    secret = tokens.add("siem", "service", 2, LEAD, AT)
    session = store.open_session(ANNA, AT)
    assert store.session(secret, AT) is None
    assert store.redeem(secret, AT) is None
    assert store.token(session, AT) is None
    assert store.token("", AT) is None
    assert store.token("triage_\ud800\0", AT) is None


def test_one_name_works_once(tokens: Tokens) -> None:
    tokens.add("siem", "service", 2, LEAD, AT)
    with pytest.raises(Conflict):
        tokens.add("siem", "viewer", 2, LEAD, AT + DAY_S)
    tokens.add("siem", "viewer", 2, LEAD, AT + 2 * DAY_S)
    assert [token.role for token in tokens.all()] == ["service", "viewer"]


@pytest.mark.parametrize(
    ("name", "role", "days"),
    [("a/b", "lead", 1), ("", "lead", 1), ("a", "root", 1), ("a", "lead", 0), ("a", "lead", 367)],
)
def test_what_can_not_be_is_refused(tokens: Tokens, name: str, role: str, days: float) -> None:
    with pytest.raises(Invalid):
        tokens.add(name, role, days, LEAD, AT)


def test_only_a_lead_gives_and_takes(tokens: Tokens) -> None:
    with pytest.raises(NotAllowed):
        tokens.add("siem", "lead", 1, ANNA, AT)
    with pytest.raises(NotAllowed):
        tokens.revoke("siem", ANNA, AT)


def test_its_last_use_is_noted_to_the_minute(store: Store, tokens: Tokens) -> None:
    secret = tokens.add("siem", "service", 2, LEAD, AT)
    for at in (AT + 5, AT + 30, AT + 66):
        store.token(secret, at)
    assert [token.used_at for token in tokens.all()] == [AT + 66]
    store.token_lasts(secret, AT + 900)
    assert [token.used_at for token in tokens.all()] == [AT + 66]


def test_only_its_hash_is_kept_and_both_changes_are_in_the_trail(url: str, tokens: Tokens) -> None:
    secret = tokens.add("siem", "service", 2, LEAD, AT)
    tokens.revoke("siem", LEAD, AT)
    with closing(Database(url)) as database, database.read() as connection:
        for table in ("api_tokens", "audit"):
            rows = connection.execute(sa.text(f"SELECT * FROM {table}")).all()  # noqa: S608
            assert secret[7:] not in str(rows)
        trail = connection.execute(sa.text("SELECT action, object FROM audit ORDER BY seq")).all()
    assert [tuple(row) for row in trail] == [
        ("token_add", "token/siem"),
        ("token_revoke", "token/siem"),
    ]
