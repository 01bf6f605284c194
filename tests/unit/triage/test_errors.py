from __future__ import annotations

import inspect
import re

from triage import errors


def test_the_drawn_tree_is_the_tree() -> None:
    """The module's docstring draws each class under its base."""
    drawn: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for indent, name in re.findall(r"^( *)([A-Z]\w+)", str(errors.__doc__), re.MULTILINE)[1:]:
        above = [(depth, base) for depth, base in above if depth < len(indent)]
        drawn[name] = above[-1][1] if above else "Exception"
        above.append((len(indent), name))
    real = {
        name: kind.__bases__[0].__name__
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if kind.__module__ == errors.__name__
    }
    assert drawn == real
