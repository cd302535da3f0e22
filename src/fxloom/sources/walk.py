"""Walks the files, folders and archives that a user names, never outside them; nothing is dropped silently."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fxloom.sources.archives import Entry, Found, OrderedArchive, entries_of
from fxloom.sources.no_data import kept_out
from fxloom.sources.printable import printable
from fxloom.sources.records import Ignored, Refused
from fxloom.sources.sizes import LARGEST
from fxloom.sources.unpack import UNREADABLE

_UNREADABLE = (*UNREADABLE, zipfile.BadZipFile)
_LOOKED_FOR = "it looks for csv, txt, json, xlsx, parquet, feather and bi5 files, also in zip, tar, gz, bz2, xz and zst"


@dataclass(frozen=True)
class Listed:
    """A file on disk, or a part of one that is an archive."""

    file: Path
    found: Found | OrderedArchive


def walk(path: str | Path) -> Iterator[Found]:
    """Every file under ``path`` (a file, an archive or a folder), sorted by name, following links that stay inside."""
    return (found for each in listed(path) for found in opened(each.found))


def listed(path: str | Path) -> Iterator[Listed]:
    """The same as ``walk``, but archives that can only be read from start to end are not read yet: see ``opened``."""
    given = Path(path)
    name = printable(str(path))
    try:
        if given.is_dir():
            yield from _not_empty(given)
        elif given.exists():
            yield from _file(given)
        else:
            yield Listed(given, Refused("no such file or folder", "check the path", name=name))
    except (OSError, ValueError) as error:
        yield Listed(given, Refused(f"cannot be read ({error})", "check the path and its permissions", name=name))


def opened(found: Found | OrderedArchive) -> Iterator[Found]:
    """``found`` itself, or the files of an archive that is read from start to end."""
    if not isinstance(found, OrderedArchive):
        yield found
        return
    try:
        yield from found.files()
    except _UNREADABLE as error:
        yield _unreadable(found.name, error)


def _unreadable(name: str, error: BaseException) -> Refused:
    return Refused(f"cannot be read ({error})", "check the file and its permissions", name=name)


def _not_empty(root: Path) -> Iterator[Listed]:
    """The files of a folder, which is refused if no file in it may hold prices."""
    left_out, other = 0, 0
    for each in _folder(root):
        left_out += isinstance(each.found, Ignored)
        other += not isinstance(each.found, Ignored)
        yield each
    if not other:
        reason = f"holds no price files ({left_out} left out)" if left_out else "an empty folder"
        yield Listed(root, Refused(reason, _LOOKED_FOR, name=printable(str(root))))


def _folder(root: Path) -> Iterator[Listed]:
    inside = root.resolve()
    unreadable: list[OSError] = []
    for folder, folders, files in os.walk(root, onerror=unreadable.append):
        for name in filter(_is_hidden, folders):
            path = Path(folder, name)
            yield Listed(path, Ignored(printable(str(path)), "a hidden folder"))
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in sorted(files + [f for f in folders if Path(folder, f).is_symlink()]):
            path = Path(folder, name)
            if path.is_symlink() and not _leads_inside(path, inside):
                advice = "pass the file itself, or copy it here"
                reason = "a symbolic link that leads out of the folder or nowhere"
                yield Listed(path, Refused(reason, advice, name=printable(str(path))))
            elif not path.is_dir():  # a linked folder inside is walked where it is
                yield from _file(path)
    for error in unreadable:
        name = printable(str(error.filename))
        refusal = Refused(f"cannot be read ({error.strerror})", "check its permissions", name=name)
        yield Listed(Path(str(error.filename)), refusal)


def _is_hidden(name: str) -> bool:
    return name.startswith(".")


def _leads_inside(link: Path, root: Path) -> bool:
    try:
        return link.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):
        return False


def _file(path: Path) -> Iterator[Listed]:
    name = printable(str(path))
    try:
        for found in _inside(path, name):
            yield Listed(path, found)
    except _UNREADABLE as error:
        yield Listed(path, _unreadable(name, error))


def _inside(path: Path, name: str) -> Iterator[Found | OrderedArchive]:
    hints = (path.name, *(folder.name for folder in path.absolute().parents[:4]))  # as in EURUSD/2012/11/03/05h.bi5
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        yield Refused("not a regular file (a device or a pipe)", "pass a file", name=name)
    elif _is_hidden(path.name):
        yield Ignored(name, "a hidden file")
    elif left_out := kept_out(path.name):
        yield Ignored(name, left_out)
    elif about.st_size > LARGEST:
        yield Refused(f"{about.st_size >> 20:,} MiB in one file", "split it by month", name=name)
    else:
        yield from entries_of(path, name, tuple(map(printable, hints)))


def loaded(entry: Entry) -> bytes:
    """The entry's bytes. Raises ``Refused`` if it is empty, corrupt, or expands beyond bounds."""
    try:
        data = entry.load()
    except (*_UNREADABLE, MemoryError) as error:
        raise Refused(f"cannot be read ({error or type(error).__name__})", "download it again") from error
    if not data:
        raise Refused("empty: 0 bytes", "download it again")
    return data


__all__ = ["Entry", "Found", "Listed", "OrderedArchive", "listed", "loaded", "opened", "walk"]
