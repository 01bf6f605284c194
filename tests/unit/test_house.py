"""What the house says about itself is true."""

from __future__ import annotations

import importlib
import pkgutil
import re
import tomllib
from typing import Any

import pytest

import cli
import detectors
import streaming
import triage
import triage_ui
from tests.support.data import REPOSITORY

LOCKS = ("requirements.lock", "requirements-dev.lock")
PACKAGES = (cli, detectors, streaming, triage, triage_ui)


def project() -> dict[str, Any]:
    loaded: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    return loaded


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def name_of(requirement: str) -> str:
    return normal(re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0])


def declared() -> set[str]:
    extras = project()["optional-dependencies"].values()
    wanted = [*project()["dependencies"], *(each for extra in extras for each in extra)]
    return {name_of(requirement) for requirement in wanted}


def pinned(lock: str) -> dict[str, str]:
    text = (REPOSITORY / lock).read_text()
    return {normal(n): v for n, v in re.findall(r"^([A-Za-z0-9._-]+)==(\S+) \\$", text, re.M)}


def test_every_dependency_has_its_reason() -> None:
    page = (REPOSITORY / "docs/decisions/0001-dependencies.md").read_text()
    explained = set(re.findall(r"^\| ([a-z0-9-]+) \|", page, re.M)) - {"library"}
    assert explained == declared()


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_pin_every_package_by_hash_and_name_no_host(lock: str) -> None:
    text = (REPOSITORY / lock).read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text
    assert {entry[0] for entry in entries}.isdisjoint({"-", "#"})


def test_locks_hold_what_is_declared_and_agree() -> None:
    runtime, everything = (pinned(lock) for lock in LOCKS)
    assert declared() <= everything.keys()
    assert {name_of(each) for each in project()["dependencies"]} <= runtime.keys()
    assert runtime.items() <= everything.items()


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_every_package_is_shipped(package: Any) -> None:
    build = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert package.__name__ in build["targets"]["wheel"]["packages"]


def test_every_make_target_is_described() -> None:
    text = (REPOSITORY / "Makefile").read_text()
    targets = {name for line in re.findall(r"^\.PHONY: (.+)$", text, re.M) for name in line.split()}
    described = set(re.findall(r"^([a-z-]+):.*## ", text, re.M))
    assert described == targets


def test_benchmarks_of_the_make_targets_exist() -> None:
    text = (REPOSITORY / "Makefile").read_text()
    wanted = set(re.findall(r"^bench-([a-z]+):  ##", text, re.M))
    benchmarks = importlib.import_module("benchmarks")
    assert wanted <= {module.name for module in pkgutil.iter_modules(benchmarks.__path__)}


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(REPOSITORY)}: {target}"
        for page in [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")]
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert not broken


def test_each_decision_has_a_number_of_its_own() -> None:
    pages = sorted((REPOSITORY / "docs/decisions").glob("*.md"))
    numbers = [int(page.name[:4]) for page in pages]
    assert numbers == list(range(1, len(pages) + 1))
    heads = [page.read_text().partition(".")[0] for page in pages]
    assert heads == [f"# {number}" for number in numbers]
