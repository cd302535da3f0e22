"""Writes output files: complete or not at all, never over a device, a link or a store, without leftovers."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path


def checked_target(path: Path, formats: Sequence[str], store: Path | None) -> None:
    """Raise ValueError if ``path`` must not be written: another format, inside the store, a link, a device."""
    if path.suffix not in formats:
        raise ValueError(f"cannot write {path}: expected a name ending in {' or '.join(formats)}")
    if path.is_symlink():
        raise ValueError(f"{path} is a link: pass the file that it points to, or another one")
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is not a regular file: pass another one")
    if not path.parent.is_dir():
        raise ValueError(f"cannot write {path}: the folder {path.parent} does not exist")
    if store is not None and path.absolute().resolve().is_relative_to(store.absolute().resolve()):
        raise ValueError(f"{path} is inside the store {store}: write it elsewhere")


class Replacing:
    """A temporary file beside ``path``, renamed by ``publish``, or removed at the end of the block.

    Its name contains the process that writes it, so that a later one can remove what a killed process left behind.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.temporary = path.with_name(f".{path.name}.fxloom-{os.getpid()}-{uuid.uuid4().hex[:8]}")

    def __enter__(self) -> Replacing:
        self._clear_leftovers()
        return self

    def __exit__(self, *_: object) -> None:
        self.temporary.unlink(missing_ok=True)

    def publish(self) -> None:
        """Make the file visible: flushed to disk first, then renamed."""
        with self.temporary.open("rb+") as file:
            os.fsync(file.fileno())
        self.temporary.replace(self.path)

    def _clear_leftovers(self) -> None:
        for left in self.path.parent.glob(f".{self.path.name}.fxloom-*-*"):
            process = left.name.rpartition("-")[0].rpartition("-")[2]
            if process.isdigit() and not _runs(int(process)):
                left.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    """Whether a process with this id is running on this machine; True if the system cannot tell."""
    if sys.platform == "win32":  # there, signal 0 would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is running, but belongs to another user
        return True
    return True
