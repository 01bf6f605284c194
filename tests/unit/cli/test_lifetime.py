"""A process waits for what it needs, says why, and ends when told."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from cli import lifetime as module
from cli.lifetime import Ended, Lifetime
from streaming.errors import Stop, TransportUnavailable
from triage.errors import StoreUnavailable


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(module, "BACK_OFF_S", (0.001, 0.002))
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


def test_each_reason_is_said_once_until_it_works(caplog: pytest.LogCaptureFixture) -> None:
    troubles: list[Exception] = [
        TransportUnavailable("no broker"),
        TransportUnavailable("no broker"),
        StoreUnavailable("no database"),
    ]

    def work() -> str:
        if troubles:
            raise troubles.pop(0)
        return "done"

    with caplog.at_level("WARNING"):
        assert Lifetime().keep_trying(work) == "done"
    assert [record.message.split(";")[0] for record in caplog.records] == [
        "waiting: no broker",
        "waiting: no database",
    ]


def test_it_ends_while_it_waits() -> None:
    lifetime = Lifetime()

    def work() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        raise TransportUnavailable("no broker")

    with pytest.raises(Ended):
        lifetime.keep_trying(work)
    assert lifetime.over()


def test_what_needs_a_person_is_not_tried_again() -> None:
    def work() -> None:
        raise Stop("no")

    with pytest.raises(Stop, match=r"^no$"):
        Lifetime().keep_trying(work)


def test_it_ends_with_its_parent() -> None:
    assert not Lifetime(os.getppid()).over()
    assert Lifetime(os.getpid()).over()
