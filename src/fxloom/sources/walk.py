"""Walking what a user names: files, folders, zips; nothing outside, nothing without measure, nothing lost silently."""

from __future__ import annotations

import gzip
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fxloom.sources.records import Ignored, Refused

LARGEST = 4 << 30  # bytes of one file, unpacked
RATIO = 250  # unpacked : packed, of anything above EASY bytes; real exports stay below 30
EASY = 16 << 20
MEMBERS = 100_000
_UNREADABLE = (OSError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class Entry:
    """One file to read: the name to report, the names that may tell its pair (nearest first), and its bytes."""

    name: str
    hints: tuple[str, ...]
    load: Callable[[], bytes]


def walk(path: str | Path) -> Iterator[Entry | Refused | Ignored]:
    """Every file under ``path`` (a file, a zip or a folder), in the order of names; links inside are followed."""
    given = Path(path)
    try:
        if given.is_dir():
            yield from _folder(given)
        elif given.exists():
            yield from _file(given, str(given))
        else:
            yield Refused("there is no such file or folder", "check the path", name=str(path))
    except (OSError, ValueError) as error:
        yield Refused(f"cannot be read ({error})", "check the path and its permissions", name=str(path))


def _folder(root: Path) -> Iterator[Entry | Refused | Ignored]:
    inside = root.resolve()
    unreadable: list[OSError] = []
    for folder, folders, files in os.walk(root, onerror=unreadable.append):
        yield from (Ignored(str(Path(folder, name)), "a hidden folder") for name in folders if name.startswith("."))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files + [f for f in folders if Path(folder, f).is_symlink()]):
            path = Path(folder, name)
            if path.is_symlink() and not _leads_inside(path, inside):
                cure = "name the file itself, or copy it here"
                yield Refused("a symbolic link that leads out of the folder or nowhere", cure, name=str(path))
            elif not path.is_dir():  # a linked folder inside is walked in its own place
                yield from _file(path, str(path))
    for error in unreadable:
        yield Refused(f"cannot be read ({error.strerror})", "check its permissions", name=str(error.filename))


def _leads_inside(link: Path, root: Path) -> bool:
    try:
        return link.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):
        return False


def _file(path: Path, name: str) -> Iterator[Entry | Refused | Ignored]:
    hints = (path.name, *(folder.name for folder in path.absolute().parents[:4]))  # as in EURUSD/2012/11/03/05h.bi5
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            yield Refused("not a file but a device or a pipe", "give a file", name=name)
        elif path.name.startswith(".") or path.name.lower() in ("thumbs.db", "desktop.ini"):
            yield Ignored(name, "a hidden file")
        elif about.st_size > LARGEST:
            yield Refused(f"{about.st_size >> 20:,} MiB in one file", "split it by month", name=name)
        elif zipfile.is_zipfile(path):
            yield from _archive(path, name, hints)
        else:
            yield Entry(name, hints, lambda: _opened(path))
    except _UNREADABLE as error:
        yield Refused(f"cannot be read ({error})", "check the file and its permissions", name=name)


def _opened(path: Path) -> bytes:
    """The file's bytes, unpacked if it is gzip."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not packed:
            return file.read()
        with gzip.open(file) as unpacked:
            return bounded(unpacked, path.stat().st_size)


def bounded(file: IO[bytes] | gzip.GzipFile, packed: int) -> bytes:
    """All of an unpacking stream, unless it grows beyond what ``packed`` bytes of market data can hold."""
    limit = min(LARGEST, max(EASY, RATIO * packed))
    data = file.read(limit + 1)
    if len(data) > limit:
        raise Refused(
            f"unpacks to more than {limit >> 20:,} MiB from {packed:,} bytes: a zip bomb?", "unpack it yourself"
        )
    return data


def _archive(path: Path, name: str, hints: tuple[str, ...]) -> Iterator[Entry | Refused | Ignored]:
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) > MEMBERS:
        yield Refused(f"{len(members):,} files in one zip: a zip bomb?", "unpack it yourself", name=name)
        return
    if not members:
        yield Refused("an empty zip", "fetch it again", name=name)
    for member in sorted(members, key=lambda m: m.filename):
        yield _member(path, member, f"{name}/{member.filename}", hints)


def _member(path: Path, member: zipfile.ZipInfo, name: str, hints: tuple[str, ...]) -> Entry | Refused | Ignored:
    own = Path(member.filename).name
    if own.startswith(".") or member.filename.startswith("__MACOSX/"):
        return Ignored(name, "a hidden file")
    if member.flag_bits & 1:
        return Refused("locked by a password", "unpack it yourself", name=name)
    if stat.S_ISLNK(member.external_attr >> 16):
        return Refused("a symbolic link inside a zip", "unpack it yourself", name=name)
    folders = tuple(reversed(Path(member.filename).parts[:-1]))

    def load() -> bytes:
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            data = bounded(file, member.compress_size)
        if data[:4] == b"PK\x03\x04":
            raise Refused("a zip inside a zip", "unpack the outer one")
        return data

    return Entry(name, (own, *folders, *hints), load)


def loaded(entry: Entry) -> bytes:
    """The entry's bytes. Raises ``Refused`` if it is empty, damaged, or grows without measure."""
    try:
        data = entry.load()
    except (*_UNREADABLE, MemoryError) as error:
        if isinstance(error, Refused):
            raise
        raise Refused(f"cannot be read ({error or type(error).__name__})", "fetch it again") from error
    if not data:
        raise Refused("empty: 0 bytes", "fetch it again")
    return data
