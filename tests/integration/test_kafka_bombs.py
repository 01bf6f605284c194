"""Batches that are small on the wire and huge when decompressed: memory stays bounded."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid

import pytest
from confluent_kafka import Producer

from streaming.decode import Decoder
from streaming.errors import Stop
from streaming.records import Record, TopicPartition
from streaming.transports.registry import open_transport
from tests.contract.transport_harness import reader, take
from tests.support.kafka_clients import transport as transport_to
from tests.support.streams import small_config

BOMB_BYTES = 200_000_000
LIMIT_MB = 150  # a consumer that took the bomb would need 600
BOMBS = 8  # all at once they would need 1,600 MB
SOME_MB = 900  # two, as librdkafka has them and as Python has them, and some air
WAIT_S = 120

READ = """
import json, sys, time
from pathlib import Path
from streaming.transports.registry import open_transport
from tests.contract.transport_harness import reader, take

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if "VmHWM" in line).split()[1]) / 1e3

transport = open_transport(sys.argv[1], time.time)
consumer = reader(transport, sys.argv[2])
consumer.poll(0, 1)
before = peak()
found = take(consumer, 2)
consumer.close()
transport.close()
print(json.dumps({
    "grown": peak() - before,
    "records": [
        [each.offset, each.value.decode(), [[name, v.decode()] for name, v in each.headers]]
        for each in found
    ],
}))
"""


DRAIN = """
import json, sys, time
from pathlib import Path
from streaming.transports.registry import open_transport
from tests.contract.transport_harness import reader

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if "VmHWM" in line).split()[1]) / 1e3

transport = open_transport(sys.argv[1], time.time)
consumer = reader(transport, sys.argv[2])
before, sizes = peak(), []
while len(sizes) < int(sys.argv[3]):
    sizes += [len(each.value) for each in consumer.poll(0.1, 1_000)]
consumer.close()
transport.close()
print(json.dumps({"grown": peak() - before, "sizes": sizes}))
"""


def bomb(bootstrap: str, compression: str, partitions: int = 1) -> str:
    """Make a topic, in each partition a bomb and an ordinary record after it; return its name."""
    topic = f"bomb-{uuid.uuid4().hex[:8]}"
    transport = transport_to(bootstrap)
    transport.create(topic, partitions, None, {"max.message.bytes": str(1 << 20)})
    transport.close()
    sizes = {"message.max.bytes": 2 * BOMB_BYTES, "queue.buffering.max.kbytes": 1 << 20}
    for value in (b"0" * BOMB_BYTES, b'{"amount": 1}'):
        for partition in range(partitions):
            producer = Producer(
                {"bootstrap.servers": bootstrap, "compression.type": compression, **sizes}
            )
            producer.produce(topic, value, partition=partition)
            assert producer.flush(WAIT_S) == 0
    return topic


@pytest.mark.parametrize("compression", ["gzip", "zstd", "lz4"])
def test_a_bomb_becomes_a_dead_letter_and_the_stream_goes_on(
    kafka_bootstrap: str, compression: str
) -> None:
    topic = bomb(kafka_bootstrap, compression)
    told = subprocess.run(
        [sys.executable, "-c", READ, f"kafka://{kafka_bootstrap}?prefix={topic}", topic],
        capture_output=True,
        check=True,
        timeout=WAIT_S,
        text=True,
    )
    found = json.loads(told.stdout)
    assert found["grown"] < LIMIT_MB
    (at, value, headers), after = found["records"]
    assert after == [1, '{"amount": 1}', []]
    sent = tuple((name, text.encode()) for name, text in headers)
    record = Record(topic, 0, at, None, value.encode(), headers=sent)
    (bad,) = Decoder(small_config().fields).decode([record]).bad
    assert bad.code == "too_large"
    assert "a batch of 1 records of over 33554432 bytes" in bad.message
    assert "none is kept" in bad.message


def test_librdkafka_takes_few_batches_at_a_time_since_it_decompresses_them_whole(
    kafka_bootstrap: str,
) -> None:
    topic = bomb(kafka_bootstrap, "lz4", BOMBS)
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            DRAIN,
            f"kafka+librdkafka://{kafka_bootstrap}?prefix={topic}",
            topic,
            str(2 * BOMBS),
        ],
        capture_output=True,
        check=True,
        timeout=WAIT_S,
        text=True,
    )
    found = json.loads(told.stdout)
    assert sorted(found["sizes"]) == [13] * BOMBS + [BOMB_BYTES] * BOMBS
    assert found["grown"] < SOME_MB


def test_what_librdkafka_will_not_decompress_stops_with_the_remedy(kafka_bootstrap: str) -> None:
    topic = bomb(kafka_bootstrap, "zstd")
    transport = open_transport(f"kafka+librdkafka://{kafka_bootstrap}?prefix={topic}", time.time)
    consumer = reader(transport, topic)
    with pytest.raises(Stop, match="go on through kafka://"):
        take(consumer, 2)
    with pytest.raises(Stop, match="go on through kafka://"):
        transport.read(TopicPartition(topic, 0), 0, 10)
    consumer.close()
    transport.close()
