"""Reads a YAML text into plain values, strictly, and remembers where each key stands.

The language is the core of YAML 1.2: mappings, lists, texts, numbers, true/false, null. What makes
YAML surprising or dangerous is refused: duplicate keys, anchors and aliases, tags, several
documents, ``yes``/``on`` as booleans (they are texts here), infinite numbers, and anything large
or deep.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml import events as ev

Path = tuple[str | int, ...]

MAX_BYTES = 256 * 1024
"""Largest config. The longest example has 4 kB."""

MAX_DEPTH = 12
"""Deepest nesting. A config needs five."""

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?")
_CONSTANTS: Mapping[str, Any] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at a place of the file, said in one line."""

    path: Path
    line: int
    message: str

    def render(self, file: str) -> str:
        """Return ``file:line: key.path: message``."""
        key = f"{dotted(self.path)}: " if self.path else ""
        return f"{file}:{self.line}: {key}{self.message}"


@dataclass(frozen=True, slots=True)
class Tree:
    """Plain values and the line (from 1) of each key and list item."""

    value: Any
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """Return the line of the longest part of ``path`` that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: Path, message: str) -> Problem:
        """Return a problem with the line of ``path``."""
        return Problem(path, self.line(path), message)


def dotted(path: Path) -> str:
    """Return a path as people write it: ``detectors[1].trees``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def read_tree(text: str) -> tuple[Tree, list[Problem]]:
    """Parse ``text``. Where there are problems, the tree holds what could be understood."""
    if len(text.encode()) > MAX_BYTES:
        message = f"is larger than {MAX_BYTES // 1024} kB; a stream's config has a few"
        return Tree(None, {}), [Problem((), 1, message)]
    builder = _Builder(yaml.parse(text, Loader=yaml.SafeLoader))
    value = None
    try:
        value = builder.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        builder.problems.append(Problem((), mark.line + 1 if mark else 1, _syntax(error)))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"holds the character U+{error.character:04X}, which YAML can't hold; remove it"
        builder.problems.append(Problem((), line, message))
    except _TooDeep as error:
        builder.problems.append(
            Problem((), error.line, f"is nested deeper than {MAX_DEPTH} levels")
        )
    return Tree(value, builder.lines), builder.problems


class _TooDeep(Exception):
    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


@dataclass(slots=True)
class _Builder:
    """Builds values from parser events, so that nothing is expanded before it is checked."""

    events: Iterator[Any]
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def document(self) -> Any:
        next(self.events)  # stream start
        if isinstance(next(self.events), ev.StreamEndEvent):
            self.problems.append(Problem((), 1, "is empty; start with `stream: NAME`"))
            return None
        value = self.node(next(self.events), ())
        next(self.events)  # document end
        after = next(self.events)
        if isinstance(after, ev.DocumentStartEvent):
            self.refuse((), after, "has a second document (`---`); one file describes one stream")
        return value

    def node(self, event: Any, path: Path) -> Any:
        if len(path) > MAX_DEPTH:
            raise _TooDeep(event.start_mark.line + 1)
        self.lines.setdefault(path, event.start_mark.line + 1)
        if isinstance(event, ev.AliasEvent):
            self.refuse(path, event, f"alias *{event.anchor} is not allowed; repeat the value")
            return None
        if event.anchor is not None:
            self.refuse(path, event, f"anchor &{event.anchor} is not allowed; repeat the value")
        if event.tag is not None:
            self.refuse(path, event, f"tag {event.tag} is not allowed; write the plain value")
        if isinstance(event, ev.MappingStartEvent):
            return self.mapping(path)
        if isinstance(event, ev.SequenceStartEvent):
            return self.sequence(path)
        return self.scalar(event, path)

    def mapping(self, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(self.events), ev.MappingEndEvent):
            key = self.key(event, path)
            here = (*path, key)
            if key in values:
                message = f"stands twice, first in line {self.lines[here]}; keep one of the two"
                self.refuse(here, event, message)
                self.node(next(self.events), (*path, key, "(again)"))
                continue
            self.lines[here] = event.start_mark.line + 1
            values[key] = self.node(next(self.events), here)
        return values

    def key(self, event: Any, path: Path) -> str:
        if isinstance(event, ev.ScalarEvent) and event.value and not (event.anchor or event.tag):
            return self.text(event, path)
        self.refuse(path, event, "has a key that is not a plain name")
        if not isinstance(event, ev.ScalarEvent):
            self.node(event, (*path, "(key)"))
        return f"(line {event.start_mark.line + 1})"

    def sequence(self, path: Path) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self.events), ev.SequenceEndEvent):
            values.append(self.node(event, (*path, len(values))))
        return values

    def scalar(self, event: Any, path: Path) -> Any:
        text = self.text(event, path)
        if not event.implicit[0]:  # quoted
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if math.isinf(number):
                self.refuse(path, event, f"{text[:20]} is too large for a number")
            return number
        return text

    def text(self, event: Any, path: Path) -> str:
        text: str = event.value
        try:  # an escaped character beyond \\uffff may come in two halves, as in JSON
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.refuse(
                path, event, "holds half of a character (\\ud800 to \\udfff); write it whole"
            )
            return ""

    def refuse(self, path: Path, event: Any, message: str) -> None:
        self.problems.append(Problem(path, event.start_mark.line + 1, message))


def _syntax(error: yaml.MarkedYAMLError) -> str:
    what = error.problem or "can't be read"
    if "\\t" in what:
        return "is not YAML: a tab is used for indentation; use spaces"
    context = f" {error.context}" if error.context else ""
    return f"is not YAML:{context} {what}; check the indentation, colons and quotes here"
