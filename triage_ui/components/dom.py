"""Dash's HTML components with the attributes that its signatures don't know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

Node = Component | str | None
Children = Node | list[Any]


def attributes(**values: object) -> dict[str, Any]:
    """Return ``data-`` and ``aria-`` attributes; ``_`` stands for ``-``, None is left out.

    >>> attributes(aria_label="Why", data_at=None)
    {'aria-label': 'Why'}
    """
    return {
        name.replace("_", "-"): str(value) for name, value in values.items() if value is not None
    }


def kbd(key: str) -> Component:
    """A key, as printed on the keyboard."""
    return html.Kbd(key, className="key", **attributes(data_key=key.lower()))


def action_button(
    text: Node | list[Any], action: str, *, main: bool = False, **given: Any
) -> Component:
    """A button that scripts listen to (``action:<name>``)."""
    return html.Button(
        text,
        type="button",
        className="button button-main" if main else "button",
        **attributes(data_action=action),
        **given,
    )


def drop_down(
    name: str,
    label: str,
    options: Sequence[tuple[str, str]],
    value: str | None = None,
    *,
    store: str | None = None,
    hidden: bool = False,
) -> Component:
    """The browser's own drop-down.

    Args:
        name: its id. ``options``: value and text of each. ``value``: the one that is chosen.
        store: id of a ``dcc.Store`` that gets what is chosen as its ``data``.
        hidden: not shown until a script does.
    """
    return html.Div(
        [
            html.Label(label, htmlFor=name),
            html.Select(
                [
                    html.Option(text, value=each, selected=each == value or None)
                    for each, text in options
                ],
                id=name,
                **attributes(data_store=store),
            ),
        ],
        className="filter",
        id=f"{name}-frame",
        hidden=hidden,
    )


def hidden_text(text: str) -> Component:
    """Text for who doesn't see the shape or colour beside it."""
    return html.Span(text, className="visually-hidden")


def table(
    names: Sequence[str], rows: Sequence[Component], *, caption: str | None = None, **given: Any
) -> Component:
    """Rows under the names of their columns; ``caption``: for who doesn't see what it is in."""
    head = [] if caption is None else [html.Caption(caption, className="visually-hidden")]
    return html.Table(
        [
            *head,
            html.Thead(html.Tr([html.Th(name, scope="col") for name in names])),
            html.Tbody(list(rows)),
        ],
        className="list-table",
        **given,
    )


def section(
    title: Node, children: Children, *, name: str, aside: Children = None, level: int = 3
) -> Component:
    """A titled part of a pane; ``aside`` stands at the right of the title, quieter.

    ``level``: of its heading, one below that of what it is in.
    """
    heading = html.H2 if level == 2 else html.H3
    head: list[Node] = [heading(title, id=f"{name}-title")]
    if aside is not None:
        head.append(html.Span(aside, className="aside"))
    return html.Section(
        [html.Div(head, className="section-head"), html.Div(children, className="section-body")],
        className=f"section section-{name}",
        **attributes(aria_labelledby=f"{name}-title"),
    )
