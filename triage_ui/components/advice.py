"""What a verdict would change among other clusters, and which of them it could be given as well."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from triage.advisor import Advice
from triage.model import VerdictKind
from triage.queries import ClusterDetail
from triage_ui.components.dom import Node, attributes, kbd
from triage_ui.components.preview import member_list
from triage_ui.text import VERDICT_WORDS, count, percent, visible

APPLIES = (VerdictKind.REAL, VerdictKind.SPURIOUS, VerdictKind.PIPELINE_FAULT)
"""Verdicts that can be given to several at once: *expected* needs a scope for each."""


def advice_panel() -> Component:
    """Return the place where advice appears; scripts show and hide it."""
    return html.Div(
        html.Div(id="advice-body"),
        id="advice",
        className="advice",
        hidden=True,
        role="region",
        tabIndex=0,
        **attributes(aria_label="What it would change"),
    )


def not_available(why: str) -> Component:
    """Say that there is no advice, and that all else goes on."""
    return html.P(
        [html.Strong("Not available: "), f"{visible(why, 300)}. You can decide all the same."],
        role="status",
    )


def advice(
    found: Advice,
    kind: VerdictKind,
    cluster_id: str,
    against: Sequence[ClusterDetail],
    alike: Sequence[ClusterDetail],
    likeness: Sequence[float],
    now: float,
) -> Component:
    """Return what a verdict would change.

    Args:
        found: the advisor's answer on ``kind`` for ``cluster_id``.
        against: the first clusters that move though they resemble what was decided otherwise.
        alike: open clusters like this one with the members that are listed; ``likeness`` of each.
        now: seconds since 1970.
    """
    parts: list[Node] = [
        html.P(_moves(found, kind), role="status"),
        *_against(found, kind, against),
        html.P(_decided(found), className="past"),
        *_alike(found, kind, alike, likeness, now),
        html.P(_basis(found), className="aside"),
    ]
    return html.Div(parts, **attributes(data_advice=kind.value, data_cluster=cluster_id))


def _moves(found: Advice, kind: VerdictKind) -> list[Node]:
    word = html.Strong(VERDICT_WORDS[kind])
    clusters = count(found.open, "other open cluster")
    if not found.teaches:
        return [word, f" teaches the detector nothing: none of {clusters} would move."]
    moves = [(found.lowered, "lower"), (found.raised, "raise")]
    told = [f"{verb} {number:,}" for number, verb in moves if number]
    if not told:
        return [word, f" would hardly move any of {clusters}."]
    fall = "falls" if found.fall == 1 else "fall"
    rise = "rises" if found.rise == 1 else "rise"
    where = "it" if found.fall else "the alert line"
    line = [(found.fall, f"{fall} below the alert line"), (found.rise, f"{rise} above {where}")]
    crossing = [f"{number:,} {verb}" for number, verb in line if number]
    crosses = ", ".join(crossing) if crossing else "none crosses the alert line"
    return [word, f" would {' and '.join(told)} of {clusters}; {crosses}."]


def _against(found: Advice, kind: VerdictKind, against: Sequence[ClusterDetail]) -> list[Component]:
    if not found.against_total:
        return []
    confirmed = (
        "what was confirmed as no anomaly" if kind is VerdictKind.REAL else ("confirmed anomalies")
    )
    more = found.against_total - len(against)
    verb = "resembles" if found.against_total == 1 else "resemble"
    return [
        html.Div(
            [
                html.P([html.Strong(f"{found.against_total:,}"), f" of them {verb} {confirmed}:"]),
                html.Ul([html.Li(_link(one)) for one in against]),
                *([html.P(f"and {more:,} more")] if more > 0 else []),
            ],
            className="advice-against",
        )
    ]


def _decided(found: Advice) -> str:
    if not found.same + found.other:
        return "Nothing that resembles it has been decided."
    if not found.teaches:
        return f"{count(found.other, 'verdict')} on what resembles it."
    return (
        f"Of verdicts on what resembles it {found.same:,} said the same, {found.other:,} did not."
    )


def _alike(
    found: Advice,
    kind: VerdictKind,
    alike: Sequence[ClusterDetail],
    likeness: Sequence[float],
    now: float,
) -> list[Component]:
    if not alike:
        return []
    rows = [_row(one, like, now) for one, like in zip(alike, likeness, strict=True)]
    hidden = found.alike_total - len(alike)
    parts: list[Component] = [
        html.H3("Open and alike", className="advice-title"),
        html.Ul(rows, className="advice-alike"),
    ]
    if hidden > 0:
        parts.append(html.P(f"{hidden:,} more are less alike.", className="aside"))
    if kind in APPLIES:
        parts.append(
            html.Button(
                [f"{VERDICT_WORDS[kind]} for the ticked, too ", kbd("Shift+A")],
                type="button",
                className="button",
                **attributes(data_action="advice-apply"),
            )
        )
    return parts


def _row(detail: ClusterDetail, likeness: float, now: float) -> Component:
    row = detail.row
    name = f"alike-{row.cluster_id}"
    read = " ".join(member.candidate.candidate_id for member in detail.members)
    shown = f"{len(detail.members):,} of {count(detail.members_total, 'member')}"
    return html.Li(
        [
            html.Div(
                [
                    html.Button(
                        html.Span(className="tick"),
                        type="button",
                        role="checkbox",
                        className="tick-box",
                        **attributes(
                            aria_checked="true",
                            aria_labelledby=name,
                            data_action="advice-tick",
                            data_alike=row.cluster_id,
                            data_revision=row.revision,
                            data_read=read,
                            data_title=visible(row.title, 200),
                        ),
                    ),
                    html.Span(_link(detail), id=name, className="advice-name"),
                    html.Span(f"{percent(likeness)} alike · {shown}", className="aside"),
                ],
                className="advice-row",
            ),
            member_list(detail, now),
        ]
    )


def _link(detail: ClusterDetail) -> Component:
    return html.A(
        html.Bdi(visible(detail.row.title, 120)),
        href=f"/cluster/{detail.row.cluster_id}",
        className="link",
        **attributes(data_nav=""),
    )


def _basis(found: Advice) -> str:
    parts = [f"By the model of {count(found.behind, 'event')} ago"] if found.behind else []
    if found.left_out:
        parts.append(f"{count(found.left_out, 'open member')} could not be judged")
    return "; ".join(parts)
