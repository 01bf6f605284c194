"""The preview of a cluster: why, when, what happens if I decide, and its first members."""

from __future__ import annotations

import json
from typing import Any

from dash import html
from dash.development.base_component import Component

from triage.model import Actor, MemberState, VerdictKind
from triage.queries import ClusterDetail, MemberRow, QueueRow
from triage_ui.components.chips import fate, verdict_chip
from triage_ui.components.closing import closed_unread
from triage_ui.components.consequences import consequences
from triage_ui.components.disputes import waiting
from triage_ui.components.dom import attributes, kbd, section
from triage_ui.components.reasons import reason_bars
from triage_ui.components.when import when_strip
from triage_ui.entity import main_entity
from triage_ui.text import VERDICT_WORDS, ago, clock, count, percent, visible
from triage_ui.timeline import Timeline


def preview(detail: ClusterDetail, now: float, viewer: Actor | None = None) -> Component:
    """Return the preview; its root tells scripts what a verdict given now is about.

    The drawing of *when* comes a moment later (``preview_when``): it reads many events.
    """
    row = detail.row
    shown = suggested_or_real(row.suggested)
    return html.Article(
        [
            html.H2(visible(row.title, 300), className="title", dir="auto"),
            html.P(facts(detail), className="facts"),
            *decided(detail, now, viewer),
            section(
                "Why",
                reason_bars(detail.reasons),
                name="why",
                aside="value, usual range",
            ),
            html.Div(id="preview-when", **attributes(data_cluster=row.cluster_id)),
            section(
                html.Span(
                    ["If you say ", html.Span(VERDICT_WORDS[shown].lower(), className="if-verdict")]
                ),
                consequences(len(detail.members), detail.members_total, detail.similar, shown),
                name="decide",
            ),
            section(
                "Members",
                member_list(detail, now),
                name="members",
                aside=[
                    f"{len(detail.members):,} of {detail.members_total:,} ",
                    kbd("Enter"),
                    " opens all",
                ],
            ),
        ],
        id="subject",
        **subject(detail),
    )


def preview_when(line: Timeline) -> Component:
    """Return the drawing of *when*."""
    aside = f"{line.name or 'events'}, in order of time"
    return section("When", when_strip(line), name="when", aside=aside)


def suggested_or_real(suggested: VerdictKind) -> VerdictKind:
    """Return the verdict whose consequences are shown first: doubt asks about *real*."""
    return VerdictKind.REAL if suggested is VerdictKind.UNSURE else suggested


def subject(detail: ClusterDetail) -> dict[str, Any]:
    """Return what scripts need to give a verdict on what is on the screen."""
    return attributes(
        data_cluster=detail.row.cluster_id,
        data_revision=detail.row.revision,
        data_read=" ".join(member.candidate.candidate_id for member in detail.members),
        data_total=detail.members_total,
        data_title=visible(detail.row.title, 200),
        data_entity=main_entity(detail.members) or visible(detail.row.title, 200),
        data_status=detail.row.status,
        data_suggested=detail.row.suggested,
        data_choices=json.dumps([visible(choice, 60) for choice in detail.choices]),
        data_assignee=detail.row.assignee,
    )


def nothing_selected() -> Component:
    """What stands where no cluster is under the cursor."""
    return html.P("No cluster is selected.", className="nothing")


def gone() -> Component:
    """What stands where a cluster was that is no more."""
    return html.P("This cluster is no longer there. It may have been merged.", className="facts")


def facts(detail: ClusterDetail) -> str:
    """Return one line of facts: who, how many, who says so, how sure."""
    row = detail.row
    parts = [
        visible(row.stream, 60),
        visible(row.subtitle, 300),
        count(row.size, "member"),
        f"score {_scores(row)} by {detector_name(detail.detector)}",
        f"{percent(row.posterior)} likely real",
        f"assigned to {visible(row.assignee, 60)}" if row.assignee else "",
    ]
    return " · ".join(part for part in parts if part)


def _scores(row: QueueRow) -> str:
    """Return the score of the strongest member, and where there are weaker ones from where on."""
    strongest, weakest = f"{row.score:.1f}", f"{row.weakest:.1f}"
    return strongest if row.size < 2 or strongest == weakest else f"{weakest} to {strongest}"


def detector_name(name: str) -> str:
    """Return a detector's name as people write it."""
    return visible(name.replace("_", " "), 60)


def decided(detail: ClusterDetail, now: float, viewer: Actor | None = None) -> list[Component]:
    """Return the verdict that stands, if there is one, and what it left unread."""
    if detail.row.verdict is None or not detail.verdicts:
        return list(closed_unread(detail))
    newest = max(detail.verdicts, key=lambda verdict: verdict.at)
    return [
        html.P(
            [
                verdict_chip(newest.kind),
                f" by {visible(newest.actor, 60)}, {ago(newest.at, now)} · {fate(newest, now)}",
            ],
            className="decided",
        ),
        *waiting(detail.disputes, newest, viewer, now),
        *closed_unread(detail),
    ]


def member_list(detail: ClusterDetail, now: float) -> Component:
    """Return the members on the screen: these are what a verdict counts as read."""
    strongest = detail.reasons[0].feature if detail.reasons else ""
    return html.Ul(
        [_member(member, strongest, now) for member in detail.members], className="members"
    )


def _member(member: MemberRow, strongest: str, now: float) -> Component:
    candidate = member.candidate
    reason = next((r for r in candidate.reasons if r.feature == strongest), None)
    return html.Li(
        [
            html.Bdi(visible(candidate.entity, 60), className="member-entity"),
            html.Bdi(visible(reason.text, 40) if reason else "", className="member-value"),
            html.Span(clock(candidate.event_time, now), className="member-time"),
            html.Span(state_text(member), className="member-state"),
        ]
    )


def state_text(member: MemberRow) -> str:
    """Return what is known of a member: read, closed unread, or its probability."""
    if member.state is MemberState.OPEN:
        return percent(member.posterior)
    return str(member.state)
