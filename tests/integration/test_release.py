"""What the last release left goes on with this version, and its readers understand what comes."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import closing
from pathlib import Path

import jsonschema

from streaming.verified import message_of
from tests.integration.release import BACKUP, LATER, RELEASED_SCHEMAS, run
from tests.integration.test_commands import ANNA, triage
from triage.commands import UndoVerdict
from triage.handlers import Triage
from triage.model import VerdictKind
from triage.store.store import open_store


def test_a_backup_of_the_last_release_goes_on(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    shutil.copytree(BACKUP, backup)
    restored = triage("restore", backup, "--data", data)
    assert restored.returncode == 0, restored.stderr
    with closing(open_store(f"sqlite:///{data / 'triage.db'}")) as store:
        (status,) = store.status(time.time()).streams
        before = status.counters.accepted
        given = {one.verdict_id: one.kind for one in store.recent_verdicts(9)}
    run(data, LATER)

    with closing(open_store(f"sqlite:///{data / 'triage.db'}")) as store:
        (status,) = store.status(time.time()).streams
        counters = status.counters
        later = len(LATER.read_bytes().splitlines())
        assert (counters.accepted, counters.duplicates) == (before + later, 0)
        assert counters.dead_lettered == 0
        verdicts = store.recent_verdicts(9)
        assert {one.verdict_id: one.kind for one in verdicts} == given
        assert all(one.learned for one in verdicts)
        (real,) = (name for name, kind in given.items() if kind is VerdictKind.REAL)
        Triage(store, message_of).handle(UndoVerdict(real, "undo"), ANNA, time.time())
    run(data, LATER)

    out = triage("tail", "verified", "--data", data, "--no-follow").stdout.splitlines()
    messages = [json.loads(line) for line in out]
    kinds = [one["headers"]["ce_type"].split(".")[-2] for one in messages]
    assert kinds == ["verified", "retracted"]
    assert [int(one["headers"]["ce_sequence"]) for one in messages] == [1, 2]
    schema = json.loads((RELEASED_SCHEMAS / "verified.v1.schema.json").read_text("utf-8"))
    for one in messages:
        jsonschema.Draft202012Validator(schema).validate(one["value"])
