"""Why there is nothing to see: nothing yet, nothing left, or nothing that matches."""

from __future__ import annotations

from collections.abc import Mapping

from dash import html
from dash.development.base_component import Component

from triage.queries import BoardStatus, StreamStatus
from triage_ui.components.dom import Node, attributes, kbd
from triage_ui.text import VERDICT_WORDS, count, visible

OF_A_VIEW: Mapping[tuple[str, str], tuple[str, str | list[Node]]] = {
    ("assignee", "me"): (
        "Nothing is assigned to you",
        ["Take the cluster under the cursor with ", kbd("A"), "."],
    ),
    ("status", "second_opinion"): (
        "Nothing waits for a second opinion",
        ["A cluster comes here when somebody is unsure (", kbd("U"), "), for others to read."],
    ),
    ("status", "decided"): (
        "Nothing has been decided yet",
        "Clusters come here with their verdict, and with the way back.",
    ),
    ("status", "disputed"): (
        "No verdict is disputed",
        "Where a second reader disagrees with a verdict, the cluster waits here for a lead.",
    ),
    ("status", "suppressed"): (
        "Nothing is kept out of the queue",
        "What an expected verdict covers comes here, until it ends or much more comes than usual.",
    ),
}
"""A filter that is a view of its own -> why it may be empty: title, and a line."""


def warm_up(stream: StreamStatus) -> tuple[int, int] | None:
    """Return (seen, needed) events of a stream that is still learning what is normal, else None."""
    if stream.warm_up_left <= 0:
        return None
    seen = stream.counters.accepted // max(1, stream.partitions)
    return seen, seen + stream.warm_up_left


def warm_up_text(stream: StreamStatus) -> str | None:
    """Return how far a stream's warm-up is, None when it is over."""
    progress = warm_up(stream)
    if progress is None:
        return None
    seen, needed = progress
    each = " per partition" if stream.partitions > 1 else ""
    return f"learning what is normal, {seen:,} of {needed:,} events{each}; no alerts before that"


def empty_state(status: BoardStatus, filters: Mapping[str, str]) -> Component:
    """Return what to say where the queue has no row.

    Args:
        filters: those that differ from the default, by name.
    """
    if len(filters) == 1 and (known := OF_A_VIEW.get(next(iter(filters.items())))) is not None:
        return _state("view", *known)
    if filters:
        return _no_match(filters)
    if status.decided_today:
        return _all_clear(status)
    return _nothing_yet(status)


def _state(kind: str, title: str, *lines: Node | list[Node]) -> Component:
    return html.Div(
        [
            html.Span(className=f"empty-mark empty-{kind}", **attributes(aria_hidden="true")),
            html.H2(title),
            *[html.P(line) for line in lines],
        ],
        className="empty",
        **attributes(data_empty=kind),
    )


def _no_match(filters: Mapping[str, str]) -> Component:
    named = ", ".join(f"{name} {_filter_value(value)}" for name, value in filters.items())
    button = html.Button(
        "Clear filters",
        type="button",
        className="button",
        **attributes(data_action="clear-filters"),
    )
    return _state("filter", "No cluster matches", f"You filter by {named}.", button)


def _filter_value(value: str) -> str:
    words = {kind.value: word.lower() for kind, word in VERDICT_WORDS.items()}
    words["second_opinion"] = "second opinion"
    return words.get(value, f"“{visible(value, 60)}”")


def _all_clear(status: BoardStatus) -> Component:
    return _state(
        "clear",
        "All clear",
        f"{status.decided_today:,} decided today. New clusters appear here by themselves.",
        ["Take the last one back with ", kbd("Z"), "."],
    )


def _nothing_yet(status: BoardStatus) -> Component:
    warming = [
        f"{visible(stream.stream, 60)}: {text}."
        for stream in status.streams
        if (text := warm_up_text(stream)) is not None
    ]
    if warming:
        return _state("warming", "Learning what is normal", *warming)
    if not any(stream.counters.accepted for stream in status.streams):
        return _state(
            "waiting",
            "No events yet",
            "The board is ready. Start a stream: triage run --stream FILE.yaml --source PATH",
        )
    seen = sum(stream.counters.accepted for stream in status.streams)
    return _state(
        "quiet",
        "Nothing out of the ordinary",
        f"{count(seen, 'event')} read, no cluster so far. It appears here by itself.",
    )
