"""What the last release left goes on with this version, and its readers understand what comes."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path

import jsonschema

from streaming.verified import message_of
from tests.integration.release import BACKUP, RELEASED_SCHEMAS, SEEN, VERDICTS, run
from tests.integration.test_commands import ANNA, lines, triage
from tests.support.streams import events
from triage.commands import UndoVerdict
from triage.handlers import Triage
from triage.model import VerdictKind
from triage.store.store import open_store

NOW = SEEN + 300


def test_a_backup_of_the_last_release_goes_on(tmp_path: Path) -> None:
    data, source = tmp_path / "data", tmp_path / "events.jsonl"
    restored = triage("restore", BACKUP, "--data", data)
    assert restored.returncode == 0, restored.stderr
    source.write_bytes(lines(events(NOW)[SEEN:]))
    run(data, source)

    with closing(open_store(f"sqlite:///{data / 'triage.db'}")) as store:
        (status,) = store.status(time.time()).streams
        counters = status.counters
        assert (counters.accepted, counters.duplicates, counters.dead_lettered) == (NOW, 0, 0)
        given = store.recent_verdicts(9)
        assert sorted(one.kind for one in given) == sorted(VERDICTS)
        assert all(one.learned for one in given)
        (real,) = (one.verdict_id for one in given if one.kind is VerdictKind.REAL)
        Triage(store, message_of).handle(UndoVerdict(real, "undo"), ANNA, time.time())
    run(data, source)

    out = triage("tail", "verified", "--data", data, "--no-follow").stdout.splitlines()
    messages = [json.loads(line) for line in out]
    kinds = [one["headers"]["ce_type"].split(".")[-2] for one in messages]
    assert kinds == ["verified", "retracted"]
    assert [int(one["headers"]["ce_sequence"]) for one in messages] == [1, 2]
    schema = json.loads((RELEASED_SCHEMAS / "verified.v1.schema.json").read_text("utf-8"))
    for one in messages:
        jsonschema.Draft202012Validator(schema).validate(one["value"])
