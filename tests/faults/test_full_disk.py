"""A disk that is full for a while costs time, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.disk import can_mount
from benchmarks.full_disk import FULL


@pytest.mark.timeout(600)
@pytest.mark.parametrize("place", list(FULL))
def test_the_service_goes_on_when_there_is_space(place: str, tmp_path: Path) -> None:
    if not can_mount():
        pytest.skip("a small disk can't be mounted here: run as root (CI does)")
    found = FULL[place](tmp_path).found
    assert (found["lost"], found["twice"], found["different"]) == (0, 0, 0)
    assert found["candidates"] > 0
