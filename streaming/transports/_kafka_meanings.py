"""What Kafka's errors mean for the caller, by the numbers of its protocol."""

from __future__ import annotations

from streaming.errors import (
    Fenced,
    PositionLost,
    Stop,
    StreamingError,
    TransportUnavailable,
    UnknownTopic,
)
from streaming.records import Position, TopicPartition

FENCED = frozenset({47, 82, 90, 110})  # epochs, and names that are there twice
UNKNOWN_TOPIC = frozenset({3})
INVALID_NAME = frozenset({17})
TOO_LARGE = frozenset({10, 18})
REFUSED = frozenset({29, 30, 31, 53, 58, 65})  # access rights and passwords
NO_MECHANISM = frozenset({33, 34})
TOO_MANY_COPIES = frozenset({38})
IMPOSSIBLE = frozenset({35, 37, 44})  # versions, numbers of partitions, policies

_MEANINGS: tuple[tuple[frozenset[int], type[StreamingError], str], ...] = (
    (FENCED, Fenced, "a newer one of the same name has taken over; stop this one"),
    (UNKNOWN_TOPIC, UnknownTopic, "there is no such topic"),
    (INVALID_NAME, Stop, "not a name that a topic can have"),
    (
        TOO_LARGE,
        Stop,
        "a record is too large for the broker; raise max.message.bytes of the topic",
    ),
    (REFUSED, Stop, "the broker refuses; check the user and its access rights"),
    (NO_MECHANISM, Stop, "the broker has no such way to sign in; choose another sasl"),
    (
        TOO_MANY_COPIES,
        Stop,
        "the cluster can't keep so many copies; ask for fewer with --replication, or add brokers",
    ),
    (IMPOSSIBLE, Stop, "the broker can't do this"),
)


def meaning(code: int | None, what: str, detail: str) -> StreamingError:
    """Say what an error means; what is not known to be final is worth a retry."""
    for codes, kind, text in _MEANINGS:
        if code in codes:
            return kind(f"{what}: {text} ({detail})")
    return TransportUnavailable(f"{what}: Kafka can't be reached or is not ready ({detail})")


def not_taken(name: str, trouble: object) -> TransportUnavailable:
    """Say that somebody listens there who does not take us; ``trouble`` is what was seen of it."""
    return TransportUnavailable(
        f"{name}: somebody listens there, but does not take us as a client ({trouble}): if the"
        " broker isn't just starting, check that security, sasl and cert are what this listener"
        " of it asks for"
    )


def out_of_range(
    place: TopicPartition, position: Position, start: Position, end: Position
) -> StreamingError:
    """Say on which side of the log the position is, and what that means."""
    if position > end:
        return beyond_end(place, position, end)
    return PositionLost(
        f"{place.topic}/{place.partition}: position {position} has been deleted by retention, the"
        f" log starts at {start}: up to {start - position} records are lost"
    )


def beyond_end(place: TopicPartition, position: Position, end: Position) -> Stop:
    """Say that the log is older than the position."""
    return Stop(
        f"{place.topic}/{place.partition}: position {position} is beyond the log's end {end}: the"
        " topic was replaced or restored from an older copy than the store. Restore the store of"
        " the same time, or give the stream a new name"
    )
