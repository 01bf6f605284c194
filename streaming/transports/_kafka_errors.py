"""Kafka's errors in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka import errors

from streaming.errors import Fenced, Stop, StreamingError, TransportUnavailable, UnknownTopic

_MEANINGS: tuple[tuple[tuple[type[Exception], ...], type[StreamingError], str], ...] = (
    (
        (
            errors.ProducerFencedError,
            errors.InvalidProducerEpochError,
            errors.FencedInstanceIdError,
            errors.FencedMemberEpochError,
        ),
        Fenced,
        "a newer one of the same name has taken over; stop this one",
    ),
    ((errors.UnknownTopicOrPartitionError,), UnknownTopic, "there is no such topic"),
    ((errors.InvalidTopicError,), Stop, "not a name that a topic can have"),
    (
        (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError),
        Stop,
        "a record is too large for the broker; raise max.message.bytes of the topic",
    ),
    (
        (errors.AuthorizationError, errors.SaslAuthenticationFailedError),
        Stop,
        "the broker refuses; check the user and its access rights",
    ),
    (
        (
            errors.UnsupportedVersionError,
            errors.KafkaConfigurationError,
            errors.InvalidReplicationFactorError,
            errors.InvalidPartitionsError,
            errors.PolicyViolationError,
        ),
        Stop,
        "the broker can't do this",
    ),
)


def explain(error: Exception, what: str) -> StreamingError:
    """Say what the error means for the caller; what is not known to be final is worth a retry."""
    for kinds, meaning, text in _MEANINGS:
        if isinstance(error, kinds):
            return meaning(f"{what}: {text} ({_named(error)})")
    return TransportUnavailable(f"{what}: Kafka can't be reached or is not ready ({_named(error)})")


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
