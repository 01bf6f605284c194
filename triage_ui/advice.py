"""The panel of the advisor's answer: asked for by a key, painted when the answer is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import Dash, Input, Output, no_update
from dash.development.base_component import Component

from triage.advisor import Advice, AlikeCluster, IfDecided
from triage.errors import NotAvailable, TriageError
from triage.model import VerdictKind
from triage.queries import ClusterDetail
from triage_ui.actor import current_actor
from triage_ui.components.advice import advice, not_available
from triage_ui.services import Services, in_thread

MOST_ALIKE = 8  # open clusters that the verdict can be given to as well
MOST_AGAINST = 3
LISTED = 2
"""Members shown of each of them: these count as read there."""


def register_advice(board: Dash, services: Services) -> None:
    """Add the callback of the panel."""

    async def details(
        clusters: Sequence[AlikeCluster], most: int, members: int
    ) -> list[tuple[ClusterDetail, float]]:
        viewer = current_actor().name
        found = []
        for one in clusters[:most]:
            detail = await in_thread(services.queries.cluster, one.cluster_id, members, viewer)
            if detail is not None and detail.row.verdict is None:
                found.append((detail, one.likeness))
        return found

    async def answer(question: IfDecided) -> Component:
        found: Advice = await services.advisor.advise(question)
        against = await details(found.against, MOST_AGAINST, 1)
        alike = await details(found.alike, MOST_ALIKE, LISTED)
        return advice(
            found,
            question.kind,
            question.cluster_id,
            [detail for detail, _ in against],
            [detail for detail, _ in alike],
            [likeness for _, likeness in alike],
            services.settings.clock(),
        )

    @board.callback(Output("advice-body", "children"), Input("advice-ask", "data"))
    async def show_advice(asked: dict[str, Any] | None) -> Any:
        question = _question(asked, current_actor().name)
        if question is None:
            return no_update
        try:
            return await answer(question)
        except NotAvailable as error:
            return not_available(str(error))
        except TriageError as error:
            return not_available(f"{error}; look at the cluster again")


def _question(asked: dict[str, Any] | None, actor: str) -> IfDecided | None:
    """Return what the page asks; None if that is nothing. It comes from a browser."""
    if not asked:
        return None
    cluster, kind, read = asked.get("cluster"), asked.get("kind"), asked.get("read")
    known = isinstance(cluster, str) and kind in {each.value for each in VerdictKind}
    if not known or not isinstance(read, list) or not all(isinstance(one, str) for one in read):
        return None
    return IfDecided(str(cluster), VerdictKind(str(kind)), tuple(read[:100]), actor)
