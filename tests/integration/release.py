"""What a release leaves for the tests of those after it: ``make release-files``.

The schemas that it published, and the backup of a small run: detectors that have learned, verdicts
of both kinds, findings that went out.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import closing
from pathlib import Path

from streaming import schemas
from streaming.compatibility import breaks
from tests.integration.test_commands import decide, lines, triage
from tests.support.streams import CONFIG, events
from triage.model import VerdictKind
from triage.queries import QueueFilter
from triage.store.store import open_store

SCHEMAS = Path(schemas.__file__).parent
RELEASED_SCHEMAS = SCHEMAS / "released"
RELEASED = Path(__file__).parent / "released"
STREAM, LATER, BACKUP = (RELEASED / name for name in ("tests.yaml", "later.jsonl", "backup"))
SEEN = 600
VERDICTS = (VerdictKind.REAL, VerdictKind.SPURIOUS)


def run(data: Path, source: Path) -> None:
    """Let the stream go on in a data folder until what the source holds is worked off."""
    places = ("--stream", STREAM, "--source", source, "--data", data)
    done = triage("run", *places, "--no-board", "--until-done", "--quiet")
    assert done.returncode == 0, done.stderr


def main() -> None:
    """Write the files of this release over those of the last, unless it breaks readers of that."""
    for file in SCHEMAS.glob("*.schema.json"):
        kept = RELEASED_SCHEMAS / file.name
        if kept.exists():
            old, new = (json.loads(one.read_text(encoding="utf-8")) for one in (kept, file))
            assert not list(breaks(old, new)), f"{file.name} breaks readers: make a new version"
        shutil.copy(file, kept)
    RELEASED.mkdir(exist_ok=True)
    STREAM.write_text(CONFIG, encoding="utf-8")
    made = events(SEEN + 300)
    LATER.write_bytes(lines(made[SEEN:]))
    with tempfile.TemporaryDirectory(prefix="triage-release-") as name:
        data, source, backup = (Path(name, part) for part in ("data", "events.jsonl", "backup"))
        source.write_bytes(lines(made[:SEEN]))
        run(data, source)
        with closing(open_store(f"sqlite:///{data / 'triage.db'}")) as store:
            rows = store.queue(QueueFilter(), 0, len(VERDICTS)).rows
            for kind, row in zip(VERDICTS, rows, strict=True):
                decide(store, row, kind)
        run(data, source)
        done = triage("backup", backup, "--data", data)
        assert done.returncode == 0, done.stderr
        shutil.rmtree(BACKUP, ignore_errors=True)
        shutil.copytree(backup, BACKUP)


if __name__ == "__main__":
    main()
