"""Local accounts, on both stores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from tests.support.cases import AT, LEAD, VIEWER
from triage.accounts import LINK_S, PER_ACCOUNT, PER_ADDRESS, WRONG, Accounts
from triage.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn, TooMany
from triage.model import Actor
from triage.passwords import Passwords
from triage.store.base import Store
from triage.store.database import Database
from triage.store.store import open_store

WORDS = "seven quiet otters"
OTHER = "nine louder otters"
HERE = "192.0.2.1"


def cheap() -> Passwords:
    """Return the real thing with parameters that cost nothing."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def open_accounts(store: Store) -> Accounts:
    return Accounts(store, cheap)


@pytest.fixture
def accounts(store: Store) -> Accounts:
    return open_accounts(store)


@pytest.fixture
def anna(accounts: Accounts) -> str:
    """The token of Anna's session, right after she has chosen her password."""
    return accounts.choose_password(accounts.add("anna", "analyst", LEAD, AT), WORDS, AT)


def trail(url: str) -> list[tuple[str, str, str]]:
    with closing(Database(url)) as database, database.read() as connection:
        rows = connection.execute(sa.text("SELECT actor, action, object FROM audit ORDER BY seq"))
        return [(row[0], row[1], row[2]) for row in rows]


def test_an_account_begins_with_a_link_on_which_its_password_is_chosen(
    store: Store, accounts: Accounts
) -> None:
    token = accounts.add("anna", "analyst", LEAD, AT)
    assert accounts.owner_of_link(token, AT) == "anna"
    with pytest.raises(NotSignedIn):
        accounts.sign_in("anna", "", HERE, AT)
    session = accounts.choose_password(token, WORDS, AT + 1)
    assert store.session(session, AT + 2) == Actor("anna", "analyst")
    assert accounts.owner_of_link(token, AT + 2) is None
    with pytest.raises(NotSignedIn):
        accounts.choose_password(token, OTHER, AT + 2)
    again = accounts.sign_in("anna", WORDS, HERE, AT + 3)
    assert store.session(again, AT + 4) == Actor("anna", "analyst")


def test_a_link_expires_and_is_no_sign_in_link(store: Store, accounts: Accounts) -> None:
    token = accounts.add("anna", "analyst", LEAD, AT)
    assert store.redeem(token, AT) is None
    assert store.session(token, AT) is None
    with pytest.raises(NotSignedIn):
        accounts.choose_password(token, WORDS, AT + LINK_S)
    plain = store.new_sign_in(Actor("anna", "analyst"), AT, 60)
    assert accounts.owner_of_link(plain, AT) is None


def test_a_name_is_taken_once(accounts: Accounts, anna: str) -> None:
    with pytest.raises(Conflict, match="triage account reset"):
        accounts.add("anna", "lead", LEAD, AT)
    assert [account.role for account in accounts.all()] == ["analyst"]


@pytest.mark.parametrize("name", ["", "Anna", "an na", "token/x", "-x", "x" * 65, "a\n", "\u0430"])
def test_a_name_that_can_be_mistaken_is_none(accounts: Accounts, name: str) -> None:
    with pytest.raises(Invalid):
        accounts.add(name, "analyst", LEAD, AT)


def test_roles_are_those_of_the_table_and_only_a_lead_manages(accounts: Accounts) -> None:
    with pytest.raises(Invalid, match="viewer, analyst, lead"):
        accounts.add("anna", "root", LEAD, AT)
    with pytest.raises(NotAllowed):
        accounts.add("anna", "lead", VIEWER, AT)
    with pytest.raises(NotAllowed):
        accounts.disable("anna", VIEWER, AT)
    with pytest.raises(NotAllowed):
        accounts.reset("anna", None, VIEWER, AT)
    for change in (accounts.disable, lambda *a: accounts.reset(a[0], None, *a[1:])):
        with pytest.raises(NotFound):
            change("nobody", LEAD, AT)


def test_disabling_signs_out_everywhere(store: Store, accounts: Accounts, anna: str) -> None:
    second = accounts.sign_in("anna", WORDS, HERE, AT)
    link = store.new_sign_in(Actor("anna", "analyst"), AT, 600)
    accounts.disable("anna", LEAD, AT + 1)
    accounts.disable("anna", LEAD, AT + 2)
    assert [store.session(session, AT + 3) for session in (anna, second)] == [None, None]
    assert not store.lasts(anna, AT + 3)
    assert store.redeem(link, AT + 3) is None
    assert store.redeem(store.new_sign_in(Actor("anna", "lead"), AT, 600), AT + 3) is None
    with pytest.raises(NotSignedIn):
        accounts.sign_in("anna", WORDS, HERE, AT + 3)
    with pytest.raises(NotSignedIn):
        accounts.change_password("anna", WORDS, OTHER, HERE, AT + 3)
    (account,) = accounts.all()
    assert account.disabled_at == AT + 1


def test_a_session_opened_while_an_account_is_disabled_is_none(
    store: Store, accounts: Accounts, anna: str
) -> None:
    accounts.disable("anna", LEAD, AT)
    assert store.session(store.open_session(Actor("anna", "lead"), AT), AT) is None


def test_a_reset_forgets_the_password_and_enables_again(
    store: Store, accounts: Accounts, anna: str
) -> None:
    accounts.disable("anna", LEAD, AT)
    token = accounts.reset("anna", "lead", LEAD, AT + 1)
    assert store.session(anna, AT + 1) is None
    with pytest.raises(NotSignedIn):
        accounts.sign_in("anna", WORDS, HERE, AT + 2)
    session = accounts.choose_password(token, OTHER, AT + 3)
    assert store.session(session, AT + 3) == Actor("anna", "lead")


def test_a_session_has_the_role_that_its_account_has_now(
    store: Store, accounts: Accounts, anna: str
) -> None:
    session = store.open_session(Actor("anna", "lead"), AT)
    assert store.session(session, AT) == Actor("anna", "analyst")


def test_changing_the_password_ends_all_other_sessions(
    store: Store, accounts: Accounts, anna: str
) -> None:
    with pytest.raises(NotSignedIn):
        accounts.change_password("anna", OTHER, OTHER, HERE, AT)
    with pytest.raises(Invalid):
        accounts.change_password("anna", WORDS, "short", HERE, AT)
    assert store.lasts(anna, AT)
    new = accounts.change_password("anna", WORDS, OTHER, HERE, AT + 1)
    assert store.session(anna, AT + 1) is None
    assert store.session(new, AT + 1) == Actor("anna", "analyst")
    with pytest.raises(NotSignedIn):
        accounts.sign_in("anna", WORDS, HERE, AT + 2)


@pytest.mark.parametrize(
    "password", ["", "short", "eleven char", "anna anna anna", "a" * 40, "ab" * 20, "x" * 257]
)
def test_a_password_that_is_guessed_is_refused_and_the_link_stays(
    accounts: Accounts, password: str
) -> None:
    token = accounts.add("anna", "analyst", LEAD, AT)
    with pytest.raises(Invalid):
        accounts.choose_password(token, password, AT)
    assert accounts.owner_of_link(token, AT) == "anna"


def test_the_same_keys_are_the_same_password(accounts: Accounts) -> None:
    composed, decomposed = "\u00fcber zwölf Zeichen", "u\u0308ber zwo\u0308lf Zeichen"
    accounts.choose_password(accounts.add("anna", "analyst", LEAD, AT), composed, AT)
    assert accounts.sign_in("anna", decomposed, HERE, AT)


class Counting(Passwords):
    """Counts how often a password was compared."""

    def __init__(self) -> None:
        super().__init__(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self.compared: list[bool] = []

    def matches(self, kept: str | None, password: str) -> bool:
        self.compared.append(super().matches(kept, password))
        return self.compared[-1]


def test_who_has_an_account_does_not_show(store: Store, anna: str) -> None:
    passwords = Counting()
    accounts = Accounts(store, lambda: passwords)
    accounts.add("ben", "analyst", LEAD, AT)
    accounts.choose_password(accounts.add("eve", "analyst", LEAD, AT), WORDS, AT)
    accounts.disable("eve", LEAD, AT)
    said = set()
    for name in ("anna", "ben", "eve", "nobody", "NOBODY\0", "' OR 1=1 --", "\ud800"):
        for _ in range(PER_ACCOUNT.tries):
            with pytest.raises(NotSignedIn, match=WRONG):
                accounts.sign_in(name, OTHER, name, AT)
        with pytest.raises(TooMany) as error:
            accounts.sign_in(name, OTHER, name, AT)
        said.add((str(error.value), error.value.wait_s))
    assert passwords.compared == [False] * PER_ACCOUNT.tries * 7
    assert len(said) == 1


def test_tries_are_counted_per_account_and_a_restart_forgets_none(url: str) -> None:
    with closing(open_store(url, migrate=False)) as store:
        accounts = open_accounts(store)
        accounts.choose_password(accounts.add("anna", "analyst", LEAD, AT), WORDS, AT)
        for number in range(PER_ACCOUNT.tries):
            with pytest.raises(NotSignedIn):
                accounts.sign_in("anna", OTHER, f"192.0.2.{number}", AT)
    with closing(open_store(url, migrate=False)) as store:
        accounts = open_accounts(store)
        with pytest.raises(TooMany) as error:
            accounts.sign_in("anna", WORDS, HERE, AT)
        assert 0 < error.value.wait_s <= PER_ACCOUNT.over_s / PER_ACCOUNT.tries
        accounts.sign_in("anna", WORDS, HERE, AT + error.value.wait_s)


def test_tries_are_counted_per_address(accounts: Accounts, anna: str) -> None:
    for number in range(PER_ADDRESS.tries):
        with pytest.raises(NotSignedIn):
            accounts.sign_in(f"guess-{number}", WORDS, HERE, AT)
    with pytest.raises(TooMany):
        accounts.sign_in("anna", WORDS, HERE, AT)
    assert accounts.sign_in("anna", WORDS, "192.0.2.2", AT)


def test_right_ones_use_up_no_tries(accounts: Accounts, anna: str) -> None:
    for _ in range(2 * PER_ADDRESS.tries):
        accounts.sign_in("anna", WORDS, HERE, AT)


def test_tries_at_the_same_moment_share_none(store: Store) -> None:
    def take(_: int) -> bool:
        return store.take_try(PER_ACCOUNT, "anna", AT) == 0

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(40))) == PER_ACCOUNT.tries


def test_after_a_while_all_tries_are_back(store: Store) -> None:
    for at in (AT, AT + PER_ACCOUNT.over_s, AT + 2.5 * PER_ACCOUNT.over_s):
        taken = [store.take_try(PER_ACCOUNT, "anna", at) for _ in range(PER_ACCOUNT.tries + 1)]
        assert [wait == 0 for wait in taken] == [True] * PER_ACCOUNT.tries + [False]


def test_a_weak_hash_is_made_anew_at_the_next_sign_in(store: Store, url: str) -> None:
    weak = open_accounts(store)
    weak.choose_password(weak.add("anna", "analyst", LEAD, AT), WORDS, AT)
    before = store.password_of("anna")
    strong = Accounts(store, lambda: Passwords(PasswordHasher(2, 16, 1)))
    strong.sign_in("anna", WORDS, HERE, AT)
    after = store.password_of("anna")
    assert (before or "").split("$")[3] == "m=8,t=1,p=1"
    assert (after or "").split("$")[3] == "m=16,t=2,p=1"
    assert "argon2id" in (after or "")
    strong.sign_in("anna", WORDS, HERE, AT)


def test_what_is_done_with_accounts_is_in_the_audit_trail(
    url: str, accounts: Accounts, anna: str
) -> None:
    accounts.sign_in("anna", WORDS, HERE, AT)
    accounts.change_password("anna", WORDS, OTHER, HERE, AT)
    accounts.disable("anna", LEAD, AT)
    accounts.reset("anna", None, LEAD, AT)
    assert trail(url) == [
        ("lea", "account_add", "account/anna"),
        ("anna", "password_choose", "account/anna"),
        ("anna", "sign_in", "account/anna"),
        ("anna", "password_change", "account/anna"),
        ("lea", "account_disable", "account/anna"),
        ("lea", "account_reset", "account/anna"),
    ]


def test_neither_passwords_nor_tokens_are_kept(url: str, accounts: Accounts) -> None:
    token = accounts.add("anna", "analyst", LEAD, AT)
    session = accounts.choose_password(token, WORDS, AT)
    with closing(Database(url)) as database, database.read() as connection:
        for table in ("accounts", "sign_ins", "sessions", "audit", "sign_in_tries"):
            for row in connection.execute(sa.text(f"SELECT * FROM {table}")):  # noqa: S608
                kept = " ".join(str(value) for value in row)
                assert not any(secret in kept for secret in (WORDS, token, session))
