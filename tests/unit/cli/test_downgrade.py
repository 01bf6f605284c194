"""``triage store downgrade``: told first, done when asked, and never to what is not earlier."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.store import command
from tests.support.stores import store_at
from triage.errors import SchemaUnknown
from triage.store.store import open_store


@pytest.fixture
def data(tmp_path: Path) -> Path:
    store_at(tmp_path / "triage.db").close()
    return tmp_path


def downgrade(data: Path, *given: str) -> tuple[int, str]:
    ran = CliRunner().invoke(command, ["downgrade", *given, "--data", str(data)])
    return ran.exit_code, ran.output


def dropped(text: str, word: str) -> list[str]:
    return text.partition(f"{word}: ")[2].partition(".\n")[0].split(", ")


def test_it_is_told_before_it_is_done(data: Path) -> None:
    url = f"sqlite:///{data / 'triage.db'}"
    code, text = downgrade(data, "0017")
    assert code == 1
    assert {"cluster_cohorts", "lags", "touches"} <= set(dropped(text, "Would be dropped"))
    open_store(url, migrate=False).close()  # nothing was changed
    code, text = downgrade(data, "0016", "--yes")
    assert code == 0
    assert {"cluster_cohorts", "verdicts.suggested"} <= set(dropped(text, "Dropped"))
    with pytest.raises(SchemaUnknown, match="schema 0016"):
        open_store(url, migrate=False)
    with closing(open_store(url)) as store:
        assert store.status(0.0).streams == []


def test_what_is_no_earlier_schema_is_refused(data: Path) -> None:
    code, text = downgrade(data, "9999", "--yes")
    assert code == 1
    assert "9999: is not before schema 00" in text
    assert "choose one of 0001 to" in text


def test_an_empty_folder_has_no_store(tmp_path: Path) -> None:
    code, text = downgrade(tmp_path, "0001")
    assert code == 1
    assert "there is no triage.db" in text
