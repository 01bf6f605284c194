"""Where things are kept, and whose password is not in the address."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.places import Places, _with_password
from triage.errors import Invalid

URL = "postgresql://anna@db:5432/triage"


def test_a_password_comes_from_where_the_address_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DB", "a:b@c/d")
    full = "postgresql://anna:a%3Ab%40c%2Fd@db:5432/triage"
    assert _with_password(f"{URL}?password=env:DB") == full
    assert _with_password(f"{URL}?sslmode=require&password=env:DB") == f"{full}?sslmode=require"
    assert _with_password("sqlite:///x.db") == "sqlite:///x.db"
    assert _with_password(URL) == URL
    places = Places.of(tmp_path, None, f"{URL}?password=env:DB")
    assert "a:b" not in " ".join(places.arguments())


@pytest.mark.parametrize(
    "url",
    [
        f"{URL}?password=hunter2",
        "postgresql://db/triage?password=env:DB",
        "postgresql://anna:hunter2@db/triage?password=env:DB",
        f"{URL}?password=env:NO_SUCH_VARIABLE",
    ],
)
def test_what_makes_no_sense_is_explained_without_the_password(url: str) -> None:
    with pytest.raises(Invalid, match="store: ") as caught:
        _with_password(url)
    assert "hunter2" not in str(caught.value)
