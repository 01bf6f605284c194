"""The round of the engine: who is asked when, and what an error does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from cli.loop import BACK_OFF_S, IDLE_S, QUIET_ROUNDS, Engine
from streaming.errors import Stop, TransportUnavailable
from triage.errors import StoreUnavailable


class Part:
    """Answers its steps from a list: whether it had work, or an error; then has none."""

    def __init__(self, *answers: bool | Exception) -> None:
        self.answers = list(answers)
        self.steps = 0

    def step(self) -> bool:
        self.steps += 1
        answer = self.answers.pop(0) if self.answers else False
        if isinstance(answer, Exception):
            raise answer
        return answer


def run(
    parts: Sequence[Part], done: Callable[[], bool] = lambda: True, rounds: int = 50
) -> list[float]:
    """Run the engine; return its pauses. It is stopped after so many rounds at the latest."""
    pauses: list[float] = []
    left = iter(range(rounds))
    Engine(parts, lambda: next(left, None) is None, done, pauses.append).run()
    return pauses


def test_every_part_gets_its_turn_until_nobody_has_work() -> None:
    one, two = Part(True, False, True), Part(False, True)
    run([one, two])
    assert one.steps == two.steps == 3 + QUIET_ROUNDS


def test_it_ends_when_nothing_was_left_for_some_rounds_in_a_row() -> None:
    part = Part(True, True, *[False] * (QUIET_ROUNDS - 1), True)
    run([part])
    assert part.steps == 2 + QUIET_ROUNDS + QUIET_ROUNDS


def test_it_asks_whether_all_is_done_only_when_nobody_has_work() -> None:
    part = Part(True, True)
    asked: list[int] = []

    def done() -> bool:
        asked.append(part.steps)
        return len(asked) > 2

    run([part], done)
    assert asked == list(range(3, 3 + 2 + QUIET_ROUNDS))


def test_it_stops_when_told_also_in_the_middle_of_work() -> None:
    part = Part(*[True] * 100)
    run([part], rounds=5)
    assert part.steps == 5


@pytest.mark.parametrize("error", [TransportUnavailable("away"), StoreUnavailable("full")])
def test_what_may_pass_is_tried_again_with_growing_pauses(error: Exception) -> None:
    part, other = Part(error, error, error, True), Part()
    pauses = [pause for pause in run([part, other]) if pause != IDLE_S]
    first, longest = BACK_OFF_S
    assert pauses == [first, 2 * first, 4 * first]
    assert max(pauses) <= longest
    assert (
        other.steps == part.steps == 4 + QUIET_ROUNDS
    )  # trouble of one is no reason to starve the others


def test_what_needs_a_person_ends_it() -> None:
    with pytest.raises(Stop, match="fenced"):
        run([Part(Stop("fenced"))])
