"""Writes a store's files atomically: to a separate folder beside the data, flushed, renamed, flushed again.

Temporary files are in ``.incoming``, not beside the files that they become, so that no program which reads a folder of
Parquet files picks one up, however it selects them. The next writer removes what a killed process left behind, and
nothing else: only regular files in that folder whose names were made here.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

from fxloom.stores.base import StoreError

INCOMING = ".incoming"
TEMPORARY = re.compile(r"[0-9a-f]{32}\.tmp")
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
FULL = {errno.ENOSPC, errno.EFBIG} | ({errno.EDQUOT} if sys.platform != "win32" else set())


@contextlib.contextmanager
def replacing(root: Path, path: Path) -> Iterator[Path]:
    """A temporary file that becomes ``path`` at the end of the block; StoreError if it cannot be written."""
    temporary = root / INCOMING / f"{uuid.uuid4().hex}.tmp"
    try:
        with store_errors(root):
            make_folders(temporary.parent)
            yield temporary
            flush(temporary)
            make_folders(path.parent)
            temporary.replace(path)
            flush_folder(path.parent)
    finally:
        with contextlib.suppress(OSError):  # the error that ended the block is the one to report
            temporary.unlink(missing_ok=True)


def clear_temporaries(root: Path) -> None:
    """Remove what killed writers left behind; the caller must hold the store's lock."""
    folder = root / INCOMING
    if folder.is_symlink() or not folder.is_dir():
        return
    for path in folder.iterdir():
        if TEMPORARY.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def store_errors(root: Path) -> Iterator[None]:
    """Turn system errors while writing under ``root`` into a StoreError that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in FORBIDDEN:
            raise StoreError(f"{root} cannot be written to ({error}): check its permissions") from error
        if error.errno in FULL:
            raise StoreError(
                f"{root}: {error}: free some space and run the command again; finished work is kept"
            ) from error
        if error.errno == errno.EXDEV:
            raise StoreError(
                f"{root}: {error}: a store must be on one file system; do not link parts of it elsewhere"
            ) from error
        raise StoreError(f"{root}: {error}") from error


def make_folders(folder: Path) -> list[Path]:
    """Create ``folder`` and its missing parents, flushed to disk; returns those created, the innermost first."""
    missing = []
    for path in (folder, *folder.parents):
        if path.exists():
            break
        missing.append(path)
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        flush_folder(path.parent)
    return missing


def flush(path: Path) -> None:
    """Flush a file's content to disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folder(path: Path) -> None:
    """Flush a folder's entries to disk."""
    if sys.platform == "win32":
        return  # Windows cannot open folders, but NTFS journals the rename itself
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
