"""An advisor that answers what it was given, and notes what it was asked."""

from __future__ import annotations

from dataclasses import dataclass, field

from triage.advisor import (
    Advice,
    Advisor,
    AlikeCluster,
    Changed,
    Drafted,
    DraftRule,
    IfDecided,
    Lever,
    RuleDraft,
    Scored,
    Stop,
    WhatIf,
    WhatIfAnswer,
)
from triage.errors import NotAvailable

NOTHING = Advice(
    open=0,
    candidates=0,
    above=0,
    lowered=0,
    raised=0,
    fall=0,
    rise=0,
    against=(),
    against_total=0,
    same=0,
    other=0,
    alike=(),
    alike_total=0,
    left_out=0,
    teaches=True,
    labels=0,
    behind=0,
)
LEVERS = (
    Lever("amount", "amount", 2.0, (Stop(3.0, "20 €"), Stop(4.0, "55 €"), Stop(6.0, "412 €")), 2),
    Lever("hour", "hour", 0.5, (Stop(3.0, "03:00"), Stop(12.0, "12:00")), 0),
)
"""Two features that push towards anomaly, one of them strongly."""


DRAFT = RuleDraft(
    words=("amount at least 157.08 €",),
    config="  - kind: rules\n    rules: []",
    inside=3,
    members=3,
    confirmed=12,
    dismissed=0,
    open_clusters=2,
    open_candidates=7,
    wrong=1,
    ordinary=2_000,
    precision=0.684,
)


def alike(*cluster_ids: str) -> tuple[AlikeCluster, ...]:
    """Return clusters, each a little less alike."""
    return tuple(AlikeCluster(name, 0.9 - 0.1 * i) for i, name in enumerate(cluster_ids))


@dataclass
class GivenAdvisor(Advisor):
    """Answers with ``advice``; a score falls with the sum of the changes. ``trouble``: refuses."""

    advice: Advice = NOTHING
    trouble: str = ""
    draft: RuleDraft | None = None
    asked: list[IfDecided | WhatIf | DraftRule] = field(default_factory=list)
    opened: bool = False
    closed: bool = False

    async def open(self) -> None:
        """Note it."""
        self.opened = True

    async def close(self) -> None:
        """Note it."""
        self.closed = True

    async def advise(self, question: IfDecided) -> Advice:
        """Return what was given."""
        self._note(question)
        return self.advice

    async def what_if(self, question: WhatIf) -> WhatIfAnswer:
        """Return the same levers for everybody."""
        self._note(question)
        then = None
        if question.changes:
            margin = sum(question.changes.values()) - 5.0
            then = Scored(margin, 0.9 if margin > 0 else 0.1, margin >= 0.0)
        return WhatIfAnswer(
            candidate_id=question.candidate_id or "strongest",
            line=0.0,
            now=Scored(2.0, 0.88, alert=True),
            then=then,
            levers=LEVERS,
            smallest=(Changed("amount", "amount", "412 €", "20 €", 3.0),),
            left=Scored(-1.0, 0.27, alert=False),
        )

    async def draft_rule(self, question: DraftRule) -> Drafted:
        """Return what was given."""
        self._note(question)
        return Drafted(self.draft)

    def _note(self, question: IfDecided | WhatIf | DraftRule) -> None:
        self.asked.append(question)
        if self.trouble:
            raise NotAvailable(self.trouble)
