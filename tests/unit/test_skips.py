"""Under CI=true a skip is a failure, but for the data folder where it is absent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.data import REPOSITORY

pytestmark = pytest.mark.slow

SAMPLE = """
import pytest
from tests.support.data import data_file

def test_needs_data():
    data_file("nothing.parquet")

def test_skips():
    pytest.skip("no broker")

@pytest.mark.xfail(strict=True, reason="can't")
def test_expected_to_fail():
    assert False
"""


WHOLE_MODULE = """
import pytest
pytest.skip("no browser", allow_module_level=True)
"""


def summary(folder: Path, data: Path) -> str:
    (folder / "test_sample.py").write_text(SAMPLE)
    (folder / "test_whole_module.py").write_text(WHOLE_MODULE)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
    ]
    settings = ["-c", f"{REPOSITORY}/pyproject.toml", "--rootdir", str(REPOSITORY)]
    done = subprocess.run(
        [*command, *settings, "--continue-on-collection-errors", str(folder)],
        env={**os.environ, "CI": "true", "TRIAGE_DATA": str(data), "PYTEST_ADDOPTS": ""},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout.strip().splitlines()[-1]


def test_a_skip_is_a_failure(tmp_path: Path) -> None:
    assert summary(tmp_path, tmp_path).startswith("2 failed, 1 xfailed, 1 error")


def test_the_absent_data_folder_is_forgiven(tmp_path: Path) -> None:
    expected = "1 failed, 1 skipped, 1 xfailed, 1 error"
    assert summary(tmp_path, tmp_path / "absent").startswith(expected)
