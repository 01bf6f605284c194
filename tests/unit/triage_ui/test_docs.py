from __future__ import annotations

import re

from tests.support.data import REPOSITORY
from tests.unit.triage_ui.conftest import Board
from triage_ui.api import PREFIX
from triage_ui.components.keys_sheet import KEYS

DOCS = (REPOSITORY / "docs" / "board.md").read_text("utf-8")
API = (REPOSITORY / "docs" / "api.md").read_text("utf-8")


def test_every_route_of_the_api_is_in_the_docs_and_no_other(board: Board) -> None:
    paths = board.served.app.openapi()["paths"]
    routes = {
        f"{method.upper()} {path.removeprefix(PREFIX)}"
        for path, methods in paths.items()
        if path.startswith(PREFIX)
        for method in methods
    }
    assert set(re.findall(r"^\| `((?:GET|POST|DELETE) /[^`]*)`", API, re.MULTILINE)) == routes


def test_every_key_is_in_the_docs() -> None:
    assert all(f"`{key}`" in DOCS for key, _ in KEYS)


def test_pictures_are_there_and_light_enough() -> None:
    for name in ("queue-light", "queue-dark", "cluster-light", "cluster-dark"):
        picture = REPOSITORY / "docs" / "images" / f"{name}.png"
        assert 10_000 < picture.stat().st_size < 300_000
