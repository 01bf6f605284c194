"""The detectors, by stream: how they do, what labels taught them, and their configs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, unquote

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from triage.lag import PartitionLag
from triage.looks import Look, precision
from triage.queries import BoardStatus, ConfigVersion, Queries, StreamStatus
from triage_ui.components.config_diff import config_diff, config_text
from triage_ui.components.dom import attributes, drop_down, section
from triage_ui.components.drift import drift_table
from triage_ui.components.empty import warm_up_text
from triage_ui.components.figures import share_figure
from triage_ui.components.lag import lag_table, stream_lag
from triage_ui.components.lessons import lesson_table
from triage_ui.components.rollouts import rollout_table
from triage_ui.pages import Page
from triage_ui.services import Services, in_thread
from triage_ui.text import ago, clock, visible

PATH = re.compile(r"/detectors(?:/([^/]{1,600}))?")
NEW, OLD = "config-new-chosen", "config-old-chosen"
"""The stores of the two configs that are compared."""
LOOKS = 5_000
"""Newest looks that the figures are made of."""
LESSONS = 10
COLUMNS = (
    ("Stream", "The stream and how its events are called."),
    ("State", "Warm-up: no alerts before the detector has seen enough."),
    (
        "Precision among looks",
        "Share of decided clusters that were real, with its 95 % interval; bad data left out.",
    ),
    ("Waiting", "Clusters without a verdict."),
    ("Events", "Accepted so far, how many became candidates, how many an alert limit held back."),
    ("Newest event (UTC)", "By the event's own clock."),
    (
        "Last commit",
        "When the worker last wrote to the store, and how old the last record was by then.",
    ),
    (
        "Lag",
        (
            "Records of the log not processed, and how old the newest processed one is, as the "
            "workers told last; unknown when one has not told for half a minute."
        ),
    ),
    ("Model", "Position in the label log that every partition has learned."),
)


def layout() -> Component:
    """Return the page's shell."""
    return html.Main(
        [
            html.H1("Detectors", className="title"),
            html.Div(id="detectors-table"),
            html.Div(id="detector-rollouts"),
            html.Div(id="detector-lessons"),
            html.Div(id="detector-config"),
        ],
        className="list-page",
        id="main",
        **attributes(data_live=""),
    )


def _chosen(path: str | None, status: BoardStatus) -> str | None:
    match = PATH.fullmatch(path or "")
    if match and match[1]:
        return unquote(match[1])
    return status.streams[0].stream if status.streams else None


def register(board: Dash, services: Services) -> None:
    """Add the page's callbacks."""
    queries, settings = services.queries, services.settings

    @board.callback(
        Output("detectors-table", "children"),
        Output("detector-lessons", "children"),
        Output("detector-rollouts", "children"),
        Input("url", "pathname"),
        Input("page-tick", "data"),
    )
    async def show(path: str, _tick: object) -> tuple[object, object, object]:
        now = settings.clock()
        status = await in_thread(queries.status, now)
        looks = await in_thread(queries.looks, None, LOOKS)
        stream = _chosen(path, status)
        if stream is None:
            return html.P("No stream yet.", className="quiet"), [], []
        taught = await in_thread(queries.lessons, stream, LESSONS)
        lessons = section(
            "What the last labels changed",
            lesson_table(taught, now),
            name="lessons",
            level=2,
            aside=visible(stream, 60),
        )
        lags = await in_thread(queries.lags)
        table = _table(status, looks, lags, stream, now)
        return table, lessons, await _rollouts(queries, stream, now)

    @board.callback(Output("detector-config", "children"), Input("url", "pathname"))
    async def show_config(path: str) -> object:
        stream = _chosen(path, await in_thread(queries.status, settings.clock()))
        if stream is None:
            return []
        return _config(stream, await in_thread(queries.configs, stream), settings.clock())

    @board.callback(
        Output("config-shown", "children"),
        Input(NEW, "data"),
        Input(OLD, "data"),
        State("url", "pathname"),
    )
    async def show_text(new: str | None, old: str | None, path: str) -> object:
        stream = _chosen(path, await in_thread(queries.status, settings.clock()))
        known = {one.version: one for one in await in_thread(queries.configs, stream or "")}
        shown, base = known.get(new or ""), known.get(old or "")
        if shown is None:
            return []
        return config_text(shown) if base is None else config_diff(base, shown)


async def _rollouts(queries: Queries, stream: str, now: float) -> Component:
    log = await in_thread(queries.rollouts, stream)
    number = log[-1].number if log else 0
    trial = await in_thread(queries.trial, stream, number)
    lost = await in_thread(queries.lost, stream, number)
    drifts = await in_thread(queries.drifts, stream)
    lags = await in_thread(queries.lags, stream)
    aside = visible(stream, 60)
    return html.Div(
        [
            section(
                "What is in force",
                rollout_table(log, trial, lost, now),
                name="rollouts",
                level=2,
                aside=aside,
            ),
            section("Lag of partitions", lag_table(lags, now), name="lag", level=2, aside=aside),
            section("Drift of fields", drift_table(drifts), name="drift", level=2, aside=aside),
        ]
    )


def _table(
    status: BoardStatus,
    looks: Sequence[Look],
    lags: Sequence[PartitionLag],
    chosen: str,
    now: float,
) -> Component:
    head = html.Tr([html.Th(name, scope="col", title=text) for name, text in COLUMNS])
    rows = [
        _row(
            stream,
            [look for look in looks if look.stream == stream.stream],
            [lag for lag in lags if lag.stream == stream.stream],
            stream.stream == chosen,
            now,
        )
        for stream in status.streams
    ]
    return html.Table([html.Thead(head), html.Tbody(rows)], className="list-table")


def _row(
    stream: StreamStatus,
    looks: Sequence[Look],
    lags: Sequence[PartitionLag],
    chosen: bool,
    now: float,
) -> Component:
    name = html.A(
        visible(stream.stream, 60),
        href=f"/detectors/{quote(stream.stream, safe='')}",
        className="link",
        **attributes(data_nav="", aria_current="true" if chosen else None),
    )
    under = html.Bdi(visible(stream.title, 120), className="under")
    commit = "never" if stream.last_commit_at is None else ago(stream.last_commit_at, now)
    newest = "none" if stream.last_event_time is None else clock(stream.last_event_time, now)
    counters = stream.counters
    lost = f", {counters.held_back:,} held back by the limit" if counters.held_back else ""
    lost += f", {counters.dead_lettered:,} dead letters" if counters.dead_lettered else ""
    return html.Tr(
        [
            html.Th([name, under], scope="row"),
            html.Td(
                warm_up_text(stream) or html.Span("alerts", className="whole"), className="wrap"
            ),
            html.Td(share_figure(precision(looks))),
            html.Td(f"{stream.open_clusters:,}"),
            html.Td(
                [
                    f"{counters.accepted:,}",
                    html.Span(f"{counters.candidates:,} candidates{lost}", className="under"),
                ]
            ),
            html.Td(newest),
            html.Td([commit, html.Span(_delay(stream.delay), className="under")]),
            html.Td(stream_lag(lags, now)),
            html.Td(f"v{stream.model_version}"),
        ],
        className="chosen" if chosen else None,
    )


def _delay(seconds: float | None) -> str:
    """Return how old a stream's last record was at its commit."""
    if seconds is None:
        return ""
    return f"{seconds:.1f} s old then" if seconds < 120 else f"{seconds / 60:,.0f} min old then"


def _config(stream: str, configs: Sequence[ConfigVersion], now: float) -> Component:
    if not configs:
        body: Component = html.P("No config is kept of this stream.", className="quiet")
    else:
        newest = configs[0].version
        before = configs[1].version if len(configs) > 1 else ""
        options = [
            (
                one.version,
                f"{visible(one.version[:12])} of {clock(one.at, now)}"
                + (" (newest)" if one is configs[0] else ""),
            )
            for one in configs
        ]
        body = html.Div(
            [
                dcc.Store(id=NEW, data=newest),
                dcc.Store(id=OLD, data=before),
                html.Div(
                    [
                        drop_down("config-new", "Config", options, newest, store=NEW),
                        drop_down(
                            "config-old",
                            "against",
                            [("", "nothing: the whole text"), *options],
                            before,
                            store=OLD,
                        ),
                    ],
                    className="config-choice",
                    role="group",
                    **attributes(aria_label="Configs to compare"),
                ),
                html.Div(id="config-shown"),
            ]
        )
    return section("Config", body, name="config", level=2, aside=visible(stream, 60))


PAGE = Page(PATH, "Detectors", layout, register)
