"""kafka-python's clients where the broker goes away: nothing of them stays behind."""

from __future__ import annotations

import gc
import socket
import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from streaming.errors import TransportUnavailable
from streaming.transports._kafka_options import KafkaOptions
from streaming.transports._kafka_python import client
from streaming.transports._kafka_python.client import connect

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
