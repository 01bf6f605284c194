"""What became of members that nobody read, and how sure it is that few of them were real."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

from triage.closing import Bound
from triage.queries import AuditRow, ClusterDetail, VerdictRow
from triage_ui.components.chips import verdict_chip
from triage_ui.components.dom import Node, attributes, table
from triage_ui.text import ago, count, visible

MEANING = (
    "Members that nobody read leave the queue with their cluster only while blind random audits "
    "show that few of them are real: at most this share (95 %, valid at every look), up to the "
    "oldest audit that waits. What all readers would get wrong alike no audit shows; late truth "
    "does, where it has spoken of enough audits."
)
ASSUMED = "if readers are not all wrong alike"


def unread(verdict: VerdictRow) -> list[Node]:
    """Return how many members were read, and where the others are."""
    told: list[Node] = [f"{count(verdict.read, 'member')} read"]
    if verdict.closed:
        told.append(f", {verdict.closed:,} closed unread")
    if verdict.audited:
        told.append(f", {verdict.audited:,} drawn for blind audits")
    waiting = verdict.propagated - verdict.closed - verdict.audited
    if verdict.rest and waiting > 0:
        link = html.A(
            "the rest", href=f"/cluster/{verdict.rest}", className="link", **attributes(data_nav="")
        )
        told += [f", {waiting:,} unread in ", link]
    return told


def closed_unread(detail: ClusterDetail) -> Sequence[Component]:
    """Return the sentence under the verdict that stands, where it left members unread."""
    parts: list[Component] = []
    if detail.again:
        text = "You said real, against the verdict on its like. A second read decides: yours."
        parts.append(html.P(text, className="facts"))
    left = [verdict for verdict in detail.verdicts if verdict.propagated]
    if detail.row.verdict is None or not left:
        return parts
    newest = max(left, key=lambda verdict: verdict.at)
    told = unread(newest)
    if newest.closed and detail.bound is not None:
        told += ["; ", sentence(detail.bound)]
    return [*parts, html.P([*told, "."], className="facts closed-unread")]


def sentence(bound: Bound) -> str:
    """Return what is known of wrong closings.

    >>> sentence(Bound("s", 0.0312, 0.05, 1900, 96, 0, 0, 12)).partition(" (")[0]
    'if readers are not all wrong alike, at most 3.1 % of such closings are wrong'
    """
    made_of = f"95 %, {count(bound.audits, 'audit')}, {bound.wrong:,} wrong"
    if bound.by_truth:
        made_of += f", late truth on {bound.told:,}"
    assumed = "" if bound.by_truth else f"{ASSUMED}, "
    return f"{assumed}at most {100 * bound.share:.1f} % of such closings are wrong ({made_of})"


def bounds(rows: Sequence[Bound]) -> Component:
    """Return the bound of each stream, with all that it is made of."""
    if not rows:
        text = "No verdict has left anything unread that it would close."
        return html.P(text, className="quiet")
    names = ("Stream", "Wrong at most", "Allowed", "Closing", "Closed unread", "Made of")
    return html.Div(
        [
            html.P(MEANING, className="quiet"),
            table(names, [_bound(row) for row in rows], id="bounds"),
        ]
    )


def _bound(row: Bound) -> Component:
    made_of = f"{count(row.audits, 'audit')} of {count(row.closings, 'closing')}"
    made_of += f", {row.wrong:,} wrong"
    if row.audits:
        few = "" if row.by_truth or not row.told else ", too few to tell"
        made_of += f"; late truth on {row.told:,} of them{few}"
    if row.unread_real:
        made_of += f"; {row.unread_real:,} that nobody read turned out real"
    if row.waiting:
        made_of += f"; {count(row.waiting, 'audit')} waiting"
    most: list[Node] = ["not known"]
    if row.closings:
        holds = "late truth bears it out" if row.by_truth else ASSUMED
        most = [f"{100 * row.share:.1f} %", html.Span(holds, className="under")]
    allowed = f"{100 * row.limit:g} %" if row.limit else "never closes"
    return html.Tr(
        [
            html.Th(html.Bdi(visible(row.stream, 60)), scope="row"),
            html.Td(most),
            html.Td(allowed),
            html.Td("on" if row.met else "off"),
            html.Td(f"{row.closed:,}"),
            html.Td(made_of, className="quiet"),
        ]
    )


def audits(rows: Sequence[AuditRow], stream: str | None, now: float) -> list[Component]:
    """Return the answered audits, and the way to all of them as a file."""
    if not rows:
        return [html.P("No audit has been answered yet.", className="quiet")]
    names = ("Member", "Found", "Checks", "By", "When")
    where = "" if stream is None else f"?stream={quote(stream, safe='')}"
    return [
        table(names, [_audit(row, now) for row in rows], id="audits"),
        html.A("All as CSV", href=f"/api/v1/export/audits{where}", className="link"),
    ]


def _audit(row: AuditRow, now: float) -> Component:
    def link(text: Node, cluster_id: str) -> Component:
        return html.A(
            text, href=f"/cluster/{cluster_id}", className="link", **attributes(data_nav="")
        )

    return html.Tr(
        [
            html.Th(link(html.Bdi(visible(row.title, 200)), row.cluster_id), scope="row"),
            html.Td(_found(row)),
            html.Td(link(verdict_chip(row.kind), row.of)),
            html.Td(html.Bdi(visible(row.actor, 60))),
            html.Td(ago(row.at, now)),
        ]
    )


def _found(row: AuditRow) -> str:
    found = "real: wrongly closed" if row.wrong else "rightly closed"
    return found if row.truth is None else f"{found}, by late truth"
