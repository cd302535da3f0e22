"""Locks between processes: links are not followed, and a removed lock file does not lock."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fxloom.system.lock import LockedError, lock

posix = pytest.mark.skipif(os.name != "posix", reason="links and permissions")


def test_the_error_names_the_holder(tmp_path: Path) -> None:
    holder = pytest.raises(LockedError, match=rf"populate, process {os.getpid()}")
    with lock(tmp_path / ".lock", "populate"), holder, lock(tmp_path / ".lock", "ingest"):
        pass
    with lock(tmp_path / ".lock", "ingest"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


@posix
@pytest.mark.parametrize("name", [".lock", ".lock.holder"])
def test_a_link_in_its_place_does_not_change_its_target(name: str, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("letters")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / name).symlink_to(victim)
    try:
        with lock(tmp_path / "store" / ".lock", "ingest"):
            assert name == ".lock.holder"
    except OSError:
        assert name == ".lock"
    assert victim.read_text() == "letters"


@posix
def test_lock_files_are_not_world_writable_under_any_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with lock(tmp_path / ".lock", "ingest"):
            modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == {".lock": 0o664, ".lock.holder": 0o644}


@posix
def test_a_removed_lock_file_does_not_block_others(tmp_path: Path) -> None:
    with lock(tmp_path / ".lock", "ingest"):
        (tmp_path / ".lock").unlink()
        with lock(tmp_path / ".lock", "populate"), pytest.raises(LockedError), lock(tmp_path / ".lock", "copy"):
            pass
