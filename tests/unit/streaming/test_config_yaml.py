from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.config.yaml_tree import MAX_BYTES, MAX_DEPTH, dotted, read_tree


def value_of(text: str) -> Any:
    tree, problems = read_tree(text)
    assert problems == []
    return tree.value


def messages(text: str) -> list[str]:
    return [
        f"{problem.line} {dotted(problem.path)}: {problem.message}"
        for problem in read_tree(text)[1]
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", 1),
        ("a: -1", -1),
        ("a: 0.5", 0.5),
        ("a: 1e3", 1000.0),
        ("a: true", True),
        ("a:", None),
        ("a: ~", None),
        ("a: yes", "yes"),
        ("a: on", "on"),
        ("a: 1:30", "1:30"),
        ("a: 2026-03-02", "2026-03-02"),
        ("a: 0x10", "0x10"),
        ("a: 1_000", "1_000"),
        ("a: .inf", ".inf"),
        ("a: '1'", "1"),
        ('a: "true"', "true"),
        ("a: 1h", "1h"),
        ("a: [1, b, {c: d}]", [1, "b", {"c": "d"}]),
        ("a: |\n  x\n  y\n", "x\ny\n"),
    ],
)
def test_scalars_are_what_they_look_like(text: str, value: object) -> None:
    found = value_of(text)["a"]
    assert found == value
    assert type(found) is type(value)


keys = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8
)
trees = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(-1e9, 1e9) | keys,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(keys, trees, max_size=4))
def test_json_is_read_as_json(value: dict[str, Any]) -> None:
    text = json.dumps(value)
    if text.count("[") + text.count("{") < MAX_DEPTH:
        assert value_of(text) == json.loads(text)


@given(st.text(max_size=60))
def test_no_text_makes_it_fail_otherwise_than_with_problems(text: str) -> None:
    tree, problems = read_tree(text)
    assert problems or tree.lines


def test_lines_are_those_of_the_keys() -> None:
    tree, _ = read_tree("# comment\na:\n  b: 1\n  c:\n    - x\n    - y: 1\n")
    assert tree.line(("a",)) == 2
    assert tree.line(("a", "b")) == 3
    assert tree.line(("a", "c", 1, "y")) == 6
    assert tree.line(("a", "c", 1, "absent", "deeper")) == 6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "2 a: stands twice, first in line 1; keep one of the two"),
        ("a: &x 1\n", "1 a: anchor &x is not allowed; repeat the value"),
        ("a: 1\nb: *x\n", "2 b: alias *x is not allowed; repeat the value"),
        ("a: !!python/object:os.system x\n", "1 a: tag tag:yaml.org,2002:python/object:os.system"),
        ("a: !secret x\n", "1 a: tag !secret is not allowed; write the plain value"),
        ("a: 1\n---\nb: 2\n", "2 : has a second document (`---`); one file describes one stream"),
        ("? [a]\n: 1\n", "1 : has a key that is not a plain name"),
        ("a: 1e999\n", "1 a: 1e999 is too large for a number"),
        ("a: " + "9" * 5_000, "1 a: " + "9" * 20 + " is too large for a number"),
        ('a: "\\ud800"\n', "1 a: holds half of a character (\\ud800 to \\udfff); write it whole"),
        ("", "1 : is empty; start with `stream: NAME`"),
        ("a:\n\tb: 1\n", "2 : is not YAML: a tab is used for indentation; use spaces"),
        ("a: [1, 2\nb: 3\n", "2 : is not YAML:"),
        ("a: b: c\n", "1 : is not YAML: mapping values are not allowed here"),
        ("a: \x07\n", "1 : holds the character U+0007, which YAML can't hold; remove it"),
    ],
)
def test_what_is_refused_names_line_and_remedy(text: str, message: str) -> None:
    assert messages(text)[0].startswith(message)


def test_all_refusals_are_found_at_once() -> None:
    assert len(messages("a: &x 1\nb: *x\na: 2\nc: !t 3\n")) == 4


def test_size_and_depth_are_bounded() -> None:
    assert "is larger than" in messages("a: " + "x" * MAX_BYTES)[0]
    assert "is nested deeper" in messages("a: " + "[" * 5_000)[0]
    assert "is nested deeper" in messages("\n".join(" " * i + f"k{i}:" for i in range(50)))[0]


def test_aliases_are_not_expanded() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{name}: &{name} [*{before}, *{before}]\n"
        for before, name in zip("abcdefghi", "bcdefghij", strict=True)
    )
    tree, problems = read_tree(bomb)
    assert len(problems) == 10 + 18
    assert tree.value["j"] == [None, None]
