"""A lock between processes: held by an open file, released by the operating system however the holder ends."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
NO_WAIT = getattr(os, "O_NONBLOCK", 0)  # for anything but a regular file

if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        try:
            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class LockedError(RuntimeError):
    """Another process holds the lock."""


@contextlib.contextmanager
def lock(path: Path, purpose: str, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock file ``path`` for the duration of the block; its folder is created if necessary.

    Waits up to ``wait`` seconds, then raises LockedError, naming the holder and its purpose from a note beside the
    lock file. OSError if the lock file cannot be opened; a link in its place is not followed.
    """
    note = path.with_name(f"{path.name}.holder")
    handle = _acquired(path, note, time.monotonic() + wait)
    try:
        _write_note(note, purpose)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # the note is optional: another user may own it
                note.unlink(missing_ok=True)
    finally:
        os.close(handle)


def _acquired(path: Path, note: Path, deadline: float) -> int:
    """A handle that holds the lock; a file that was removed or replaced in the meantime is no longer the lock."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | NO_LINK, 0o664)
        if _try_lock(handle) and _still_there(path, handle):
            return handle
        os.close(handle)
        if time.monotonic() >= deadline:
            raise LockedError(f"{path.parent} is in use: {_holder(note)}")
        time.sleep(0.05)


def _still_there(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.lstat(path), os.fstat(handle))
    except FileNotFoundError:
        return False


def _write_note(note: Path, purpose: str) -> None:
    text = json.dumps({"pid": os.getpid(), "purpose": purpose, "since": time.strftime("%F %T")})
    with contextlib.suppress(OSError):  # the note is optional: another user may own the old one, the disk may be full
        note.unlink(missing_ok=True)
        handle = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK, 0o644)
        with os.fdopen(handle, "w") as file:
            file.write(text)


def _holder(note: Path) -> str:
    try:
        with os.fdopen(os.open(note, os.O_RDONLY | NO_LINK | NO_WAIT)) as file:
            who = json.load(file)
        return f"{who['purpose']}, process {who['pid']}, since {who['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "by an unknown process"
