"""The user's private cache folder, which no other user may write to.

It holds machine code that later runs as the user. So the folder is created for its owner alone, a folder that others
could put code into is refused, and files are opened without following links. The cache is optional: without a home
folder, disk space or write permission, nothing is cached and work continues.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import multiprocessing
import os
import stat
import uuid
from pathlib import Path

APPLICATION = "fxloom"
OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class UnsafeCacheError(RuntimeError):
    """A cache folder or file that another user could have written; the message says what to do."""


@functools.cache
def cache_root() -> Path | None:
    """The checked cache folder: $FXLOOM_CACHE, otherwise the user's own; None, which is reported, if there is none.

    Raises UnsafeCacheError for a folder that belongs to another user, is a link, or that others may write to.
    """
    folder = _named_folder()
    if folder is None:
        report_once("there is no home folder for compiled kernels")
        return None
    return folder if usable(folder) else None


def _named_folder() -> Path | None:
    if named := os.environ.get("FXLOOM_CACHE"):
        return Path(named).absolute()
    from platformdirs import user_cache_path

    try:
        folder = user_cache_path(APPLICATION, appauthor=False)
    except RuntimeError:  # the user has no home; older versions return a path that begins with "~"
        return None
    return folder if folder.is_absolute() else None


def usable(folder: Path) -> bool:
    """Whether ``folder``, created if necessary, can be written to; if not, that is reported once.

    Raises UnsafeCacheError like ``cache_root``.
    """
    try:
        _make_private(folder)
        _check_private(folder)
    except OSError as error:
        report_once(f"the cache folder cannot be used ({error})")
        return False
    if not os.access(folder, os.W_OK | os.X_OK):
        report_once(f"the cache folder {folder} cannot be written to")
        return False
    return True


@functools.cache
def report_once(problem: str) -> None:
    """Warn why compiled kernels are not cached; workers leave this to their parent."""
    if multiprocessing.parent_process() is None:
        advice = "set FXLOOM_CACHE to a folder of your own to compile only once"
        logging.getLogger(APPLICATION).warning("fxloom: %s: kernels are compiled in memory; %s", problem, advice)


def _make_private(folder: Path) -> None:
    """Create ``folder`` and its missing parents for the owner alone, whatever the umask."""
    for missing in reversed([path for path in (folder, *folder.parents) if not os.path.lexists(path)]):
        with contextlib.suppress(FileExistsError):  # another process created it first
            missing.mkdir(mode=0o700)


def _check_private(folder: Path) -> None:
    """UnsafeCacheError if others may write to ``folder``.

    Users who can replace the folder itself, because they may write to its parent, gain nothing: the new folder and the
    files in it are theirs, and ``read_private`` refuses those.
    """
    about = os.lstat(folder)
    if stat.S_ISLNK(about.st_mode):
        raise UnsafeCacheError(f"the cache folder {folder} is a link: set FXLOOM_CACHE to the folder itself")
    if not stat.S_ISDIR(about.st_mode):
        raise NotADirectoryError(f"{folder} is not a folder")
    if not hasattr(os, "geteuid"):
        return  # Windows: the user's folders are protected by its access lists
    if about.st_uid != os.geteuid():
        raise UnsafeCacheError(
            f"the cache folder {folder} belongs to another user (uid {about.st_uid}), who could put code into it: "
            "set FXLOOM_CACHE to a folder of your own"
        )
    if about.st_mode & OTHERS_MAY_WRITE:
        raise UnsafeCacheError(
            f"the cache folder {folder} is writable by others, who could put code into it: remove it, or empty "
            "it and remove that permission (chmod go-w)"
        )


def read_private(path: Path) -> bytes | None:
    """The content of a cached file, None if there is none; UnsafeCacheError if another user could have written it."""
    try:
        handle = os.open(path, os.O_RDONLY | NO_LINK)
    except FileNotFoundError:
        return None
    except OSError as error:
        if os.path.islink(path):
            raise UnsafeCacheError(f"the cached file {path} is a link: remove it") from error
        raise
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(handle)
        foreign = hasattr(os, "geteuid") and about.st_uid != os.geteuid()
        if foreign or (os.name == "posix" and about.st_mode & OTHERS_MAY_WRITE):
            raise UnsafeCacheError(f"the cached file {path} is writable by another user: remove it")
        return file.read()


def write_private(path: Path, content: bytes) -> None:
    """Write a file for the owner alone, renamed into place once complete. OSError if it cannot be written."""
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
