"""The PostgreSQL of the tests is a real one, and each test has a database of its own."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_fresh_database(postgres_database: str, turn: int) -> None:
    engine = create_engine(postgres_database)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE turns (turn integer)"))  # would fail a second time
        connection.execute(text("INSERT INTO turns VALUES (:turn)"), {"turn": turn})
        assert connection.execute(text("SELECT turn FROM turns")).scalars().all() == [turn]
    engine.dispose()
