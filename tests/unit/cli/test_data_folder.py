from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli.data_folder import DataFolder, DataFolderInUse, DataFolderUnusable

HOLD = """
import sys
from pathlib import Path
from cli.data_folder import DataFolder
with DataFolder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_is_made_for_its_owner_only(tmp_path: Path) -> None:
    with DataFolder(tmp_path / "a" / "data") as folder:
        assert folder.path.stat().st_mode & 0o777 == 0o700
        assert (folder.path / "lock").read_text() == f"{os.getpid()}\n"


def test_second_process_is_told_folder_owner_and_remedy(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"held\n"
        with pytest.raises(
            DataFolderInUse, match=f"{re.escape(str(tmp_path))} .*{owner.pid}.*--data"
        ):
            DataFolder(tmp_path).__enter__()
        owner.kill()  # no chance to tidy up
        owner.wait()
        with DataFolder(tmp_path):
            assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_refusal_leaves_the_owner_in_the_lock(tmp_path: Path) -> None:
    with DataFolder(tmp_path):
        for _ in range(2):
            with pytest.raises(DataFolderInUse, match=f"process {os.getpid()}"):
                DataFolder(tmp_path).__enter__()


def test_can_be_taken_again_after_it_was_left(tmp_path: Path) -> None:
    for _ in range(2):
        with DataFolder(tmp_path):
            pass


def test_a_file_in_its_place_is_named_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_text("")
    with pytest.raises(DataFolderUnusable, match=r"data can't be used \(.+\).*--data"):
        DataFolder(path).__enter__()


def test_children_do_not_hold_the_lock(tmp_path: Path) -> None:
    with DataFolder(tmp_path):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        with DataFolder(tmp_path):
            pass
    finally:
        child.communicate(b"\n")
