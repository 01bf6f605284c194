"""What holds for all tests: markers by folder, their order, and what a skip means in CI."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.data import DATA_FOLDER, SKIP_WORDS

pytest_plugins = [
    "tests.support.chromium",
    "tests.support.kafka_broker",
    "tests.support.postgres_server",
]

FOLDERS = ("unit", "contract", "integration", "faults", "browser")
"""Order of the folders. The browser is last: Playwright's loop occupies the main thread."""

MARKED = {"integration", "faults", "browser"}
IN_CI = os.environ.get("CI", "").lower() == "true"

settings.register_profile("triage", deadline=None, derandomize=IN_CI)
settings.load_profile("triage")


def _folder(item: pytest.Item) -> str:
    here = Path(__file__).parent
    return item.path.relative_to(here).parts[0] if item.path.is_relative_to(here) else ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the folder they are in, and put the folders in order."""
    for item in items:
        folder = _folder(item)
        if folder in MARKED:
            item.add_marker(folder)
    items.sort(key=lambda item: FOLDERS.index(_folder(item)) if _folder(item) in FOLDERS else -1)


def _forgiven(reason: str) -> bool:
    return SKIP_WORDS in reason and not DATA_FOLDER.is_dir()


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Under CI=true a skipped test is a failed one, but for the data folder where it is absent."""
    if not IN_CI or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not _forgiven(reason):
        report.outcome = "failed"
        report.longrepr = f"Nothing is skipped under CI=true. {reason}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Apply the rule about skips to each test."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Apply the rule about skips to modules that are skipped as a whole."""
    report = yield
    _refuse_skip(report)
    return report
