"""Which config of a stream is in force, since when and why: an append-only log per stream.

Pure: each function takes the log (oldest first) and returns its next entry, or refuses.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from triage.errors import Conflict, Invalid, NotFound, Refused

MAX_REASON = 4_000  # characters


class Stage(StrEnum):
    """How far a version has come: ``shadow`` shows nothing, ``canary`` a share of the keys.

    One that is ``watched`` is in force, and the one before it runs on beside it to compare.
    """

    SHADOW = "shadow"
    CANARY = "canary"
    WATCHED = "watched"
    LIVE = "live"


TRIED = (Stage.SHADOW, Stage.CANARY)


class RolloutKind(StrEnum):
    """What somebody did."""

    START = "start"  # a worker or run was started with the file
    APPLY = "apply"
    BACK = "back"
    STOP = "stop"  # a guard took a version back that was tried or watched
    KEEP = "keep"  # a guard has watched a version long enough
    RETIRE = "retire"  # the stream is given up, until somebody goes back


TOOK_BACK = (RolloutKind.BACK, RolloutKind.STOP)


@dataclass(frozen=True, slots=True)
class Rollout:
    """One entry: what is in force from here on.

    Attributes:
        number: of the stream's entries, from 1 without gaps.
        version: of the config in force.
        beside: of the config that runs beside it, "" if none: the one that is tried, or the one
            before where that in force is watched; ``stage`` says which, ``live`` where none does.
        previous: the entry that going back returns to, 0 if there is none.
    """

    stream: str
    number: int
    kind: RolloutKind
    version: str
    beside: str = ""
    stage: Stage = Stage.LIVE
    previous: int = 0
    author: str = ""
    reason: str = ""
    at: float = 0.0

    @property
    def tried(self) -> str:
        """Version that is tried, "" if none is."""
        return self.beside if self.stage in TRIED else ""

    @property
    def retired(self) -> bool:
        """Whether the stream has been given up."""
        return self.kind is RolloutKind.RETIRE


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks for a roll-out, why and when."""

    author: str
    reason: str
    at: float


class Superseded(Refused):
    """A config was in force before and something newer has taken its place."""


def started(
    log: Sequence[Rollout], stream: str, version: str, asked: Request, *, watch: bool = False
) -> Rollout | None:
    """A process starts with a file: return the entry that brings it into force, None if it is.

    Raises Superseded where that would roll a newer version back without anybody saying so, or take
    up a stream that was retired.
    """
    refuse_retired(log)
    if log and log[-1].version == version:
        return None
    if known := _newest_of(log, version):
        author = _brought(log).author or "an earlier start"
        raise Superseded(
            f"{stream}: this file is version {version[:12]}, {_fate(log, known)}. What is in force "
            f"is version {log[-1].version[:12]}, from {author}. To run that: name the "
            f"stream instead of a file (--stream {stream}). To return to this file: triage apply "
            f"{_way_to(log, stream, version)}"
        )
    return _in_force(log, stream, RolloutKind.START, version, asked, watch=watch)


def registered(log: Sequence[Rollout], stream: str, version: str, at: float) -> Rollout | None:
    """Return the entry that brings a version into force whatever was before; None if it is."""
    if log and log[-1].version == version:
        return None
    return _next(log, stream, RolloutKind.START, version, Request("", "", at), previous=_top(log))


def applied(
    log: Sequence[Rollout],
    stream: str,
    version: str,
    asked: Request,
    *,
    again: bool = False,
    watch: bool = False,
) -> Rollout:
    """Return the entry that brings a version into force for all; to be watched, if so wanted.

    Raises Superseded where it had its turn before (unless ``again``), Conflict if it is in force.
    """
    _check(asked)
    refuse_retired(log)
    current = log[-1] if log else None
    if current and current.version == version:
        if not current.tried:
            raise Conflict(f"{stream}: version {version[:12]} is in force already", version)
    elif not (current and current.tried == version):
        _not_known(log, stream, version, again=again)
    return _in_force(log, stream, RolloutKind.APPLY, version, asked, watch=watch)


def staged(
    log: Sequence[Rollout],
    stream: str,
    version: str,
    stage: Stage,
    asked: Request,
    *,
    again: bool = False,
) -> Rollout:
    """Return the entry that tries a version beside the one in force."""
    _check(asked)
    if not log:
        raise NotFound(f"{stream} never ran: there is nothing to try a version beside")
    refuse_retired(log)
    current = log[-1]
    if current.version == version:
        raise Conflict(f"{stream}: version {version[:12]} is in force already", version)
    if current.tried == version:
        if current.stage is stage:
            raise Conflict(f"{stream}: version {version[:12]} is in {stage} already", version)
    else:
        _not_known(log, stream, version, again=again)
    entry = _next(log, stream, RolloutKind.APPLY, current.version, asked, current.previous)
    return dataclasses.replace(entry, beside=version, stage=stage)


def went_back(
    log: Sequence[Rollout], stream: str, asked: Request, of: int | None = None
) -> Rollout:
    """Return the entry that takes the last change back: what is tried, else what is in force.

    A stream that was retired is taken up again, with what was in force. ``of``: number of the
    change that is meant.

    Raises NotFound where there is nothing before it, Conflict where ``of`` is not the last change.
    """
    _check(asked)
    if not log:
        raise NotFound(f"{stream} never ran: there is nothing to go back to")
    current = log[-1]
    if of is not None and of != current.number:
        raise moved_on(log, stream, of)
    if current.tried:
        return _next(log, stream, RolloutKind.BACK, current.version, asked, current.previous)
    if not current.previous:
        raise NotFound(
            f"{stream}: version {current.version[:12]} is the first; there is nothing before it"
        )
    target = log[current.previous - 1]
    return _next(log, stream, RolloutKind.BACK, target.version, asked, target.previous)


def moved_on(log: Sequence[Rollout], stream: str, of: int) -> Conflict:
    """Return the refusal to take back a change that is not the last one."""
    last = log[-1]
    return Conflict(
        f"{stream}: the last change is roll-out {last.number} ({told(last)}), not {of}, so nothing "
        f"was done. To take that one back: triage apply --back --of {last.number} {stream}"
    )


def told(entry: Rollout) -> str:
    """Say what an entry did, who and why: ``version 0a1b2c3d4e5f in force, by eve (faster)``."""
    what = f"version {entry.version[:12]} in force"
    if entry.tried:
        what = f"version {entry.tried[:12]} tried in {entry.stage}"
    elif entry.retired:
        what = "the stream retired"
    elif entry.kind in TOOK_BACK:
        what = f"taken back to version {entry.version[:12]}"
    return f"{what}, {_by(entry)}".rstrip(", ")


def retired(log: Sequence[Rollout], stream: str, asked: Request) -> Rollout:
    """Return the entry that gives a stream up; what is tried in it ends. Nothing is deleted.

    Raises NotFound where there is no such stream, Conflict where it is retired already.
    """
    _check(asked)
    if not log:
        raise NotFound(f"{stream}: there is no such stream, so there is nothing to retire")
    current = log[-1]
    if current.retired:
        raise Conflict(f"{stream} is retired already, {_by(current)}", current.version)
    return _next(log, stream, RolloutKind.RETIRE, current.version, asked, current.number)


def refuse_retired(log: Sequence[Rollout]) -> None:
    """Raise Superseded if the stream is retired."""
    if log and log[-1].retired:
        entry = log[-1]
        raise Superseded(
            f"{entry.stream} was retired {_by(entry)}. To take it up again: triage apply --back "
            f"{entry.stream}"
        )


def stopped(log: Sequence[Rollout], number: int, asked: Request) -> Rollout | None:
    """A guard takes back what is tried or watched since entry ``number``: None if that is over."""
    current = log[-1]
    if current.number != number or not current.beside:
        return None
    target = current if current.tried else log[current.previous - 1]
    return _next(log, current.stream, RolloutKind.STOP, target.version, asked, target.previous)


def kept(log: Sequence[Rollout], number: int, asked: Request) -> Rollout | None:
    """A guard has watched since entry ``number`` long enough: None if that is over already."""
    current = log[-1]
    if current.number != number or current.stage is not Stage.WATCHED:
        return None
    return _next(log, current.stream, RolloutKind.KEEP, current.version, asked, current.previous)


def _check(asked: Request) -> None:
    if len(asked.reason) > MAX_REASON:
        raise Invalid(f"reason: at most {MAX_REASON} characters")


def _not_known(log: Sequence[Rollout], stream: str, version: str, *, again: bool) -> None:
    known = _newest_of(log, version)
    if known and not again:
        raise Superseded(
            f"{stream}: version {version[:12]} had its turn, {_fate(log, known)}. To take the last "
            f"change back: triage apply --back {stream}. To bring this file into force all the "
            "same: --again"
        )


def _brought(log: Sequence[Rollout]) -> Rollout:
    """Return the entry that brought what is in force into force; tries since then don't count."""
    since = log[-1]
    for entry in reversed(log):
        if entry.version != since.version:
            break
        since = entry
    return since


def _newest_of(log: Sequence[Rollout], version: str) -> Rollout | None:
    """Return the last entry in which a version was in force or tried."""
    return next((one for one in reversed(log) if version in (one.version, one.tried)), None)


def _fate(log: Sequence[Rollout], known: Rollout) -> str:
    """Say what became of a version after its last entry."""
    if known.number == len(log):
        return f"tried in {known.stage} now"
    after = log[known.number]
    what = {
        RolloutKind.START: "replaced at a start",
        RolloutKind.APPLY: "replaced",
        RolloutKind.BACK: "taken back",
        RolloutKind.STOP: "stopped",
        RolloutKind.RETIRE: "retired",
    }[after.kind]
    return f"{what} {_by(after)}".rstrip()


def _by(entry: Rollout) -> str:
    """Say who did it and why: ``by eve (no longer needed)``."""
    who = f"by {entry.author}" if entry.author else ""
    return f"{who} ({entry.reason})".strip() if entry.reason else who


def _way_to(log: Sequence[Rollout], stream: str, version: str) -> str:
    """Return the arguments by which an old version comes into force again."""
    previous = log[-1].previous
    return (
        f"--back {stream}" if previous and log[previous - 1].version == version else "FILE --again"
    )


def _in_force(
    log: Sequence[Rollout],
    stream: str,
    kind: RolloutKind,
    version: str,
    asked: Request,
    *,
    watch: bool,
) -> Rollout:
    entry = _next(log, stream, kind, version, asked, previous=_top(log))
    if not watch or not log or log[-1].version == version:
        return entry
    return dataclasses.replace(entry, beside=log[-1].version, stage=Stage.WATCHED)


def _top(log: Sequence[Rollout]) -> int:
    return log[-1].number if log else 0


def _next(
    log: Sequence[Rollout],
    stream: str,
    kind: RolloutKind,
    version: str,
    asked: Request,
    previous: int,
) -> Rollout:
    return Rollout(
        stream=stream,
        number=_top(log) + 1,
        kind=kind,
        version=version,
        previous=previous,
        author=asked.author,
        reason=asked.reason,
        at=asked.at,
    )
