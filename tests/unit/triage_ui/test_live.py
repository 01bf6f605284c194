from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.triage_ui.conftest import Board
from tests.unit.triage_ui.serving import Served, wait_until
from triage.case_queries import Looking
from triage.errors import StoreUnavailable
from triage.queries import BoardStatus, Change, Queries
from triage_ui.live import TOO_FAR, LiveHub, frame
from triage_ui.settings import BoardSettings

MANY = 200  # lines: some twenty seconds of pings


def change(number: int) -> Change:
    return Change(number, "clusters", 100.0, {"ids": [f"c{number}"]})


@dataclass
class Changes:
    """The part of ``Queries`` that the hub reads."""

    made: list[Change] = field(default_factory=list)
    broken: bool = False
    looks: int = 0

    def changes_after(self, change_id: int, limit: int) -> Sequence[Change]:
        self.looks += 1
        if self.broken:
            raise StoreUnavailable("the disk is full")
        return [one for one in self.made if one.change_id > change_id][:limit]

    def looking(self, now: float) -> Sequence[Looking]:
        return []

    def status(self, now: float) -> BoardStatus:
        return BoardStatus((), 0, 0, 0, self.made[-1].change_id if self.made else 0)


def hub_over(changes: Changes) -> LiveHub:
    settings = BoardSettings(clock=lambda: 100.5, poll_s=0.002, ping_s=0.1)
    queries: Any = changes
    reading: Queries = queries
    return LiveHub(reading, settings)


def parsed(raw: bytes) -> tuple[str, dict[str, Any]]:
    lines = dict(line.split(": ", 1) for line in raw.decode().strip().split("\n"))
    return lines["event"], json.loads(lines["data"])


async def take(stream: AsyncIterator[bytes], wanted: int) -> list[int]:
    """Return the ids of the next changes; pings and the like are passed over."""
    ids: list[int] = []
    async with asyncio.timeout(20):
        async for raw in stream:
            event, data = parsed(raw)
            if event == "change":
                ids.append(data["id"])
            if len(ids) == wanted:
                return ids
    return ids


@given(
    before=st.integers(0, 20),
    later=st.lists(st.integers(1, 7), max_size=6),
    seen=st.integers(0, 20),
)
def test_a_page_gets_every_change_after_the_one_it_knows_once_and_in_order(
    before: int, later: list[int], seen: int
) -> None:
    seen = min(seen, before)

    async def run() -> list[int]:
        changes = Changes([change(number) for number in range(1, before + 1)])
        hub = hub_over(changes)
        stream = hub.stream(seen)
        await anext(stream)
        for size in later:
            at = len(changes.made)
            changes.made.extend(change(number) for number in range(at + 1, at + size + 1))
            await asyncio.sleep(0)
        ids = await take(stream, before + sum(later) - seen) if before + sum(later) > seen else []
        await stream.aclose()  # type: ignore[attr-defined]  # an async generator
        return ids

    assert asyncio.run(run()) == list(range(seen + 1, before + sum(later) + 1))


def test_many_pages_share_one_look_at_the_store() -> None:
    async def run() -> tuple[list[list[int]], int]:
        changes = Changes([change(1)])
        hub = hub_over(changes)
        streams = [hub.stream(None) for _ in range(20)]
        for stream in streams:
            await anext(stream)
        looks = changes.looks
        changes.made.extend(change(number) for number in range(2, 12))
        got = await asyncio.gather(*(take(stream, 10) for stream in streams))
        return got, changes.looks - looks

    got, looks = asyncio.run(run())
    assert got == [list(range(2, 12))] * 20
    assert looks < 20


def test_a_page_that_is_too_far_behind_is_told_to_read_anew() -> None:
    async def run() -> list[str]:
        hub = hub_over(Changes([change(TOO_FAR + 2)]))
        stream = hub.stream(1)
        return [parsed((await anext(stream)).removeprefix(b"retry: 1000\n"))[0] for _ in range(2)]

    assert asyncio.run(run()) == ["hello", "reset"]


def test_a_page_of_another_store_is_told_to_read_anew() -> None:
    async def run() -> str:
        hub = hub_over(Changes([change(3)]))
        stream = hub.stream(7)
        await anext(stream)
        return parsed(await anext(stream))[0]

    assert asyncio.run(run()) == "reset"


def test_trouble_with_the_store_is_said_and_passes() -> None:
    async def run() -> list[str]:
        changes = Changes([change(1)])
        hub = hub_over(changes)
        stream = hub.stream(None)
        await anext(stream)
        changes.broken = True
        said = []
        async with asyncio.timeout(20):
            async for raw in stream:
                event, data = parsed(raw)
                said.append(data["trouble"] if event == "ping" else event)
                if said[-1] == "the disk is full":
                    changes.broken = False
                    changes.made.append(change(2))
                if said[-1] == "change":
                    break
        return said

    said = asyncio.run(run())
    assert "the disk is full" in said
    assert said[-1] == "change"


def test_a_defect_in_the_poller_ends_the_streams_instead_of_going_silent() -> None:
    class Broken(Changes):
        def changes_after(self, change_id: int, limit: int) -> Sequence[Change]:
            raise RuntimeError("a defect")

    async def run() -> None:
        stream = hub_over(Broken([change(1)])).stream(None)
        async with asyncio.timeout(20):
            async for _ in stream:
                pass

    with pytest.raises(RuntimeError, match="a defect"):
        asyncio.run(run())


def test_nobody_listens_nobody_looks() -> None:
    async def run() -> None:
        changes = Changes([change(1)])
        hub = hub_over(changes)
        stream = hub.stream(None)
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]  # an async generator
        assert hub.listeners == 0
        looks = -1
        async with asyncio.timeout(20):
            while looks != changes.looks:  # the last one may be on its way
                looks = changes.looks
                await asyncio.sleep(0.1)  # time for fifty

    asyncio.run(run())


def test_closing_ends_all_streams() -> None:
    async def run() -> bool:
        hub = hub_over(Changes([change(1)]))
        stream = hub.stream(None)
        await anext(stream)
        hub.close()
        async with asyncio.timeout(20):
            async for _ in stream:
                pass
        return True

    assert asyncio.run(run())


def test_a_frame_is_one_event_whatever_is_in_it() -> None:
    raw = frame("change", {"text": "a\n\nevent: x\r\n", "number": float("nan")}, 7).decode()
    assert raw.count("\n\n") == 1
    assert raw.endswith("\n\n")
    assert parsed(raw.encode()) == ("change", {"text": "a\n\nevent: x\r\n", "number": None})


def listening(client: httpx.Client, **headers: str) -> Any:
    return client.stream("GET", "/api/v1/changes", headers=headers)


def first_change(answer: httpx.Response) -> dict[str, Any]:
    event = ""
    for line in islice(answer.iter_lines(), MANY):
        name, _, value = line.partition(": ")
        event = value if name == "event" else event
        if name == "data" and event == "change":
            data: dict[str, Any] = json.loads(value)
            return data
    raise AssertionError("the stream ended")


def test_changes_come_over_http_unbuffered_and_resume(board: Board) -> None:
    board.sign_in()
    with listening(board.client) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"
        cluster = board.desk.cluster(2)
        seen = first_change(answer)
        assert cluster in seen["data"]["ids"]
    second = board.desk.cluster(2, "second")
    with listening(board.client, **{"last-event-id": str(seen["id"])}) as answer:
        assert second in first_change(answer)["data"]["ids"]
    with listening(board.client, **{"last-event-id": "rubbish"}) as answer:
        assert answer.status_code == 200


def test_a_stream_ends_with_its_session(board: Board) -> None:
    board.sign_in()
    with listening(board.client) as answer:
        lines = answer.iter_lines()
        assert "retry" in next(lines)
        with board.served.client(None) as other:  # the stream holds the only connection
            other.cookies = board.client.cookies
            other.headers["x-csrftoken"] = board.client.headers["x-csrftoken"]
            assert other.post("/sign-out").status_code == 204
        assert len(list(islice(lines, 60))) < 60
    assert board.client.get("/api/v1/changes").status_code == 401


def test_a_board_with_open_streams_stops(board: Board) -> None:
    served: Served = board.served
    with served.client() as client, listening(client) as answer:
        assert answer.status_code == 200
        wait_until(lambda: served.app.state.hub.listeners == 1, "the listener")
        served.stop()  # joins within the grace, else fails
