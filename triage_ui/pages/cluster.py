"""A cluster in full: why, when, decide; everything else is a tab (``triage_ui.tabs``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import Dash, Input, Output, html, no_update
from dash.development.base_component import Component

from triage.model import ClusterStatus
from triage.queries import ClusterDetail
from triage_ui.actor import current_actor
from triage_ui.components.consequences import consequences
from triage_ui.components.decide import decision_bar
from triage_ui.components.dom import attributes, kbd, section
from triage_ui.components.drawn import drawn
from triage_ui.components.entity_chart import entity_chart
from triage_ui.components.influences import influence_list
from triage_ui.components.late_truth import late_truth
from triage_ui.components.preview import (
    decided,
    detector_name,
    facts,
    member_list,
    subject,
    suggested_or_real,
)
from triage_ui.components.shap_bars import shap_bars
from triage_ui.components.tab_frame import register_tabs, tab_frame
from triage_ui.entity import entity_address, entity_label
from triage_ui.pages import Page
from triage_ui.palette import palette
from triage_ui.services import Services, in_thread
from triage_ui.tabs import CLUSTER_PATH, all_tabs, cluster_at
from triage_ui.text import VERDICT_WORDS, visible
from triage_ui.timeline import cluster_events, main_key, timeline

MEMBERS = 5
"""Members beside the verdicts, always on the screen: these count as read."""
EVENTS = 400
DRAWN = 200
"""Members in the drawing, the strongest."""
LINKED = 3
"""Entities of one kind that the head links to."""


def layout() -> Component:
    """Return the page's shell."""
    return html.Main(
        [
            html.Div(
                [
                    html.A(
                        ["← Queue ", kbd("Esc")],
                        href="/",
                        className="back",
                        **attributes(data_nav="", data_action="back"),
                    ),
                    html.Div(id="cluster-head"),
                    html.Div(id="cluster-why"),
                    html.Div(id="cluster-when"),
                    tab_frame(all_tabs()),
                ],
                className="cluster-main",
            ),
            html.Aside(
                [
                    html.Div(
                        id="cluster-side",
                        className="preview",
                        tabIndex=0,
                        role="region",
                        **attributes(aria_label="Decide"),
                    ),
                    decision_bar(),
                ],
                className="pane",
                **attributes(aria_label="Verdict"),
            ),
        ],
        className="cluster-page",
        id="main",
    )


def register(board: Dash, services: Services) -> None:
    """Add the page's callbacks."""
    queries, settings = services.queries, services.settings

    @board.callback(
        Output("cluster-head", "data-drawn"),
        Output("cluster-why", "data-drawn"),
        Output("cluster-when", "children"),
        Output("cluster-side", "data-drawn"),
        Input("url", "pathname"),
        Input("cluster-tick", "data"),
        Input("scheme", "data"),
    )
    async def show(path: str, _tick: object, scheme: str | None) -> tuple[Any, ...]:
        cluster_id = cluster_at(path)
        if cluster_id is None:
            return (no_update,) * 4
        detail = await in_thread(queries.cluster, cluster_id, MEMBERS, current_actor().name)
        if detail is None:
            gone = _missing(await in_thread(queries.merged_into, cluster_id))
            return drawn(gone), drawn([]), [], drawn([])
        events = await in_thread(queries.entity_events, cluster_id, EVENTS)
        members = await in_thread(queries.members, cluster_id, 0, DRAWN)
        line = timeline(
            cluster_events(events, members, cluster_id),
            cluster_id,
            detail.reasons,
            main_key(members),
        )
        now = settings.clock()
        return (
            drawn(_head(detail, now)),
            drawn(_why(detail)),
            section(
                "When",
                entity_chart(line, palette(scheme)),
                name="when",
                level=2,
                aside="times in UTC; drag to zoom, double click to go back",
            ),
            drawn(_side(detail, now)),
        )

    register_tabs(board, services, all_tabs())


def _missing(merged_into: str | None) -> Component:
    if merged_into is not None:
        link = html.A(
            "the cluster that has its members now",
            href=f"/cluster/{merged_into}",
            className="link",
            **attributes(data_nav=""),
        )
        return html.Div(
            [html.H1("This cluster was merged", className="title"), html.P(["Go to ", link, "."])],
            className="missing",
        )
    return html.Div(
        [
            html.H1("There is no such cluster", className="title"),
            html.P("It may have been merged, or the address is mistyped."),
        ],
        className="missing",
    )


def _head(detail: ClusterDetail, now: float) -> Component:
    return html.Header(
        [
            html.H1(visible(detail.row.title, 500), className="title", dir="auto"),
            html.P(facts(detail), className="facts"),
            _entities(detail),
            *decided(detail, now, current_actor()),
            *_predecessor(detail.row.predecessor),
            *_suppressed(detail.row.status),
        ],
        id="subject",
        **subject(detail),
    )


def _why(detail: ClusterDetail) -> Component:
    return section(
        "Why",
        [shap_bars(detail.reasons), *influence_list(detail.influences)],
        name="why",
        level=2,
        aside=f"{visible(detail.method, 160)}; bars: mean, whiskers: spread of members",
    )


def _entities(detail: ClusterDetail) -> Component:
    """Links to the entities of the strongest members, each field's first few."""
    found: dict[str, list[str]] = {}
    for member in detail.members:
        for name, value in member.candidate.entities.items():
            values = found.setdefault(name, [])
            if value and value not in values and len(values) < LINKED:
                values.append(value)
    return html.Ul(
        [
            html.Li(
                [
                    f"{entity_label(name)} ",
                    html.A(
                        html.Bdi(visible(value, 60)),
                        href=entity_address(name, value),
                        className="link",
                        **attributes(data_nav=""),
                    ),
                ]
            )
            for name, values in found.items()
            for value in values
        ],
        className="entity-links",
        **attributes(aria_label="Entities"),
    )


def _predecessor(cluster_id: str | None) -> Sequence[Component]:
    if cluster_id is None:
        return []
    link = html.A(
        "a cluster decided before",
        href=f"/cluster/{cluster_id}",
        className="link",
        **attributes(data_nav=""),
    )
    return [html.P(["Follows ", link, "."], className="facts")]


def _suppressed(status: ClusterStatus) -> Sequence[Component]:
    if status is not ClusterStatus.SUPPRESSED:
        return []
    link = html.A(
        "an expected verdict", href="/suppressions", className="link", **attributes(data_nav="")
    )
    return [html.P(["Kept out of the queue by ", link, "."], className="facts")]


def _side(detail: ClusterDetail, now: float) -> list[Component]:
    shown = suggested_or_real(detail.row.suggested)
    parts = [
        section(
            html.Span(
                ["If you say ", html.Span(VERDICT_WORDS[shown].lower(), className="if-verdict")]
            ),
            consequences(len(detail.members), detail.members_total, detail.similar, shown),
            name="decide",
            level=2,
        ),
        section(
            "Read",
            member_list(detail, now),
            name="read",
            aside=f"{len(detail.members):,} of {detail.members_total:,} members",
            level=2,
        ),
        *late_truth(detail.truths),
        section("Behind it", _behind(detail), name="behind", level=2),
    ]
    if detail.guideline:
        parts.insert(
            1, section("Guideline", html.P(visible(detail.guideline)), name="guideline", level=2)
        )
    return parts


def _behind(detail: ClusterDetail) -> Component:
    rows = (
        ("Detector", detector_name(detail.detector)),
        ("Margin needed", f"{detail.threshold:.2f}"),
        ("Explained by", visible(detail.method, 160)),
        ("Config", visible(detail.config_version[:12])),
        ("Cluster", visible(detail.row.cluster_id, 80)),
    )
    return html.Dl(
        [html.Div([html.Dt(name), html.Dd(value)]) for name, value in rows], className="pairs"
    )


PAGE = Page(CLUSTER_PATH, "Cluster", layout, register)
