"""The numbers of the frame: streams in the rail, decided today, what is still warming up."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from triage.queries import BoardStatus, StreamStatus
from triage_ui.components.dom import attributes
from triage_ui.components.empty import warm_up, warm_up_text
from triage_ui.text import visible


def stream_links(status: BoardStatus) -> list[Component]:
    """One link per stream with its number of open clusters."""
    return [_stream_link(stream) for stream in status.streams]


def _stream_link(stream: StreamStatus) -> Component:
    warming = warm_up_text(stream) is not None
    count = html.Span(
        "warming up" if warming else f"{stream.open_clusters:,}",
        className="count quiet" if warming else "count",
    )
    name = visible(stream.stream, 60)
    return html.A(
        [
            html.Span(name, className="name", title=visible(stream.title or stream.stream, 200)),
            count,
        ],
        href="/",
        className="rail-link",
        **attributes(data_nav="", data_stream=stream.stream),
    )


def banner(status: BoardStatus) -> list[Component]:
    """One line per stream that is still learning what is normal."""
    return [line for stream in status.streams if (line := _warming_line(stream)) is not None]


def _warming_line(stream: StreamStatus) -> Component | None:
    progress, text = warm_up(stream), warm_up_text(stream)
    if progress is None or text is None:
        return None
    seen, needed = progress
    return html.Div(
        [
            html.Strong(f"{visible(stream.stream, 60)}: "),
            text,
            html.Span(
                html.Span(style={"width": f"{100 * seen / needed:.0f}%"}),
                className="progress",
                **attributes(aria_hidden="true"),
            ),
        ],
        className="banner-line",
    )
