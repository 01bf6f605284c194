"""From a file to a ``StreamConfig``, or to all that is wrong with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from detectors.clustering.leader import ClusteringSettings
from streaming.config.checks import problems_of, warnings_of
from streaming.config.model import SET_BY_LOAD, StreamConfig
from streaming.config.parts import read_detectors, read_features
from streaming.config.problems import from_pydantic, nearest
from streaming.config.sections import (
    LIFTED,
    Read,
    read_fields,
    read_learning,
    read_section,
    read_source,
)
from streaming.config.yaml_tree import MAX_BYTES, Problem, Tree, read_tree
from streaming.errors import ConfigInvalid
from triage.policy import Policy


def load(path: Path) -> StreamConfig:
    """Read and check a stream's config. Raises ConfigInvalid with all problems, a line each."""
    return parse(read_text(path), str(path))


def read_text(path: Path) -> str:
    """Return the text of a YAML file, of which at most a little more than is allowed is read.

    Raises ConfigInvalid if it can't be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigInvalid([f"{path}: there is no such file{_similar(path)}"]) from None
    except OSError as error:
        raise ConfigInvalid([f"{path}: can't be read: {error.strerror}"]) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigInvalid([f"{path}:{line}: is not UTF-8; save the file as UTF-8"]) from error


def _similar(path: Path) -> str:
    """Say which file may have been meant, if one of the folder is named nearly so."""
    if not path.parent.is_dir():
        return f", and no folder {path.parent}"
    near = nearest(path.name, [one.name for one in path.parent.iterdir() if one.is_file()])
    return f'; did you mean "{path.parent / near}"?' if near else "; is the path right?"


def parse(text: str, file: str) -> StreamConfig:
    """Check the text of a config; ``file`` is the name that problems begin with."""
    tree, unreadable = read_tree(text)
    if not isinstance(tree.value, dict):
        shape = Problem((), 1, "must hold keys and values, starting with `stream: NAME`")
        raise ConfigInvalid(_lines(unreadable or [shape], file))
    raw = {key: value for key, value in tree.value.items() if value is not None}
    features = read_features(tree, raw)
    detectors = read_detectors(tree, raw)
    parts: dict[str, Read[Any]] = {
        "features": Read(tuple(params for _, params in features.value), features.problems),
        "detectors": detectors,
        "learning": read_learning(tree, raw),
        "clustering": read_section(tree, raw, "clustering", ClusteringSettings),
        "policy": read_section(tree, raw, "policy", Policy),
    }
    problems = [problem for part in parts.values() for problem in part.problems]
    # Numbers of items refer to the file, so detectors are built only where all could be read.
    buildable = () if detectors.problems else detectors.value
    problems += problems_of(tree, raw, features.value, buildable)
    values = {
        **{key: value for key, value in raw.items() if key not in LIFTED},
        **{name: part.value for name, part in parts.items() if name in raw or part.value},
        **({"fields": read_fields(raw)} if "fields" in raw else {}),
        "source": read_source(raw),
        "version": version_of(raw),
        "text": text,
    }
    broken = {name for name, part in parts.items() if part.problems}
    config, found = _whole(tree, raw, values)
    problems += [one for one in found if not one.path or one.path[0] not in broken]
    told = {one.path for one in unreadable}
    problems = [*unreadable, *(one for one in problems if one.path not in told)]
    if problems or config is None:
        raise ConfigInvalid(_lines(problems, file))
    warnings = _lines(warnings_of(tree, raw, features.value), file)
    return config.model_copy(update={"warnings": warnings})


def version_of(raw: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a config's canonical form: sorted keys, no comments, no layout."""
    canonical = json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _whole(
    tree: Tree, raw: Mapping[str, Any], values: Mapping[str, Any]
) -> tuple[StreamConfig | None, list[Problem]]:
    reserved = [
        tree.problem((name,), "unknown key; it is worked out, not written")
        for name in SET_BY_LOAD
        if name in raw
    ]
    try:
        return StreamConfig.model_validate(values), reserved
    except ValidationError as error:
        return None, reserved + from_pydantic(tree, (), StreamConfig, error, also=LIFTED)


def _lines(problems: Iterable[Problem], file: str) -> tuple[str, ...]:
    """Return the problems in the file's order, each once."""
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: problem.line)
    return tuple(problem.render(file) for problem in ordered)
