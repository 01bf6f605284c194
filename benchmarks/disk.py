"""A small disk of its own, in memory, that can be filled; needs the right to mount."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

MOUNT_S = 30.0
PIECES = (1 << 20, 4096, 1)  # bytes written at once, until not even one goes in


class Disk:
    """A mounted folder of few megabytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Take all the space that is left."""
        with self._filler.open("ab", buffering=0) as file:
            for size in PIECES:
                with contextlib.suppress(OSError):
                    while file.write(b"\0" * size):
                        pass

    def is_full(self) -> bool:
        """Return whether nothing more can be written."""
        try:
            (self.folder / "probe").write_bytes(b"x" * PIECES[0])
        except OSError as error:
            return error.errno == errno.ENOSPC
        finally:
            (self.folder / "probe").unlink(missing_ok=True)
        return False

    def free(self) -> None:
        """Give the space back."""
        self._filler.unlink()


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int, owner: str | None = None) -> Iterator[Disk]:
    """Mount a disk at ``folder``, for ``owner``, as long as the block lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={megabytes}m,mode=0700" + (f",uid={owner},gid={owner}" if owner else "")
    _run("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder))
    try:
        yield Disk(folder)
    finally:
        _run("umount", "--lazy", str(folder))


def can_mount() -> bool:
    """Tell whether we may mount a disk here."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        try:
            with small_disk(Path(folder) / "disk", 1):
                return True
        except subprocess.CalledProcessError:
            return False


def _run(*command: str) -> None:
    subprocess.run(command, capture_output=True, check=True, timeout=MOUNT_S)
