"""Clusters as a plain table of links: where an analyst looks things up rather than decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dash import html
from dash.development.base_component import Component

from triage.model import ClusterStatus
from triage.queries import QueueRow
from triage_ui.components.chips import verdict_chip
from triage_ui.components.dom import attributes, table
from triage_ui.text import clock, percent, visible


def cluster_table(
    rows: Sequence[QueueRow], members: Mapping[str, int], now: float, caption: str
) -> Component:
    """Return the table.

    Args:
        members: cluster id -> how many of its members are meant here, else all of them.
        caption: for who can't see where the table stands.
    """
    names = ("Cluster", "Members", "Likely real", "Last event (UTC)", "Verdict")
    return table(
        names,
        [_row(row, members.get(row.cluster_id, row.size), now) for row in rows],
        caption=caption,
    )


def _row(row: QueueRow, members: int, now: float) -> Component:
    title = html.A(
        html.Bdi(visible(row.title, 200)),
        href=f"/cluster/{row.cluster_id}",
        className="link",
        **attributes(data_nav=""),
    )
    under = " · ".join(filter(None, (visible(row.stream, 60), visible(row.subtitle, 200))))
    of = f" of {row.size:,}" if members != row.size else ""
    return html.Tr(
        [
            html.Th([title, html.Bdi(under, className="under")], scope="row"),
            html.Td(f"{members:,}{of}"),
            html.Td(percent(row.posterior)),
            html.Td(clock(row.last_time, now)),
            html.Td(_verdict(row)),
        ]
    )


def _verdict(row: QueueRow) -> Component | str:
    if row.verdict is not None:
        return verdict_chip(row.verdict)
    return {
        ClusterStatus.SECOND_OPINION: "second opinion",
        ClusterStatus.SUPPRESSED: "suppressed",
    }.get(row.status, "waiting")
