"""Server-sent events: every change in the store, in order, to every page, without a gap.

One look at the store serves all pages. A page says which change it saw last; what came after it is
taken from memory if it is recent and from the store if it is not, so a restart loses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any

from triage.case_queries import Looking
from triage.errors import Retry
from triage.queries import Change, Queries
from triage_ui.settings import BoardSettings
from triage_ui.wire import clean, looking

BATCH = 500
"""Changes read at once."""
KEPT = 2000
"""Changes kept in memory for pages that are a little behind."""
TOO_FAR = 5000
"""A page this many changes behind is told to read everything anew: that is less than replaying."""
TROUBLE_WAIT_S = 1.0
PRESENCE_S = 1.0
"""Seconds between two looks at who looks at what."""


def frame(event: str, data: Any, event_id: int | None = None) -> bytes:
    """Return one server-sent event. JSON has no raw line break, so one data line is enough."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {event}\ndata: {json.dumps(clean(data), allow_nan=False)}\n\n".encode()


class LiveHub:
    """Looks for changes while someone listens. Belongs to one event loop."""

    def __init__(self, queries: Queries, settings: BoardSettings) -> None:
        self._queries = queries
        self._settings = settings
        self._recent: deque[Change] = deque(maxlen=KEPT)
        self._position = 0
        self._trouble = ""
        self._listeners = 0
        self._news = asyncio.Event()
        self._poller: asyncio.Task[None] | None = None
        self._closed = False
        self._looking: Sequence[Looking] = ()
        self._look_at = 0.0

    @property
    def listeners(self) -> int:
        """Pages that listen now."""
        return self._listeners

    def close(self) -> None:
        """End all streams; pages reconnect by themselves. Call it in the loop, before shutdown."""
        self._closed = True
        self._wake()

    async def stream(self, after: int | None) -> AsyncIterator[bytes]:
        """Yield frames: ``hello``, then ``change`` as they come, ``ping`` in silence.

        ``after`` is the last change the page has seen, None for "from now on". ``reset`` tells the
        page that it can't be brought up to date by changes and must read everything anew.
        """
        self._listeners += 1
        try:
            await self._start()
            last, reset = self._begin(after)
            yield b"retry: 1000\n" + frame("hello", {"position": last}, last)
            if reset:
                yield frame("reset", {"position": last}, last)
            async for part in self._follow(last):
                yield part
        finally:
            self._listeners -= 1
            if self._listeners == 0:
                self._stop()

    async def _follow(self, last: int) -> AsyncIterator[bytes]:
        told: Sequence[Looking] = ()
        while not self._closed:
            news = self._news
            changes = await self._after(last)
            if not changes and told == self._looking:
                await self._silence(news)
                changes = await self._after(last)
            if told != self._looking:
                yield frame("presence", {"looking": [looking(row) for row in self._looking]})
                told = self._looking
            elif not changes:
                yield frame("ping", {"at": self._settings.clock(), "trouble": self._trouble})
            for change in changes:
                last = change.change_id
                yield frame("change", _change(change, self._settings.clock()), last)

    def _begin(self, after: int | None) -> tuple[int, bool]:
        if after is None:
            return self._position, False
        behind = self._position - after
        return (after, False) if 0 <= behind <= TOO_FAR else (self._position, True)

    async def _after(self, last: int) -> Sequence[Change]:
        if last >= self._position:
            return ()
        if self._recent and self._recent[0].change_id <= last + 1:
            return [change for change in self._recent if change.change_id > last]
        return await asyncio.to_thread(self._queries.changes_after, last, BATCH)

    async def _silence(self, news: asyncio.Event) -> None:
        """Return on news or after the silence that calls for a ping; raise if the poller failed."""
        if self._poller is not None and self._poller.done():
            self._poller.result()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.ping_s):
                await news.wait()

    async def _start(self) -> None:
        if self._poller is not None and not self._poller.done():
            return
        self._recent.clear()  # there may be a gap to what was kept
        status = await asyncio.to_thread(self._queries.status, self._settings.clock())
        self._position = status.position
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll(), name="live changes")

    def _stop(self) -> None:
        if self._poller is not None:
            self._poller.cancel()
            self._poller = None

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _poll(self) -> None:
        while not self._closed:
            try:
                changes = await asyncio.to_thread(
                    self._queries.changes_after, self._position, BATCH
                )
            except Retry as error:
                self._note(str(error))
                await asyncio.sleep(TROUBLE_WAIT_S)
                continue
            self._note("")
            await self._look()
            if changes:
                self._recent.extend(changes)
                self._position = changes[-1].change_id
                self._wake()
            await asyncio.sleep(0 if len(changes) == BATCH else self._settings.poll_s)

    async def _look(self) -> None:
        """See who looks at what, once in a while."""
        now = self._settings.clock()
        if now < self._look_at:
            return
        self._look_at = now + PRESENCE_S
        with contextlib.suppress(Retry):
            found = await asyncio.to_thread(self._queries.looking, now)
            if found != self._looking:
                self._looking = found
                self._wake()

    def _note(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._wake()


def _change(change: Change, now: float) -> dict[str, Any]:
    return {
        "id": change.change_id,
        "kind": change.kind,
        "at": change.at,
        "lag": round(max(0.0, now - change.at), 3),
        "data": dict(change.data),
    }
