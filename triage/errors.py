"""Errors, named by what the caller should do.

TriageError
  Retry              nothing happened: try again later
    StoreUnavailable   the database can't be reached, is locked or full
    NotAvailable       the advisor can't answer now; nothing else depends on it
  Refused            nothing happened, and asking again won't help: tell the person
    NotAllowed         the actor's role may not do this
    NotFound           there is no such object
    Invalid            the command itself is wrong
    NotSignedIn        who asks hasn't proved who they are
    TooMany            asked too often; ``wait_s`` says how long to wait
    Conflict           someone else was faster; ``current`` says what stands now
  Stop               going on would lose or repeat an effect: stop and tell a person
    Fenced             another process has taken over
    TopicReplaced      the topic is not the one that the positions belong to
    StateDiverged      a replay gave another result than the first time
    SchemaUnknown      the database was made by another version of this program
    StoreDamaged       the database file is damaged, or is no database
    StoreRefuses       the database refuses our user, or what it may not do
"""

from __future__ import annotations


class TriageError(Exception):
    """Base of all errors of this package."""


class Retry(TriageError):
    """Nothing happened: try again later."""


class StoreUnavailable(Retry):
    """The database can't be reached, is locked or full; the message names the remedy."""


class NotAvailable(Retry):
    """The advisor can't answer now; the message says why. Everything else goes on."""


class Refused(TriageError):
    """Nothing happened, and asking again won't help."""


class NotAllowed(Refused):
    """The actor's role may not do this."""


class NotFound(Refused):
    """There is no such object."""


class Invalid(Refused):
    """The command itself is wrong."""


class NotSignedIn(Refused):
    """Who asks hasn't proved who they are."""


class TooMany(Refused):
    """Asked too often.

    Attributes:
        wait_s: seconds until asking again may help.
    """

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class Conflict(Refused):
    """The object has changed since the caller saw it.

    Attributes:
        current: the verdict id that stands now, empty if there is none.
    """

    def __init__(self, message: str, current: str = "") -> None:
        super().__init__(message)
        self.current = current


class Stop(TriageError):
    """Going on would lose or repeat an effect."""


class Fenced(Stop):
    """Another process has taken over this partition or lease."""


class TopicReplaced(Stop):
    """The topic is not the one that the stored positions belong to."""


class StateDiverged(Stop):
    """A candidate came a second time with another score: the replay isn't exact."""


class SchemaUnknown(Stop):
    """The database was made by another version of this program."""


class StoreDamaged(Stop):
    """The database file is damaged, or is no database."""


class StoreRefuses(Stop):
    """The database refuses our user, or what it may not do; the message names the remedy."""
