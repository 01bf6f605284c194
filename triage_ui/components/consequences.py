"""What happens if I decide: one text per verdict, in numbers of this cluster."""

from __future__ import annotations

from collections.abc import Mapping

from dash import html
from dash.development.base_component import Component

from triage.model import VerdictKind
from triage_ui.components.dom import Node, attributes, kbd
from triage_ui.text import VERDICT_WORDS, count


def consequences(
    read: int, total: int, similar: Mapping[str, int], shown: VerdictKind
) -> Component:
    """Return the texts of all verdicts; the page shows the one that has the focus.

    Args:
        read: members on the screen. ``total``: all members.
        similar: verdicts of similar past clusters. ``shown``: the verdict shown at first.
    """
    return html.Div(
        [
            html.P(
                _text(kind, read, total - read),
                hidden=kind is not shown,
                **attributes(data_consequence=kind.value),
            )
            for kind in VerdictKind
        ]
        + [html.P(past_cases(similar), className="past"), _ask()],
        className="consequences",
    )


def _ask() -> Component:
    return html.Button(
        ["What would it change? ", kbd("V")],
        type="button",
        className="button",
        **attributes(data_action="advice", aria_keyshortcuts="V"),
    )


def past_cases(similar: Mapping[str, int]) -> list[Node]:
    """Return how similar clusters were decided."""
    total = sum(similar.values())
    if not total:
        return ["Nothing like it has been decided before."]
    parts = [
        f"{number} {VERDICT_WORDS[VerdictKind(kind)].lower()}"
        for kind, number in sorted(similar.items(), key=lambda item: -item[1])
        if number
    ]
    return ["Like ", html.Strong(count(total, "past case")), f": {', '.join(parts)}."]


def _text(kind: VerdictKind, read: int, unread: int) -> list[Node]:
    members = html.Strong(count(read, "member"), **attributes(data_count="read"))
    others = html.Strong(f"{unread:,}", **attributes(data_count="others"))
    verb = "is" if read == 1 else "are"
    kept: list[Node] = [
        " The other ",
        others,
        " are not decided: learned softly, and kept as its rest.",
    ]
    rest: list[Node] = [html.Span(kept, **attributes(data_rest=""))] if unread > 0 else []
    if kind is VerdictKind.REAL:
        return [members, f" that you read {verb} published as verified.", *rest]
    if kind is VerdictKind.SPURIOUS:
        return [members, f" that you read {verb} learned as normal. Nothing is published.", *rest]
    if kind is VerdictKind.EXPECTED:
        like = " Its like stays out of the queue until the end date, or until much more comes. "
        return ["Right, but benign.", like, members, " read.", *rest]
    if kind is VerdictKind.PIPELINE_FAULT:
        what: list[Node] = ["Bad data, for the data engineers: ", html.Strong("not learned"), "."]
        return [*what, *rest]
    return ["Stays open for a ", html.Strong("second, blind opinion"), " of someone else."]
