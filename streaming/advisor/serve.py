"""The advisor's process: reads questions from its input, writes answers to its output."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import BinaryIO

from streaming.advisor.answers import Answers
from streaming.advisor.wire import Answer, Question, dump, question
from triage.errors import Invalid, NotAvailable, NotFound, TriageError

log = logging.getLogger(__name__)

REFRESH_S = 0.5  # seconds between two looks at the store
SHARE = 0.1  # of the time at most is spent on refreshing


def serve(answers: Answers, lines: BinaryIO, out: BinaryIO, clock: Callable[[], float]) -> None:
    """Answer until the input ends. Views are refreshed in a thread of their own.

    Raises RuntimeError if that thread has ended: old views must not be taken for new ones, and the
    board starts the process again.

    Args:
        answers: answers from views.
        lines: questions, a line each.
        out: takes the answers.
        clock: seconds of any origin.
    """
    over = threading.Event()
    refreshing = threading.Thread(target=_refresh, args=(answers, over, clock), daemon=True)
    refreshing.start()
    try:
        for line in lines:
            if not refreshing.is_alive():
                raise RuntimeError("what renews the advisor's views has ended; see above for why")
            out.write(dump(_answer(answers, question(line))))
            out.flush()
    finally:
        over.set()
        refreshing.join(timeout=5.0)


def _refresh(answers: Answers, over: threading.Event, clock: Callable[[], float]) -> None:
    pause = 0.0
    while not over.wait(pause):
        began = clock()
        try:
            answers.refresh()
        except TriageError as error:
            log.warning("the advisor's view of the store is not renewed: %s", error)
        pause = max(REFRESH_S, (clock() - began) * (1.0 / SHARE - 1.0))


def _answer(answers: Answers, asked: Question) -> Answer:
    try:
        if asked.if_decided is not None:
            return Answer(asked.number, advice=answers.advise(asked.if_decided))
        if asked.what_if is not None:
            return Answer(asked.number, what_if=answers.what_if(asked.what_if))
        if asked.draft_rule is not None:
            return Answer(asked.number, drafted=answers.draft_rule(asked.draft_rule))
        return Answer(asked.number, error=Invalid.__name__, message="nothing was asked")
    except (Invalid, NotFound) as error:
        return Answer(asked.number, error=type(error).__name__, message=str(error))
    except TriageError as error:
        return Answer(asked.number, error=NotAvailable.__name__, message=str(error))
