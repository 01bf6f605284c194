"""The metrics as Prometheus's own checker sees them."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from streaming.metrics import METRICS, Metrics


def test_promtool_finds_nothing_to_say_about_the_metrics() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool (.ci/debian-packages installs it)")
    values = Metrics()
    for metric in METRICS:
        values.add(metric, *("x" for _ in metric.labels))
    told = subprocess.run(
        [promtool, "check", "metrics"],
        input=values.text(),
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (told.returncode, told.stdout + told.stderr) == (0, "")
