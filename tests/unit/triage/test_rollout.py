"""What the log of roll-outs says of versions."""

from __future__ import annotations

import pytest

from triage.rollout import Request, Rollout, Stage, Superseded, applied, staged, started, stopped


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
