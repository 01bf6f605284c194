"""Configs come, are tried and go while processes die; `make bench-rollouts` is the long version."""

from __future__ import annotations

from pathlib import Path

from benchmarks.kill import run
from benchmarks.rollouts import Deployer


def test_roll_outs_during_kills_lose_and_repeat_nothing(tmp_path: Path) -> None:
    deployer = Deployer(seed=2)
    result = run(tmp_path, kills=5, events=30_000, seed=3, act=deployer.act)
    assert (result.lost, result.twice, result.different) == (0, 0, 0)
    assert deployer.done > 0
    assert result.candidates > 0
