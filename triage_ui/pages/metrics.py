"""Metrics: what the looks have found and how long clusters waited, each with what it means."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qs, quote, unquote

from dash import Dash, Input, Output, html
from dash.development.base_component import Component

from triage.looks import (
    LAST,
    Look,
    early,
    intervened,
    interventions,
    overrides,
    overrode,
    precision,
    time_to_first_touch,
    time_to_verdict,
    without_feedback,
)
from triage.model import VerdictKind
from triage.queries import BoardStatus
from triage_ui.components.chips import verdict_chip
from triage_ui.components.closing import audits, bounds
from triage_ui.components.discovery_chart import discovery_chart
from triage_ui.components.dom import Children, Node, attributes, section, table
from triage_ui.components.figures import median_figure, share_figure
from triage_ui.components.recall import recalls
from triage_ui.pages import Page
from triage_ui.palette import palette
from triage_ui.services import Services, in_thread
from triage_ui.text import VERDICT_WORDS, ago, count, span, visible

PATH = re.compile(r"/figures(?:/([^/]{1,600}))?")
LOOKS = 5_000
"""Newest looks that the figures are made of."""
LISTED = 50
DAY = 86_400
ROWS: Mapping[str, tuple[str, Callable[[Look], bool]]] = {
    "real": ("were real", lambda look: look.kind is VerdictKind.REAL),
    "overrides": ("said the opposite of the suggestion", overrode),
    "interventions": ("somebody intervened on", intervened),
    "drawn": ("went to clusters drawn at random", lambda look: look.drawn),
    "touched": ("have a first touch that is known", lambda look: look.touched is not None),
}
"""Name in the address -> which of the looks these are, told and tested."""


def layout() -> Component:
    """Return the page's shell."""
    return html.Main(
        [html.H1("Metrics", className="title"), html.Div(id="metrics")],
        className="list-page",
        id="main",
        **attributes(data_live=""),
    )


def register(board: Dash, services: Services) -> None:
    """Add the page's callback."""
    queries, settings = services.queries, services.settings

    @board.callback(
        Output("metrics", "children"),
        Input("url", "pathname"),
        Input("url", "search"),
        Input("page-tick", "data"),
        Input("scheme", "data"),
    )
    async def show(path: str, search: str | None, _tick: object, scheme: str | None) -> object:
        match = PATH.fullmatch(path or "")
        stream = unquote(match[1]) if match and match[1] else None
        now = settings.clock()
        status = await in_thread(queries.status, now)
        looks = await in_thread(queries.looks, stream, LOOKS)
        known = await in_thread(queries.bounds)
        read = await in_thread(queries.audits, stream, LISTED)
        recall = await in_thread(queries.recalls)
        shadow = without_feedback(looks)
        told, fits = ROWS.get(_asked(search), ("", None))
        listed = [look for look in looks if fits(look)] if fits else looks
        return [
            _streams(status, stream),
            section(
                "What the looks found",
                discovery_chart(looks, shadow, palette(scheme)),
                name="discovery",
                level=2,
                aside="dotted: without feedback; dashed: if every look found something",
            ),
            section(
                "Figures",
                _figures(looks, shadow, now),
                name="figures",
                level=2,
                aside=_made_of(looks),
            ),
            section(
                "Closed unread",
                bounds([one for one in known if stream in (None, one.stream)]),
                name="closings",
                level=2,
                aside="audited, 95 %",
            ),
            section("The audits behind it", audits(read, stream, now), name="audits", level=2),
            section(
                "Never looked at",
                recalls([one for one in recall if stream in (None, one.stream)]),
                name="recall",
                level=2,
                aside=["random looks, 95 %; ", _link("rows", "?rows=drawn", "Rows of recall")],
            ),
            section(
                f"The looks that {told}" if told else "The looks behind them",
                _rows(listed, now),
                name="looks",
                level=2,
                aside=_which(listed, len(looks)),
            ),
        ]


def _asked(search: str | None) -> str:
    return parse_qs((search or "").removeprefix("?")).get("rows", [""])[0]


def _which(listed: Sequence[Look], total: int) -> Children:
    told = f"the newest {min(LISTED, len(listed))} of {len(listed):,}"
    if len(listed) == total:
        return told
    return [f"{told}, of {total:,} looks; ", _link("all", "?", "all looks")]


def _link(text: str, address: str, name: str) -> Component:
    """Return a link to rows of the table at the end of this page."""
    return html.A(
        text,
        href=address,
        className="link",
        **attributes(data_nav="", data_to="looks-title", aria_label=name),
    )


def _streams(status: BoardStatus, chosen: str | None) -> Component:
    names: list[tuple[str, str | None]] = [("All streams", None)]
    names += [(visible(stream.stream, 60), stream.stream) for stream in status.streams]
    return html.Nav(
        [
            html.A(
                text,
                href="/figures" + ("" if name is None else f"/{quote(name, safe='')}"),
                className="stream-tab",
                **attributes(data_nav="", aria_current="page" if name == chosen else None),
            )
            for text, name in names
        ],
        className="stream-tabs",
        **attributes(aria_label="Streams"),
    )


def _made_of(looks: Sequence[Look]) -> str:
    cut = f", the newest {LOOKS:,}" if len(looks) == LOOKS else ""
    return f"of {count(len(looks), 'look')}{cut}; figures with an interval: 95 %"


def _figures(looks: Sequence[Look], shadow: Sequence[Look], now: float) -> Component:
    today = [look for look in looks if look.at >= now - now % DAY]
    rows: list[tuple[str, Node, str, str]] = [
        (
            "Precision among looks",
            share_figure(precision(looks)),
            "Share of decided clusters that were real; pipeline faults (bad data) are left out.",
            "real",
        )
    ]
    rows += [
        (
            f"Precision of the last {number} looks",
            share_figure(precision(looks[-number:])),
            f"The same of the newest {number}: is the queue getting better or worse?",
            "",
        )
        for number in LAST
        if len(looks) > number
    ]
    rows += [
        (
            "Found early",
            share_figure(early(looks), "nothing real yet"),
            "Share of the real clusters that the first half of the looks found.",
            "real",
        ),
        (
            "Found early without feedback",
            share_figure(early(shadow), "nothing real yet"),
            (
                "The same clusters and verdicts, had each look taken, of those that had come by "
                "then, the one with the highest score before any label. What feedback brought to "
                "the board, or kept off it, is in neither; looks for audits and doubt count "
                "against the board."
            ),
            "real",
        ),
        (
            "Overrides",
            share_figure(overrides(looks)),
            "Share of looks that said the opposite of what the board suggested: real, or not.",
            "overrides",
        ),
        (
            "Interventions",
            share_figure(interventions(looks)),
            (
                "Share of decided clusters on which somebody did more than take the suggestion: "
                "gave a verdict of another kind, moved members by hand, or took a verdict back."
            ),
            "interventions",
        ),
        (
            "Time to first touch",
            median_figure(time_to_first_touch(looks), "of no look known"),
            (
                "Median time from a decided cluster's coming to the board until somebody who may "
                "decide had it before the eyes for a second, took it, or decided it."
            ),
            "touched",
        ),
        (
            "Time to verdict",
            median_figure(time_to_verdict(looks)),
            "Median time from a cluster's coming to the board until the verdict that stands.",
            "",
        ),
        (
            "Time to verdict, today",
            median_figure(time_to_verdict(today)),
            "The same of the verdicts given since midnight UTC.",
            "",
        ),
        ("Verdicts", _kinds(looks), "How the clusters were decided. Unsure decides nothing.", ""),
    ]
    return html.Dl([_figure(*row) for row in rows], className="figures")


def _figure(name: str, value: Node, text: str, rows: str) -> Component:
    link = _link("Rows", f"?rows={rows}" if rows else "?", f"Rows of {name}")
    meaning = html.Dd([text, " ", link], className="meaning")
    return html.Div([html.Dt(name), html.Dd(value), meaning])


def _kinds(looks: Sequence[Look]) -> Component:
    numbers = Counter(look.kind for look in looks)
    told = [
        f"{numbers[kind]:,} {word.lower()}" for kind, word in VERDICT_WORDS.items() if numbers[kind]
    ]
    return html.Span(", ".join(told) or "no look yet", className=None if told else "quiet")


def _rows(looks: Sequence[Look], now: float) -> Children:
    if not looks:
        return html.P("Nothing has been decided yet.", className="quiet")
    names = ("Cluster", "Verdict", "Suggested", "By", "When", "Waited")
    return table(names, [_row(look, now) for look in looks[: -LISTED - 1 : -1]])


def _row(look: Look, now: float) -> Component:
    link = html.A(
        html.Bdi(visible(look.title, 200)),
        href=f"/cluster/{look.cluster_id}",
        className="link",
        **attributes(data_nav=""),
    )
    return html.Tr(
        [
            html.Th([link, html.Span(visible(look.stream, 60), className="under")], scope="row"),
            html.Td(verdict_chip(look.kind)),
            html.Td(
                [
                    VERDICT_WORDS[look.suggested].lower() if look.suggested else "–",
                    html.Span(_by_hand(look), className="under"),
                ]
            ),
            html.Td(html.Bdi(visible(look.actor, 60))),
            html.Td(ago(look.at, now)),
            html.Td([_waited(look.since, look.at), html.Span(_first(look), className="under")]),
        ]
    )


def _by_hand(look: Look) -> str:
    told = ["members moved"] if look.regrouped else []
    told += ["verdict taken back"] if look.retaken else []
    return ", ".join(told)


def _first(look: Look) -> str:
    return "" if look.touched is None else f"touched after {_waited(look.since, look.touched)}"


def _waited(since: float, until: float) -> str:
    return span(max(0.0, until - since))


PAGE = Page(PATH, "Metrics", layout, register)
