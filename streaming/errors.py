"""Errors, named by what the caller should do.

StreamingError
  Retry            nothing happened, or it is not known what did: try again
    TransportUnavailable   the log can't be reached
  SlowDown         the log is full for now: wait, then send again
  Stop             going on would lose or repeat an effect: stop and tell a person
    PositionLost     the position asked for has been deleted by retention
    UnknownTopic     there is no such topic
    Fenced           another process has taken over
    ConfigInvalid    a config can't be used; ``problems`` has one line each
    SourceInvalid    a source file can't be read
"""

from __future__ import annotations

from collections.abc import Sequence


class StreamingError(Exception):
    """Base of all errors of this package."""


class Retry(StreamingError):
    """Try again."""


class TransportUnavailable(Retry):
    """The log can't be reached."""


class SlowDown(StreamingError):
    """The log is full for now: wait, then send again."""


class Stop(StreamingError):
    """Going on would lose or repeat an effect."""


class PositionLost(Stop):
    """The position asked for has been deleted by retention."""


class UnknownTopic(Stop):
    """There is no such topic."""


class Fenced(Stop):
    """Another process has taken over this partition, topic or lease."""


class ConfigInvalid(Stop):
    """A config can't be used.

    Attributes:
        problems: one line each: ``file:line: key: what is wrong, remedy``.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class SourceInvalid(Stop):
    """A source file can't be read; the message names the file and the remedy."""
