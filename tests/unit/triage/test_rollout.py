"""What the log of roll-outs says of versions."""

from __future__ import annotations

import pytest

from triage.errors import Conflict, NotFound
from triage.rollout import (
    Request,
    Rollout,
    Stage,
    Superseded,
    applied,
    kept,
    retired,
    staged,
    started,
    stopped,
    went_back,
)


def asked(author: str) -> Request:
    return Request(author, "", 0.0)


@pytest.fixture
def log() -> list[Rollout]:
    """Two versions one after the other, and a third that is tried beside the second."""
    first = started([], "s", "one", asked("ann"))
    assert first is not None
    second = applied([first], "s", "two", asked("bob"))
    return [first, second, staged([first, second], "s", "three", Stage.SHADOW, asked("eve"))]


def test_an_old_file_is_told_who_brought_what_is_in_force(log: list[Rollout]) -> None:
    with pytest.raises(Superseded, match=r"version two, from bob.*--back s"):
        started(log, "s", "one", asked("zoe"))


def test_what_was_tried_is_told_how_to_go_back_on_which_stream(log: list[Rollout]) -> None:
    end = stopped(log, 3, asked("guard"))
    assert end is not None
    with pytest.raises(Superseded, match=r"stopped by guard.*triage apply --back s"):
        applied([*log, end], "s", "three", asked("eve"))


def test_a_watched_version_is_kept_or_goes_back_to_the_one_before() -> None:
    first = started([], "s", "one", asked("ann"), watch=True)
    assert first is not None
    assert first.stage is Stage.LIVE
    second = applied([first], "s", "two", asked("bob"), watch=True)
    assert (second.version, second.beside, second.stage) == ("two", "one", Stage.WATCHED)
    log = [first, second]
    end = stopped(log, 2, asked("guard"))
    assert end is not None
    assert (end.version, end.beside, end.previous) == ("one", "", 0)
    kept_ = kept(log, 2, asked("guard"))
    assert kept_ is not None
    assert (kept_.version, kept_.beside, kept_.previous) == ("two", "", 1)
    assert stopped([*log, kept_], 2, asked("guard")) is None
    assert kept([*log, end], 2, asked("guard")) is None
    assert went_back([*log, kept_], "s", asked("eve")).version == "one"
    assert went_back(log, "s", asked("eve")).version == "one"


def test_a_retired_stream_takes_nothing_until_somebody_goes_back(log: list[Rollout]) -> None:
    end = retired(log, "s", asked("eve"))
    assert (end.version, end.beside, end.retired) == ("two", "", True)
    over = [*log, end]
    with pytest.raises(Superseded, match=r"s was retired by eve.*--back s"):
        applied(over, "s", "four", asked("zoe"))
    with pytest.raises(Superseded, match="retired"):
        started(over, "s", "two", asked("zoe"))
    with pytest.raises(Conflict, match="retired already"):
        retired(over, "s", asked("zoe"))
    back = went_back(over, "s", asked("zoe"))
    assert (back.version, back.previous, back.retired) == ("two", 1, False)
    assert went_back([*over, back], "s", asked("zoe")).version == "one"
    with pytest.raises(NotFound, match="no such stream"):
        retired([], "t", asked("zoe"))
