"""The advisor in a process of its own, as the board sees it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence

import msgspec

from streaming.advisor.wire import MAX_LINE, Answer, Question, answer, dump
from triage.advisor import Advice, Drafted, DraftRule, IfDecided, WhatIf, WhatIfAnswer
from triage.errors import Invalid, NotAvailable, NotFound

log = logging.getLogger(__name__)

PATIENCE_S = 2.0  # seconds for an answer; longer helps nobody who is about to press a key
RESTART_S = 5.0  # seconds between two starts
LONGEST_RESTART_S = 300.0
MOST_WAITING = 16  # questions at a time; more would only wait for their patience to end
STUCK = 5  # questions in a row without an answer, after which the process is ended
STARTING_S = 30.0  # seconds that a process may take until it answers
END_S = 3.0  # seconds to end by itself when its input is closed

ERRORS = {each.__name__: each for each in (Invalid, NotFound, NotAvailable)}


class ProcessAdvisor:
    """Asks a child process; see ``triage.advisor.Advisor``.

    Nothing but the question itself waits for it. A child that died, or that does not answer any
    more, is started again, not more often than every five seconds and ever less often while it
    keeps dying; until then the answer is "not available".

    Args:
        argv: the program that runs ``streaming.advisor.serve``.
        clock: seconds of any origin.
        patience: seconds.
    """

    def __init__(
        self, argv: Sequence[str], clock: Callable[[], float], patience: float = PATIENCE_S
    ) -> None:
        self._argv, self._clock, self._patience = list(argv), clock, patience
        self._process: Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._numbers = itertools.count(1)
        self._open: dict[int, asyncio.Future[Answer]] = {}
        self._started_at: float | None = None
        self._pause = RESTART_S
        self._unanswered = 0
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Start the process."""
        with contextlib.suppress(NotAvailable):
            await self._running()

    async def close(self) -> None:
        """End the process: by closing its input, else by force."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), END_S)
        except TimeoutError:
            process.kill()
            await process.wait()
        if self._reader is not None:
            await self._reader

    async def advise(self, question: IfDecided) -> Advice:
        """Return what a verdict would change."""
        number = next(self._numbers)
        found = await self._ask(Question(number, if_decided=question))
        if found.advice is None:
            raise NotAvailable("the advisor gave another answer than was asked for")
        return found.advice

    async def what_if(self, question: WhatIf) -> WhatIfAnswer:
        """Return how a member would score with other values."""
        number = next(self._numbers)
        found = await self._ask(Question(number, what_if=question))
        if found.what_if is None:
            raise NotAvailable("the advisor gave another answer than was asked for")
        return found.what_if

    async def draft_rule(self, question: DraftRule) -> Drafted:
        """Return a rule around a cluster."""
        number = next(self._numbers)
        found = await self._ask(Question(number, draft_rule=question))
        if found.drafted is None:
            raise NotAvailable("the advisor gave another answer than was asked for")
        return found.drafted

    async def _ask(self, asked: Question) -> Answer:
        process = await self._running()
        if len(self._open) >= MOST_WAITING:
            raise NotAvailable("the advisor has too many questions before it; ask again")
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._open[asked.number] = future
        try:
            assert process.stdin is not None  # noqa: S101 - it was started with a pipe
            process.stdin.write(dump(asked))
            found = await asyncio.wait_for(future, self._patience)
        except (TimeoutError, ConnectionError) as error:
            self._note_silence(process)
            raise NotAvailable("the advisor does not answer in time; ask again") from error
        finally:
            self._open.pop(asked.number, None)
        self._unanswered, self._pause = 0, RESTART_S
        if found.error:
            raise ERRORS.get(found.error, NotAvailable)(found.message)
        return found

    def _note_silence(self, process: Process) -> None:
        starting = self._started_at is not None and self._clock() - self._started_at < STARTING_S
        self._unanswered += not starting
        if self._unanswered >= STUCK and process.returncode is None:
            log.warning("the advisor does not answer any more: ending it")
            process.kill()

    async def _running(self) -> Process:
        """Return the process, started again if it has died and it is time to."""
        async with self._lock:
            if self._process is not None and self._process.returncode is None:
                return self._process
            now = self._clock()
            if self._started_at is not None:
                if now - self._started_at < self._pause:
                    raise NotAvailable("the advisor has ended; it is started again in a moment")
                self._pause = min(2 * self._pause, LONGEST_RESTART_S)
            self._started_at, self._unanswered = now, 0
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self._argv, stdin=PIPE, stdout=PIPE, limit=MAX_LINE
                )
            except OSError as error:
                raise NotAvailable(f"the advisor can't be started: {error}") from error
            self._reader = asyncio.create_task(self._read(self._process))
            return self._process

    async def _read(self, process: Process) -> None:
        """Hand answers to those who wait for them, until the process ends."""
        assert process.stdout is not None  # noqa: S101 - it was started with a pipe
        try:
            while line := await process.stdout.readline():
                found = answer(line)
                future = self._open.get(found.number)
                if future is not None and not future.done():
                    future.set_result(found)
        except (ValueError, msgspec.DecodeError) as error:
            log.warning("the advisor's output can't be read: %s", error)
            process.kill()
        await process.wait()
        for future in self._open.values():
            if not future.done():
                future.set_exception(NotAvailable("the advisor has ended; ask again in a moment"))
