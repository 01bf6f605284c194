"""A board with a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.support.cases import ANNA, AT, Desk
from tests.support.stores import store_at
from tests.unit.triage_ui.serving import Served, serving, sign_in
from triage.model import Actor


@dataclass
class Clock:
    """A clock that stands until a test moves it."""

    now: float = AT

    def __call__(self) -> float:
        return self.now


@dataclass
class Board:
    """A board, its store, and who sits before it."""

    served: Served
    client: httpx.Client
    clock: Clock = field(default_factory=Clock)

    @property
    def desk(self) -> Desk:
        return self.served.desk

    def sign_in(self, actor: Actor = ANNA) -> None:
        sign_in(self.served, self.client, actor)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    """A board over a store with one stream and no cluster; nobody is signed in."""
    clock = Clock()
    with serving(tmp_path, clock) as served, served.client(None) as client:
        yield Board(served, client, clock)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A store with one stream and no cluster, without a board."""
    store = store_at(tmp_path / "triage.db")
    desk = Desk(store)
    desk.policy()
    yield desk
    store.close()
