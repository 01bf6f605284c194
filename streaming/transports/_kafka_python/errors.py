"""kafka-python's errors in our words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from kafka import errors

from streaming.errors import StreamingError
from streaming.transports._kafka_meanings import IMPOSSIBLE, meaning

# What a broker has said of a request; the text of the error has all of the request around it.
_SAID = re.compile(r"""error_message=(['"])(?P<said>.+?)\1""")


def explain(error: Exception, what: str) -> StreamingError:
    """Say what the error means for the caller."""
    code = getattr(error, "errno", None)
    if isinstance(error, errors.KafkaConfigurationError | errors.UnsupportedCodecError):
        code = min(IMPOSSIBLE)
    return meaning(code, what, _named(error))


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn Kafka's errors into ours; ``what`` was being done or is concerned."""
    try:
        yield
    except errors.KafkaError as error:
        raise explain(error, what) from error


def _named(error: Exception) -> str:
    text = str(error)
    name = type(error).__name__
    if said := _SAID.search(text):
        return f"{name}: {said['said']}"
    return text if name in text else f"{name}: {text}"
