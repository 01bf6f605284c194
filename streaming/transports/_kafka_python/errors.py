"""kafka-python's errors in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka import errors

from streaming.errors import StreamingError
from streaming.transports._kafka_meanings import IMPOSSIBLE, meaning


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
    return text if name in text else f"{name}: {text}"
