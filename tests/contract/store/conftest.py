"""The store over SQLite and over PostgreSQL: each test of this folder runs on both."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.cases import Desk
from tests.support.counts import check_counts
from triage.store.base import Store
from triage.store.migrate import migrate
from triage.store.store import open_store

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)]


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    return str(request.getfixturevalue("postgres_database"))


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of a database with empty tables: a copy, which is faster than migrating."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "store.db")
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    template = sa.make_url(request.getfixturevalue("postgres_template"))
    name = f"triage_{secrets.token_hex(6)}"
    # Copying files writes 12 KB of WAL per test, the default 5 MB.
    execute(template, f'CREATE DATABASE "{name}" TEMPLATE "{template.database}" STRATEGY file_copy')
    yield template.set(database=name).render_as_string(hide_password=False)
    execute(template, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "store.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[str]:
    address = sa.make_url(postgres_url)
    name = f"triage_template_{secrets.token_hex(6)}"
    execute(address, f'CREATE DATABASE "{name}"')
    url = address.set(database=name).render_as_string(hide_password=False)
    migrate(url)
    yield url
    execute(address, f'DROP DATABASE "{name}" WITH (FORCE)')


def execute(address: sa.URL, statement: str) -> None:
    """Run a statement of the server: in its own database, outside of transactions."""
    engine = sa.create_engine(address.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A store that is empty; after the test, what its triggers count must be what is in it."""
    with closing(open_store(url, migrate=False)) as store:
        yield store
    check_counts(url)


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)
