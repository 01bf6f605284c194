"""The advisor's process: it may be slow, dead, or talk nonsense; the board is told, and goes on."""

from __future__ import annotations

import asyncio
import io
import queue
import sys
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import pytest

from streaming.advisor.answers import Answers
from streaming.advisor.process import MOST_WAITING, RESTART_S, STARTING_S, STUCK, ProcessAdvisor
from streaming.advisor.serve import serve
from streaming.advisor.wire import Question, answer, dump
from tests.support.house import House
from triage.advisor import IfDecided, WhatIf
from triage.errors import Invalid, NotAvailable, NotFound
from triage.model import VerdictKind

pytestmark = pytest.mark.slow

T = TypeVar("T")
ASKED = IfDecided("c1", VerdictKind.REAL, (), "anna")

PREFACE = """
import sys, time
sys.path.insert(0, {path!r})
from streaming.advisor.wire import Answer, dump, question
from triage.advisor import Advice
def say(line, **given):
    sys.stdout.buffer.write(dump(Answer(question(line).number, **given)))
    sys.stdout.buffer.flush()
ADVICE = Advice(8, 9, 3, 4, 0, 2, 1, (), 0, 0, 0, (), 0, 0, True, 5, 0)
"""
GOOD = "for line in sys.stdin.buffer: say(line, advice=ADVICE)"
SILENT = "for line in sys.stdin.buffer: pass"
DYING = "sys.stdin.buffer.readline(); sys.exit(1)"
NONSENSE = "sys.stdin.buffer.readline(); print('hello', flush=True); time.sleep(60)"
REFUSING = "for line in sys.stdin.buffer: say(line, error='NotFound', message='no cluster c1')"
OTHER = "for line in sys.stdin.buffer: say(line)"


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def child(code: str) -> list[str]:
    return [sys.executable, "-c", PREFACE.format(path=sys.path[0] or ".") + code]


def talk(
    argv: list[str],
    work: Callable[[ProcessAdvisor, Clock], Awaitable[T]],
    patience: float = 20.0,
) -> T:
    """Run a conversation with an advisor and end it."""

    async def whole() -> T:
        clock = Clock()
        advisor = ProcessAdvisor(argv, clock, patience)
        try:
            return await asyncio.wait_for(work(advisor, clock), 60)
        finally:
            await advisor.close()

    return asyncio.run(whole())


async def refused(advisor: ProcessAdvisor, kind: type[Exception] = NotAvailable) -> str:
    with pytest.raises(kind) as caught:
        await advisor.advise(ASKED)
    return str(caught.value)


def test_many_ask_at_a_time_and_each_gets_an_answer() -> None:
    async def work(advisor: ProcessAdvisor, clock: Clock) -> list[int]:
        await advisor.open()
        answers = await asyncio.gather(*(advisor.advise(ASKED) for _ in range(MOST_WAITING)))
        return [one.fall for one in answers]

    assert talk(child(GOOD), work) == [2] * MOST_WAITING


def test_a_silent_one_holds_nobody_up() -> None:
    async def work(advisor: ProcessAdvisor, clock: Clock) -> list[str]:
        return await asyncio.gather(*(refused(advisor) for _ in range(MOST_WAITING + 3)))

    said = talk(child(SILENT), work, patience=0.2)
    assert sum("too many questions" in one for one in said) == 3
    assert sum("does not answer in time" in one for one in said) == MOST_WAITING


def test_one_that_stays_silent_is_ended_and_started_again() -> None:
    async def work(advisor: ProcessAdvisor, clock: Clock) -> tuple[object, object]:
        await refused(advisor)
        before = advisor._process
        clock.now += STARTING_S
        for _ in range(STUCK):
            await refused(advisor)
        assert before is not None
        await before.wait()
        clock.now += RESTART_S
        await refused(advisor)
        return before, advisor._process

    before, after = talk(child(SILENT), work, patience=0.1)
    assert before is not after


def test_a_dead_one_is_started_again_but_not_at_once() -> None:
    async def work(advisor: ProcessAdvisor, clock: Clock) -> list[str]:
        said = [await refused(advisor)]
        said.append(await refused(advisor))
        clock.now += RESTART_S
        said.append(await refused(advisor))
        clock.now += RESTART_S  # the pause has doubled
        said.append(await refused(advisor))
        return said

    said = talk(child(DYING), work)
    assert said[0] == said[2] == "the advisor has ended; ask again in a moment"
    assert said[1] == said[3] == "the advisor has ended; it is started again in a moment"


def test_nonsense_ends_it() -> None:
    async def work(advisor: ProcessAdvisor, clock: Clock) -> str:
        return await refused(advisor)

    assert "has ended" in talk(child(NONSENSE), work)


def test_a_program_that_is_not_there_is_no_advisor() -> None:
    async def work(advisor: ProcessAdvisor, clock: Clock) -> str:
        await advisor.open()
        return await refused(advisor)

    assert "started again" in talk(["/nowhere/advisor"], work)


def test_errors_come_through_by_name() -> None:
    async def work(advisor: ProcessAdvisor, clock: Clock) -> str:
        return await refused(advisor, NotFound)

    assert talk(child(REFUSING), work) == "no cluster c1"


def test_another_answer_than_asked_for_is_none() -> None:
    async def work(advisor: ProcessAdvisor, clock: Clock) -> None:
        await refused(advisor)
        with pytest.raises(NotAvailable):
            await advisor.what_if(WhatIf("c1"))

    talk(child(OTHER), work)


def test_it_ends_with_its_board() -> None:
    async def work(advisor: ProcessAdvisor, clock: Clock) -> int | None:
        await advisor.advise(ASKED)
        process = advisor._process
        assert process is not None
        await advisor.close()
        return process.returncode

    assert talk(child(GOOD), work) == 0


def test_the_process_answers_line_by_line(house: House) -> None:
    """The serving side on real views, over two buffers."""
    answers = Answers(house.store)
    answers.refresh()
    cluster = house.store.candidates_after("tests", 0, 1)[0].cluster_id
    assert cluster is not None
    questions = [
        Question(1, if_decided=IfDecided(cluster, VerdictKind.REAL, (), "anna")),
        Question(2, what_if=WhatIf(cluster)),
        Question(3, if_decided=IfDecided("none", VerdictKind.REAL, (), "anna")),
        Question(4, what_if=WhatIf(cluster, None, {"nothing": 1.0})),
        Question(5),
    ]
    out = io.BytesIO()
    serve(answers, io.BytesIO(b"".join(map(dump, questions))), out, Clock())
    said = [answer(line) for line in out.getvalue().splitlines()]
    assert [one.number for one in said] == [1, 2, 3, 4, 5]
    assert said[0].advice is not None
    assert said[1].what_if is not None
    assert [one.error for one in said[2:]] == [
        NotFound.__name__,
        Invalid.__name__,
        Invalid.__name__,
    ]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_it_ends_rather_than_answer_from_views_that_are_no_longer_renewed(house: House) -> None:
    refreshing: queue.SimpleQueue[threading.Thread] = queue.SimpleQueue()

    class Stuck(Answers):
        def refresh(self) -> None:
            refreshing.put(threading.current_thread())
            raise ArithmeticError("unforeseen")

    class AfterItsEnd(io.BytesIO):
        def __next__(self) -> bytes:
            refreshing.get(timeout=20).join(20)
            return super().__next__()

    asked = AfterItsEnd(dump(Question(1, what_if=WhatIf("c1"))))
    with pytest.raises(RuntimeError, match="has ended"):
        serve(Stuck(house.store), asked, io.BytesIO(), Clock())
