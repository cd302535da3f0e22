"""Atomic files: leftovers of failed writes, and which temporaries are removed."""

from __future__ import annotations

import contextlib
import errno
from pathlib import Path

import pytest

from fxloom.stores.atomic import INCOMING, clear_temporaries, make_folders, replacing
from fxloom.stores.base import StoreError

NAME = "0123456789abcdef" * 2 + ".tmp"


def test_a_file_is_either_old_or_new(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    with replacing(tmp_path, path) as temporary:
        temporary.write_text("old")
        assert temporary.parent == tmp_path / INCOMING
        assert not path.exists()
    with contextlib.suppress(RuntimeError), replacing(tmp_path, path) as temporary:
        temporary.write_text("ne")
        raise RuntimeError("half way")
    assert path.read_text() == "old"
    assert list((tmp_path / INCOMING).iterdir()) == []


@pytest.mark.parametrize(
    ("number", "cure"),
    [
        (errno.ENOSPC, "free some space and run the command again"),
        (errno.EACCES, "cannot be written to"),
        (errno.EROFS, "cannot be written to"),
        (errno.EXDEV, "a store must be on one file system"),
    ],
)
def test_system_errors_come_with_the_fix(number: int, cure: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=cure), replacing(tmp_path, tmp_path / "file"):
        raise OSError(number, "as the system says it")


def test_only_our_temporaries_in_our_folder_are_removed(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "store" / INCOMING, tmp_path / "elsewhere"
    folder.mkdir(parents=True)
    elsewhere.mkdir()
    for path in (folder / NAME, folder / "notes.tmp", folder / NAME.upper(), elsewhere / NAME):
        path.write_text("x")
    (folder / f"{'f' * 32}.tmp").symlink_to(elsewhere / NAME)
    (folder / f"{'e' * 32}.tmp").mkdir()
    clear_temporaries(tmp_path / "store")
    left = sorted(path.name for path in folder.iterdir())
    assert left == sorted(["notes.tmp", NAME.upper(), f"{'f' * 32}.tmp", f"{'e' * 32}.tmp"])
    assert (elsewhere / NAME).read_text() == "x"


def test_a_linked_temporary_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / NAME).write_text("x")
    (tmp_path / INCOMING).symlink_to(tmp_path / "elsewhere")
    clear_temporaries(tmp_path)
    assert (tmp_path / "elsewhere" / NAME).read_text() == "x"


def test_folders_are_created_once(tmp_path: Path) -> None:
    assert make_folders(tmp_path / "a" / "b") == [tmp_path / "a" / "b", tmp_path / "a"]
    assert make_folders(tmp_path / "a" / "b") == []
