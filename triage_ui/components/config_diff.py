"""A config's text, or what is different between two of them, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from dash import html
from dash.development.base_component import Component

from triage.queries import ConfigVersion
from triage_ui.components.dom import attributes
from triage_ui.text import visible

LINE = 500  # characters of a line that are shown
AROUND = 3  # lines shown before and after a change


def config_text(config: ConfigVersion) -> Component:
    """Return a config as it was written."""
    lines = [html.Div(visible(line, LINE) or " ") for line in config.text.splitlines()]
    return _frame(lines, f"Config {visible(config.version[:12])}")


def config_diff(old: ConfigVersion, new: ConfigVersion) -> Component:
    """Return the lines that differ, with some around them; a sign says which came and went."""
    before, after = old.text.splitlines(), new.text.splitlines()
    if before == after:
        return html.P("The two say the same.", className="quiet")
    lines = list(_changes(before, after))
    return _frame(lines, "What is different")


def _frame(lines: Sequence[Component], label: str) -> Component:
    return html.Div(
        list(lines),
        className="config-text",
        tabIndex=0,
        role="region",
        **attributes(aria_label=label),
    )


def _changes(before: list[str], after: list[str]) -> Iterator[Component]:
    groups = SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(AROUND)
    for number, group in enumerate(groups):
        if number:
            yield html.Div("⋯", className="config-gap")
        for kind, i1, i2, j1, j2 in group:
            if kind == "equal":
                yield from (html.Div(f"  {visible(line, LINE)}") for line in before[i1:i2])
                continue
            yield from (
                html.Div(html.Del(f"− {visible(line, LINE)}"), className="config-gone")
                for line in before[i1:i2]
            )
            yield from (
                html.Div(html.Ins(f"+ {visible(line, LINE)}"), className="config-new")
                for line in after[j1:j2]
            )
