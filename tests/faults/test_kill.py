"""kill -9 at random moments changes nothing; `make bench-kill` is the long version."""

from __future__ import annotations

from pathlib import Path

from benchmarks.kill import run


def test_kills_change_nothing(tmp_path: Path) -> None:
    result = run(tmp_path, kills=5, events=30_000, seed=3)
    assert (result.lost, result.twice, result.different) == (0, 0, 0)
    assert result.candidates > 0
    assert result.verdicts > 0
    assert result.findings > 0
