"""What of a verdict, or of taking one back, is refused."""

from __future__ import annotations

from collections.abc import Sequence

from triage.cases import Case, Verdict
from triage.commands import Command, RecordVerdict, UndoVerdict
from triage.errors import Conflict, Invalid
from triage.model import Actor, ClusterStatus, VerdictKind, VerdictState

MAX_TEXT = 4_000  # characters of a reason or scope
MAX_READ = 1_000  # members that a person can have read
CLOSED = (ClusterStatus.DECIDED, ClusterStatus.MERGED)


def check(command: Command, at: float) -> None:
    """Refuse what no state of the case could make valid."""
    check_request(command.idempotency_key, command.reason)
    if isinstance(command, UndoVerdict):
        return
    if len(command.scope) > MAX_TEXT:
        raise Invalid(f"scope: at most {MAX_TEXT} characters")
    check_named(command.read)
    if command.kind is VerdictKind.EXPECTED:
        if not command.scope.strip():
            raise Invalid("expected: say in scope what is expected")
        if command.expires_at is None or not at < command.expires_at < float("inf"):
            raise Invalid("expected: expires_at must be a time in the future")


def check_decidable(
    case: Case, command: RecordVerdict, standing: Sequence[Verdict], actor: Actor | None
) -> None:
    """``actor`` None: whoever gave a first opinion may give the second."""
    if case.status is ClusterStatus.SECOND_OPINION and any(
        actor is not None and verdict.actor == actor.name for verdict in standing
    ):
        raise Conflict("this cluster waits for a second opinion: yours was the first")
    if case.status in CLOSED or command.revision != case.revision:
        raise _conflict(case, standing)


def check_undoable(verdict: Verdict, standing: Sequence[Verdict]) -> None:
    """``standing``: the verdicts that stand on its cluster, oldest first."""
    if verdict.state in (VerdictState.UNDONE, VerdictState.RETRACTED):
        raise Conflict("this verdict has been taken back already", verdict.verdict_id)
    if standing[-1].verdict_id != verdict.verdict_id:
        newest = standing[-1]
        raise Conflict(
            f"{newest.actor} has decided since ({newest.kind}): undo that one first",
            newest.verdict_id,
        )


def _conflict(case: Case, standing: Sequence[Verdict]) -> Conflict:
    """Say what stands now. A first, unsure opinion stays hidden from the second analyst."""
    if case.status is ClusterStatus.DECIDED and standing:
        newest = standing[-1]
        return Conflict(
            f"{newest.actor} decided {newest.kind} at {_clock(newest.at)}: reload the cluster",
            newest.verdict_id,
        )
    return Conflict("the cluster has changed since you opened it: reload it")


def _clock(at: float) -> str:
    return f"{int(at) // 3600 % 24:02d}:{int(at) // 60 % 60:02d}:{int(at) % 60:02d} UTC"


def check_read(read: Sequence[str], members: Sequence[str]) -> None:
    """Refuse what can't be the members that were on the screen."""
    strangers = set(read).difference(members)
    if strangers:
        raise Invalid(f"read: not in this cluster: {', '.join(sorted(strangers)[:3])}")


def check_named(read: Sequence[str]) -> None:
    """Refuse too few, too many or the same member twice."""
    if not 0 < len(read) <= MAX_READ:
        raise Invalid(f"read: name the members that were on the screen, 1 to {MAX_READ}")
    if len(set(read)) != len(read):
        raise Invalid("read: a member is named twice")


def check_request(key: str, reason: str) -> None:
    """Refuse a key or a reason of another length than these have."""
    if not 0 < len(key) <= 200:
        raise Invalid("idempotency_key: 1 to 200 characters")
    if len(reason) > MAX_TEXT:
        raise Invalid(f"reason: at most {MAX_TEXT} characters")
