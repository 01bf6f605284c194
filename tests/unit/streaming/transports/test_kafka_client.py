"""kafka-python's clients where the broker goes away: nothing of them stays behind."""

from __future__ import annotations

import contextlib
import gc
import logging
import socket
import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import InvalidReplicationFactorError
from kafka.net.transport import KafkaTCPTransport

from streaming.errors import Stop, TransportUnavailable
from streaming.transports._kafka_options import KafkaOptions
from streaming.transports._kafka_python import client, last_words
from streaming.transports._kafka_python.client import connect
from streaming.transports._kafka_python.errors import explain
from streaming.transports._kafka_reach import check_reachable
from streaming.transports._librdkafka.client import log as librdkafka_log
from streaming.transports._librdkafka.errors import Told, explained

WORKING_S = 10.0  # no client's thread takes so long to end


def leaves_after_one_look() -> str:
    """Return the address of somebody who takes one connection and is gone."""
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()

    def take_one() -> None:
        taken, _ = listener.accept()
        listener.close()
        taken.close()

    threading.Thread(target=take_one, daemon=True).start()
    return f"{address[0]}:{address[1]}"


@pytest.mark.parametrize("kind", [KafkaAdminClient, KafkaConsumer, KafkaProducer])
def test_a_client_that_cannot_be_made_leaves_no_socket_and_no_thread(
    kind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "BOOTSTRAP_MS", 300)
    before = set(threading.enumerate())
    gc.collect()  # what others have left is not ours
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(TransportUnavailable, match=r"127\.0\.0\.1"):
            connect(kind, KafkaOptions((leaves_after_one_look(),)))
        for thread in set(threading.enumerate()) - before:
            thread.join(WORKING_S)
            assert not thread.is_alive(), thread.name
        gc.collect()
    assert not [str(one.message) for one in warned if one.category is ResourceWarning]


def test_what_comes_with_the_end_of_a_connection_is_heard() -> None:
    last_words.install()
    last_words.install()  # once is enough, twice does no harm
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.sendall(b"refused")
        theirs.close()
        transport = KafkaTCPTransport(None, ours, host="broker")
        assert transport._sock_recv() == (b"refused", None)
        data, error = transport._sock_recv()
    assert data == b""
    assert error is not None


def test_somebody_who_is_no_broker_is_told_of_with_what_was_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "BOOTSTRAP_MS", 1_000)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with contextlib.suppress(OSError):  # the listener's end
                while True:
                    taken, _ = listener.accept()
                    with taken:
                        taken.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(TransportUnavailable, match="check that security, sasl and cert"):
            connect(KafkaAdminClient, KafkaOptions((f"127.0.0.1:{listener.getsockname()[1]}",)))
        listener.shutdown(socket.SHUT_RDWR)


def test_a_name_that_is_no_host_is_told_from_a_host_without_a_broker() -> None:
    with pytest.raises(TransportUnavailable, match="no host of this name"):
        check_reachable(KafkaOptions(("nobody.invalid:9092",)))
    with pytest.raises(TransportUnavailable, match="no Kafka broker answers"):
        check_reachable(KafkaOptions(("127.0.0.1:1",)))


def test_what_a_broker_says_of_a_request_is_told_without_the_request() -> None:
    whole = "Request 'Create(name='a')' failed with 'Result(error_message=\"It can't.\", n=-1)'."
    told = explain(InvalidReplicationFactorError(whole), "topic a")
    assert isinstance(told, Stop)
    assert "--replication" in str(told)
    assert str(told).endswith("(InvalidReplicationFactorError: It can't.)")


def test_librdkafka_says_why_it_was_never_taken_and_not_what_passed() -> None:
    told = Told()
    told(KafkaError(KafkaError._SSL, "bad certificate"))
    late = KafkaException(KafkaError(KafkaError._TIMED_OUT, "waiting"))
    with (
        pytest.raises(TransportUnavailable, match=r"bad certificate.*check that security"),
        explained("topic a", told),
    ):
        raise late
    with explained("topic a", told):
        pass
    with pytest.raises(TransportUnavailable, match=r"not ready.*waiting"), explained("a", told):
        raise late


def test_librdkafka_tells_the_same_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for text in ("FAIL after 3ms", "FAIL after 14ms", "other", "FAIL after 1ms"):
        librdkafka_log.error(text)
    assert caplog.messages == ["FAIL after 3ms", "other", "FAIL after 1ms"]
