"""From a file of examples to frozen values, or to all that is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from pydantic import AfterValidator, Field

from streaming.config.fields import FieldName, Section, Words
from streaming.config.load import read_text
from streaming.config.problems import hint
from streaming.config.sections import validated
from streaming.config.yaml_tree import Problem, Tree, read_tree
from streaming.errors import ConfigInvalid
from streaming.sources.registry import built_in

SUFFIX = ".examples.yaml"
START = "examples:\n  - name: NAME\n    records: [{...}]\n    expect: {candidate: true}"

DEAD_LETTER_CODES = (
    "missing_field", "not_json", "out_of_range", "too_large", "too_long", "wrong_type",
)  # fmt: skip
"""Reasons that the decoder gives."""


def _expected_value(value: Any) -> Any:
    """Check what a feature may be expected to be; a list is a range."""
    if isinstance(value, list):
        if len(value) != 2 or not all(map(_is_number, value)) or value[0] > value[1]:
            raise ValueError("a range is two numbers, the smaller first, like [2.5, 4]")
        return (float(value[0]), float(value[1]))
    if value is not None and not isinstance(value, str) and not _is_number(value):
        raise ValueError(
            "must be a number, a range like [2.5, 4], a text as the board shows it, or null "
            "(missing)"
        )
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _record(value: Any) -> bytes:
    """Return a record's bytes: a section is JSON, a text is what stands there."""
    if isinstance(value, dict):
        return msgspec.json.encode(value)
    if isinstance(value, str):
        return value.encode()
    raise ValueError("must be a section of fields and values, or a text (bytes that are no JSON)")


def _code(value: str) -> str:
    if value not in DEAD_LETTER_CODES:
        raise ValueError(f'"{value[:60]}" is no reason{hint(value, DEAD_LETTER_CODES, "one of")}')
    return value


def _filled(items: tuple[Any, ...]) -> tuple[Any, ...]:
    # Not by min_length: pydantic counts the valid items only, and says twice that one is wrong.
    if not items:
        raise ValueError("is empty; add one")
    return items


Expected = float | str | tuple[float, float] | None


class Expect(Section):
    """What should come of an example's last record.

    Attributes:
        features: column -> number (to two decimals or a thousandth), range, text as the board shows
            the feature, or None where it should be missing.
        title: part of the title of the cluster that the example's candidates make.
    """

    candidate: bool | None = None
    title: Words | None = None
    features: Mapping[str, Annotated[Any, AfterValidator(_expected_value)]] = Field(
        default_factory=dict
    )
    duplicate: bool | None = None
    dead_letter: Annotated[str, AfterValidator(_code)] | None = None


class Example(Section):
    """Records, fed in order to a detector that has learned the history."""

    name: Words
    records: Annotated[tuple[Annotated[Any, AfterValidator(_record)], ...], AfterValidator(_filled)]
    expect: Expect


class History(Section):
    """What the detector learns before each example: the first ``events`` rows of a source."""

    source: FieldName
    events: int = Field(default=10_000, ge=1, le=10_000_000)


class _File(Section):
    history: History | None = None
    examples: Annotated[tuple[Example, ...], AfterValidator(_filled)]


class Examples:
    """The examples of one file. ``history``: its source's path is complete.

    ``place(i, key)`` says where something of an example stands: ``file:line: examples[i].key``.
    """

    def __init__(self, file: Path, tree: Tree, content: _File) -> None:
        self.file = file
        self.history = _found(content.history, file.parent)
        self.examples: Sequence[Example] = content.examples
        self._tree = tree

    def place(self, example: int, *keys: str) -> str:
        """Return ``file:line: examples[1].expect.title``."""
        problem = self._tree.problem(("examples", example, *keys), "")
        return problem.render(str(self.file)).removesuffix(": ")


def examples_beside(config: Path) -> Path:
    """Return where the examples of a config stand: ``payments.examples.yaml``."""
    return config.with_name(config.stem + SUFFIX)


def config_beside(examples: Path) -> Path:
    """Return the config whose examples these are."""
    return examples.with_name(examples.name.removesuffix(SUFFIX) + ".yaml")


def load_examples(path: Path) -> Examples:
    """Read and check a file of examples. Raises ConfigInvalid with all problems, a line each."""
    if not path.exists():
        raise ConfigInvalid(
            [f"{path}: there is no such file; write one with examples, like\n{START}"]
        )
    tree, problems = read_tree(read_text(path))
    if not problems and isinstance(tree.value, dict):
        read = validated(tree, (), _File, tree.value)
        problems = [*read.problems, *(_contradictions(tree, read.value) if read.value else ())]
        if read.value is not None and not problems:
            return Examples(path, tree, read.value)
    problems = problems or [Problem((), 1, f"must hold examples, like\n{START}")]
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: problem.line)
    raise ConfigInvalid([problem.render(str(path)) for problem in ordered])


def _contradictions(tree: Tree, content: _File) -> Iterator[Problem]:
    """Yield expectations that can't hold together, and examples that expect nothing."""
    names: dict[str, int] = {}
    for i, example in enumerate(content.examples):
        path, expect = ("examples", i, "expect"), example.expect
        if example.name in names:
            message = f"is the name of examples[{names[example.name]}] too; give it another"
            yield tree.problem(("examples", i, "name"), message)
        names.setdefault(example.name, i)
        if not expect.model_fields_set:
            yield tree.problem(path, "expects nothing; add candidate, title, features, ...")
        if expect.title is not None and expect.candidate is False:
            yield tree.problem((*path, "title"), "only a candidate has a title; remove one of both")
        accepted = expect.candidate or expect.title is not None or expect.features
        if accepted and (expect.duplicate or expect.dead_letter):
            key = "duplicate" if expect.duplicate else "dead_letter"
            message = "such a record has no features and no candidate; remove one of both"
            yield tree.problem((*path, key), message)


def _found(history: History | None, folder: Path) -> History | None:
    """Return the history with a path that is meant relative to the file."""
    if history is None or history.source.partition("?")[0] in built_in():
        return history
    return history.model_copy(update={"source": str(folder / history.source)})
