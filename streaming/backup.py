"""A backup: a folder with a copy of the store, of the embedded log, and what they must be.

On one machine both copies are of the same moment, taken while everything runs. Where the log is a
broker's only the store is copied: workers go on from its older positions, and what was published
since is found by the relay.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from streaming.errors import Stop
from streaming.transports._log_copy import LogCopy
from triage.store import backup as store_backup

FORMAT = 1
STORE, LOG, MANIFEST = "store.db", "log.db", "backup.json"
PIECE = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds.

    Attributes:
        program: version of the program that made it.
        made: when, in UTC.
        schema: revision of the store's schema.
        rows: of each table.
        files: SHA-256 of each file.
    """

    format: int
    program: str
    made: str
    schema: str
    rows: Mapping[str, int]
    files: Mapping[str, str]


def back_up(folder: Path, store_url: str, log: Path | None, program: str, made: str) -> Manifest:
    """Write a backup into a new folder, which appears when it is whole.

    Raises Stop if the folder is there, triage's errors where the store can't be read.
    """
    if folder.exists():
        raise Stop(f"{folder}: is there already; name a new folder, e.g. one per day")
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)  # of a backup that was killed
        unfinished.mkdir(parents=True)
        schema, rows = _copy(unfinished, store_url, log)
        names = [STORE, LOG] if log else [STORE]
        files = {name: _sha256(unfinished / name) for name in names}
        manifest = Manifest(FORMAT, program, made, schema, rows, files)
        (unfinished / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
        for name in (*names, MANIFEST):
            _to_disk(unfinished / name)
        unfinished.rename(folder)
    except OSError as error:
        raise Stop(
            f"{folder}: can't be written ({error.strerror}): choose another place"
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return manifest


def restore(folder: Path, store_url: str, log: Path | None) -> Manifest:
    """Fill an empty store, and an empty place for the embedded log, from a backup.

    Raises Stop if the backup is damaged or the log's place is taken, triage's errors if the store
    is not empty or the backup is of a newer program; nothing was changed then.
    """
    manifest = _read(folder)
    if log and LOG not in manifest.files:
        raise Stop(
            f"{folder}: holds no embedded log: its store is one over Kafka; name the broker with"
            " --transport"
        )
    if log is None and LOG in manifest.files:
        raise Stop(
            f"{folder}: holds an embedded log, to which its positions belong: restore it without"
            " --transport"
        )
    with contextlib.ExitStack() as stack:
        if log:
            stack.enter_context(_new_log(folder, log))
        store_backup.restore(folder / STORE, store_url)
    return manifest


def _copy(folder: Path, store_url: str, log: Path | None) -> tuple[str, Mapping[str, int]]:
    """Copy the log and the store as of one moment; return the store's schema and rows."""
    with contextlib.ExitStack() as stack:
        records = stack.enter_context(LogCopy(log)) if log else None
        store = stack.enter_context(store_backup.StoreCopy(store_url))
        if records:
            records.let_go()
            records.write(folder / LOG)
        return store.schema, store.write(folder / STORE)


def _read(folder: Path) -> Manifest:
    """Return the manifest of a backup whose files are what it says."""
    try:
        told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if told["format"] > FORMAT:
            raise Stop(f"{folder}: made by a newer program ({told['program']}): update this one")
        manifest = Manifest(**told)
        for name, digest in manifest.files.items():
            if _sha256(folder / name) != digest:
                raise Stop(f"{folder / name}: is damaged (another SHA-256): take an older backup")
    except OSError as error:
        raise Stop(f"{error.filename}: can't be read ({error.strerror}): no backup?") from error
    except (ValueError, KeyError, TypeError) as error:
        raise Stop(f"{folder / MANIFEST}: is damaged ({error!r}): take an older backup") from error
    return manifest


@contextlib.contextmanager
def _new_log(folder: Path, log: Path) -> Iterator[None]:
    """Put the log in its place; take it away again if the block fails."""
    if log.exists():
        raise Stop(f"{log}: is there already: a backup is restored into an empty data folder only")
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(folder / LOG, log)
        _to_disk(log)
        yield
    except OSError as error:
        log.unlink(missing_ok=True)
        raise Stop(f"{log}: can't be written ({error.strerror}): nothing was restored") from error
    except BaseException:
        log.unlink(missing_ok=True)
        raise


def _to_disk(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
