"""What librdkafka's clients are told, and how records are taken from them."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import Consumer, Message

from streaming.records import Record
from streaming.transports._kafka_options import KafkaOptions
from streaming.transports._kafka_reach import check_reachable
from streaming.transports._librdkafka.errors import Told

log = logging.getLogger(__name__)


class _Once(logging.Filter):
    """Lets a line through unless it says what the last one said, its numbers aside.

    Where a broker takes a connection and closes it librdkafka tries again, and tells, 20 times a
    second.
    """

    _last = ""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is news."""
        said = re.sub(r"\d+", "", record.getMessage())
        last, self._last = self._last, said
        return said != last


log.addFilter(_Once())

RECONNECT_MS = 1_000  # between two tries; by default up to 10 s pass after a broker has come back
TOKEN_S = 60.0  # a token is read anew before so much time has passed

READER_SETTINGS: Mapping[str, Any] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "isolation.level": "read_committed",
    "allow.auto.create.topics": False,
    "enable.partition.eof": True,  # tells of offsets that hold nothing for readers
    "check.crcs": True,
    "fetch.wait.max.ms": 100,
    "queued.max.messages.kbytes": 16 << 10,  # of each partition, fetched ahead
    # Of one answer of a broker, compressed: librdkafka has no limit for what gzip and lz4 make of
    # it, up to 1,032 and 255 times as much. A batch that is larger comes alone.
    "fetch.max.bytes": 1 << 20,
    "receive.message.max.bytes": 32 << 20,  # of a zstd batch when decompressed, too
}


def settings_of(options: KafkaOptions, told: Told) -> dict[str, Any]:
    """Return the options in librdkafka's words; may hold secrets."""
    found: dict[str, Any] = {
        "bootstrap.servers": options.name,
        "security.protocol": options.protocol.lower(),
        "reconnect.backoff.max.ms": RECONNECT_MS,
        "error_cb": told,
        "logger": log,
    }
    if options.client_id:
        found["client.id"] = options.client_id
    if tls := options.tls:
        files = {
            "ssl.ca.location": tls.ca,
            "ssl.certificate.location": tls.cert,
            "ssl.key.location": tls.key,
            "ssl.key.password": tls.key_password,
        }
        found |= {name: value for name, value in files.items() if value}
    if sasl := options.sasl:
        found["sasl.mechanism"] = sasl.mechanism
        if sasl.token:
            found["oauth_cb"] = _token(sasl.token)
        else:
            found |= {"sasl.username": sasl.user, "sasl.password": sasl.password}
    return found


def reading(options: KafkaOptions, told: Told, **settings: Any) -> Consumer:
    """Return a client that reads; dots in the names of ``settings`` are written as underscores.

    Raises TransportUnavailable where the cluster can't be reached.
    """
    check_reachable(options)
    more = {name.replace("_", "."): value for name, value in settings.items() if value is not None}
    return Consumer({**settings_of(options, told), **READER_SETTINGS, **more})


def take(consumer: Consumer, limit: int, timeout_s: float) -> list[Message]:
    """Return what is there, at most ``limit``; wait for the first of them only."""
    found = consumer.consume(limit, 0)
    if found or timeout_s <= 0:
        return found
    first = consumer.poll(timeout_s)
    return [] if first is None else [first, *consumer.consume(limit - 1, 0)]


def to_record(topic: str, found: Message) -> Record:
    """Return a message of this topic as our record; a null value is an empty one."""
    headers: Any = found.headers()
    return Record(
        topic,
        found.partition(),  # type: ignore[arg-type]  # a message that was read has one
        found.offset(),  # type: ignore[arg-type]
        found.key(),
        found.value() or b"",
        found.timestamp()[1],
        tuple((name, value or b"") for name, value in headers) if headers else (),
    )


def _token(ask: Callable[[], str]) -> Callable[[str], tuple[str, float]]:
    return lambda config: (ask(), time.time() + TOKEN_S)
