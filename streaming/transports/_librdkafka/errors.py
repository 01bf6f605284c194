"""librdkafka's errors in our words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException

from streaming.errors import Stop, StreamingError
from streaming.transports._kafka_meanings import meaning, not_taken

# Numbers of the library's own, and those of the protocol that mean the same.
_SAME: Mapping[int, int] = {
    KafkaError._FENCED: KafkaError.PRODUCER_FENCED,
    KafkaError._UNKNOWN_TOPIC: KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_PARTITION: KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._AUTHENTICATION: KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError._INVALID_ARG: KafkaError.UNSUPPORTED_VERSION,
}
_FINAL = frozenset({KafkaError._AUTHENTICATION})
_CONNECTION = frozenset({KafkaError._SSL, KafkaError._TRANSPORT})


class Told:
    """Keeps what a client was told in the background: why its operations fail, or time out.

    Attributes:
        final: after this nothing works any more.
        cause: of the failure of the operation at hand.
        trouble: why the last connection came to nothing.
        reached: whether an operation has ever succeeded.
    """

    def __init__(self) -> None:
        self.final: KafkaError | None = None
        self.cause: KafkaError | None = None
        self.trouble: KafkaError | None = None
        self.reached = False

    def __call__(self, error: KafkaError) -> None:
        """Take note of an error: the client's ``error_cb``."""
        if error.fatal() or error.code() in _FINAL:
            self.final = error
        elif error.code() in _CONNECTION:
            self.trouble = error


def explain(error: KafkaError, what: str) -> StreamingError:
    """Say what the error means for the caller."""
    code = error.code()
    if code == KafkaError._BAD_COMPRESSION:
        return Stop(
            f"{what}: a batch is damaged or decompresses to too much ({error.str()}); go on through"
            " kafka:// in place of kafka+librdkafka://, which makes a dead letter of it"
        )
    return meaning(_SAME.get(code, code), what, f"{error.name()}: {error.str()}")


@contextmanager
def explained(what: str, told: Told) -> Iterator[None]:
    """Turn librdkafka's errors into ours; ``what`` was being done or is concerned."""
    try:
        yield
    except KafkaException as error:
        why = told.final or told.cause or error.args[0]
        if why.code() == KafkaError._TIMED_OUT and not told.reached:
            raise not_taken(what, (told.trouble or why).str()) from error
        raise explain(why, what) from error
    told.reached = True
