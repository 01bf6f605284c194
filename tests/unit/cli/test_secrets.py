"""Secrets come from the environment or a file, by reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.secrets import secret
from streaming.errors import Stop


def test_from_the_environment_and_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", " open sesame")
    file = tmp_path / "password"
    file.write_text("from a file\n", encoding="utf-8")
    assert secret("env:KAFKA_PASSWORD") == " open sesame"
    assert secret(f"file:{file}") == "from a file"
    file.write_text("renewed", encoding="utf-8")
    assert secret(f"file:{file}") == "renewed"


def test_nothing_there_is_explained_without_a_secret(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="env:NO_SUCH_VARIABLE: there is no secret"):
        secret("env:NO_SUCH_VARIABLE")
    with pytest.raises(Stop, match="can't be read"):
        secret(f"file:{tmp_path / 'absent'}")
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    with pytest.raises(Stop, match="there is no secret"):
        secret(f"file:{tmp_path / 'empty'}")
