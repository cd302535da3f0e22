"""A lock between processes: held by an open file, freed by the operating system however the holder ends."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class LockedError(RuntimeError):
    """Someone else holds the lock."""


@contextlib.contextmanager
def lock(path: Path, purpose: str, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock file ``path`` for the time of the block; wait up to ``wait`` seconds for it, then raise Held.

    A note beside the lock file says who holds it and for what, so that the others can name the holder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    note = path.with_suffix(".holder")
    deadline = time.monotonic() + wait
    with path.open("a+b") as file:
        while not _try_lock(file):
            if time.monotonic() >= deadline:
                raise LockedError(f"{path.parent} is in use: {_holder(note)}")
            time.sleep(0.05)
        note.write_text(json.dumps({"pid": os.getpid(), "purpose": purpose, "since": time.strftime("%F %T")}))
        try:
            yield
        finally:
            note.unlink(missing_ok=True)


def _holder(note: Path) -> str:
    try:
        who = json.loads(note.read_text())
    except (OSError, ValueError):
        return "the holder left no note"
    return f"{who['purpose']}, process {who['pid']}, since {who['since']}"
