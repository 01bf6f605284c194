from __future__ import annotations

import pytest

from streaming.dead_letters import PREFIX, REPLAYED_FROM, Replay, dead_letter, dead_letters, parse
from streaming.decode import BadRecord
from streaming.errors import Retry
from streaming.records import TRUNCATED_FROM, OutRecord, Record, TopicPartition
from streaming.sources.base import MAX_ROW_BYTES
from streaming.transports.embedded import EmbeddedTransport
from tests.unit.streaming.flaky import AFTER, BEFORE, FlakyTransport

RAW = b'{"amount": "12\xff'
RECORD = Record("events", 1, 77, b"\x00key", RAW, 5, (("trace", b"\x01"),))
BAD = BadRecord(RECORD, "wrong_type", "amount", "Expected float, got str")


def log(letters: int, faults: tuple[str, ...] = ()) -> FlakyTransport:
    """A log with two topics; ``letters`` records of ``events`` have become dead letters."""
    transport = FlakyTransport(lambda: 0.0)
    transport.ensure_topic("events", 2)
    if letters:
        transport.ensure_topic("events.dlq", 2)
        rows = [
            dead_letter(
                BadRecord(Record("events", 1, n, b"k", b"bad %d" % n), "not_json", "", "no"), "v1"
            )
            for n in range(letters)
        ]
        records = [OutRecord(row.topic, row.key, row.value, row.headers) for row in rows]
        transport.publisher("relay").publish(records, 1)
    transport.faults = iter(faults)
    return transport


def values(transport: EmbeddedTransport) -> list[bytes]:
    return [record.value for record in transport.read(TopicPartition("events", 1), 0, 5_000)]


def test_a_dead_letter_is_the_record_and_the_reason() -> None:
    row = dead_letter(BAD, "config-1")
    assert (row.topic, row.key, row.value) == ("events.dlq", b"\x00key", RAW)
    assert row.headers == (
        ("trace", b"\x01"),
        ("triage.dlq.topic", b"events"),
        ("triage.dlq.partition", b"1"),
        ("triage.dlq.offset", b"77"),
        ("triage.dlq.code", b"wrong_type"),
        ("triage.dlq.field", b"amount"),
        ("triage.dlq.message", b"Expected float, got str"),
        ("triage.dlq.config", b"config-1"),
    )


def test_of_a_value_that_no_topic_takes_only_the_beginning_is_sent() -> None:
    whole = b"x" * (MAX_ROW_BYTES + 1)  # compressed, it has come through one
    record = Record("events", 1, 77, None, whole, 5, (("trace", b"1"),))
    row = dead_letter(BadRecord(record, "too_large", "", "too large"), "v1")
    assert row.value == whole[:-1]
    assert dict(row.headers)[TRUNCATED_FROM] == b"900001"
    exact = Record("events", 1, 77, None, whole[:-1])
    row = dead_letter(BadRecord(exact, "too_large", "", "too large"), "v1")
    assert row.value == whole[:-1]
    assert TRUNCATED_FROM not in dict(row.headers)


def test_it_is_read_back_as_it_was_written() -> None:
    row = dead_letter(BAD, "config-1")
    letter = parse(Record(row.topic, 0, 3, row.key, row.value, 9, row.headers))
    assert (letter.topic, letter.partition, letter.source_offset) == ("events", 1, 77)
    assert (letter.code, letter.field, letter.message) == (BAD.code, BAD.field, BAD.message)
    assert (letter.key, letter.value, letter.headers) == (
        RECORD.key,
        RECORD.value,
        RECORD.headers,
    )
    assert (letter.place, letter.offset) == (TopicPartition("events.dlq", 0), 3)


def test_a_letter_that_somebody_else_wrote_is_shown_too() -> None:
    letter = parse(Record("events.dlq", 0, 3, None, b"?", 9, ((PREFIX + "offset", b"\xff"),)))
    assert (letter.topic, letter.partition, letter.source_offset) == ("events", 0, 0)
    assert (letter.code, letter.message) == ("", "")


def test_a_record_that_is_bad_again_has_one_reason() -> None:
    first = dead_letter(BAD, "v1")
    again = Record("events", 0, 80, first.key, first.value, 9, first.headers)
    second = dead_letter(BadRecord(again, "not_json", "", "not JSON"), "v2")
    names = [name for name, _ in second.headers]
    assert len(names) == len(set(names)) == len(first.headers)
    assert dict(second.headers)["triage.dlq.offset"] == b"80"


def test_without_a_letter_there_is_nothing_to_list_or_to_send() -> None:
    transport = log(0)
    assert list(dead_letters(transport, "events")) == []
    assert Replay(transport, "events").step() == 0


def test_letters_are_listed_in_order() -> None:
    letters = list(dead_letters(log(1_200), "events"))
    assert [letter.source_offset for letter in letters] == list(range(1_200))


def test_replay_sends_the_original_bytes_once() -> None:
    transport = log(1_200)
    replay = Replay(transport, "events")
    assert [replay.step() for _ in range(4)] == [500, 500, 200, 0]
    replay.close()
    assert values(transport) == [b"bad %d" % n for n in range(1_200)]
    assert Replay(transport, "events").step() == 0
    first = transport.read(TopicPartition("events", 1), 0, 1)[0]
    assert first.key == b"k"
    (header,) = first.headers
    assert header[0] == REPLAYED_FROM
    assert header[1].startswith(b"events.dlq/")
    assert header[1].endswith(b"/0")


def test_a_letter_that_was_cut_is_not_sent_again(caplog: pytest.LogCaptureFixture) -> None:
    transport = log(1)
    headers = ((TRUNCATED_FROM, b"2700010"),)
    cut = BadRecord(Record("events", 1, 7, b"k", b"cut", 0, headers), "too_large", "", "no")
    row = dead_letter(cut, "v1")
    assert headers[0] in row.headers
    letters = [OutRecord(row.topic, row.key, row.value, row.headers)] * 600
    publisher = transport.publisher("relay")
    publisher.publish(letters, 2)
    last = BadRecord(Record("events", 1, 8, b"k", b"whole"), "not_json", "", "no")
    row = dead_letter(last, "v1")
    publisher.publish([OutRecord(row.topic, row.key, row.value, row.headers)], 3)
    replay = Replay(transport, "events")
    assert [replay.step() for _ in range(3)] == [1, 1, 0]
    assert replay.skipped == 600
    assert values(transport) == [b"bad 0", b"whole"]
    assert "only their beginning was kept" in caplog.text


def test_a_forged_letter_goes_to_the_topic_asked_for() -> None:
    transport = log(1)
    transport.ensure_topic("verified", 1)
    forged = ((PREFIX + "topic", b"verified"), (PREFIX + "partition", b"99"))
    transport.publisher("evil").publish([OutRecord("events.dlq", b"k", b"x", forged)], 1)
    assert Replay(transport, "events").step() == 2
    assert list(transport.read(TopicPartition("verified", 0), 0, 10)) == []


@pytest.mark.parametrize("fault", [BEFORE, AFTER])
def test_replay_goes_on_after_an_unknown_outcome(fault: str) -> None:
    transport = log(700, faults=(fault,))
    broken = Replay(transport, "events")
    with pytest.raises(Retry):
        broken.step()
    replay = Replay(transport, "events")
    while replay.step():
        pass
    assert values(transport) == [b"bad %d" % n for n in range(700)]
