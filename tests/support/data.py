"""The data folder: no part of the project, so what needs it skips where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DATA_FOLDER = Path(os.environ.get("TRIAGE_DATA") or REPOSITORY.parent / "shared" / "data")
SKIP_WORDS = "data folder"
"""A skip whose reason holds these words is forgiven under CI=true where the folder is absent."""


def data_file(name: str) -> Path:
    """Return the path of a file of the data folder, or skip the calling test with a line."""
    path = DATA_FOLDER / name
    if not path.is_file():
        pytest.skip(f"{SKIP_WORDS}: {name} is not there (TRIAGE_DATA says where to look)")
    return path
