"""The small recurring duties of a stream; whoever runs its grouper does them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cli.loop import Step
from streaming import metrics
from streaming.metrics import Metrics
from streaming.stage_guard import StageGuard
from triage.closer import Closer
from triage.closing import Bound
from triage.expiry import Expiry
from triage.guard import SuppressionGuard
from triage.late_truth import LateJoins
from triage.store.base import Store


def keepers(
    store: Store, stream: str, clock: Callable[[], float], counted: Metrics | None = None
) -> Sequence[Step]:
    """Return them. Each is one transaction at a time; several processes may do them at once."""
    values = counted or Metrics()

    def tell(bound: Bound) -> None:
        values.set(metrics.CLOSED_UNREAD, stream, to=bound.closed)
        values.set(metrics.WRONG_BOUND, stream, to=bound.share)
        values.set(metrics.BY_TRUTH, stream, to=float(bound.by_truth))
        values.set(metrics.AUDITS, stream, "right", to=bound.audits - bound.wrong)
        values.set(metrics.AUDITS, stream, "wrong", to=bound.wrong)

    return [
        Expiry(store, clock),
        LateJoins(store, stream, clock),
        SuppressionGuard(store, stream, clock),
        Closer(store, stream, clock, tell),
        StageGuard(store, stream, clock, counted),
    ]
