"""Reads the files inside zips and tars: sizes are bounded; nested archives, links and encrypted files are refused."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, cast

from fxloom.sources.formats.excel import is_workbook
from fxloom.sources.no_data import kept_out
from fxloom.sources.printable import printable
from fxloom.sources.records import Ignored, Refused
from fxloom.sources.sizes import LARGEST, RATIO, bounded, limit_of
from fxloom.sources.unpack import compressed, unpacked, unpacking

MEMBERS = 100_000
_USUAL_RATIO = 6  # by which market data in text is compressed
_TAR_MAGIC = slice(257, 262)
_NESTED = Refused("an archive inside an archive", "unpack the outer one")


@dataclass(frozen=True)
class Entry:
    """One file to read: the name to report, names that may identify its pair (nearest first), a loader of its bytes.

    ``size``: about how many bytes it has once it is decompressed. The entries of ``walk`` can be pickled.
    """

    name: str
    hints: tuple[str, ...]
    load: Callable[[], bytes]
    size: int = 0


@dataclass(frozen=True)
class OrderedArchive:
    """An archive whose files can only be read from start to end: its name, how to read them, and their size."""

    name: str
    files: Callable[[], Iterator[Found]]
    size: int


Found = Entry | Refused | Ignored


def entries_of(path: Path, name: str, hints: tuple[str, ...]) -> Iterator[Found | OrderedArchive]:
    """The file at ``path``, or the files inside it if it is an archive."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"PK" and zipfile.is_zipfile(file)
    if zipped and not _is_workbook(path):
        yield from _zip(path, name, hints)
    elif _is_tar(path):
        yield OrderedArchive(name, partial(_tar, path, name, hints), _size(path))
    else:
        yield Entry(name, hints, partial(_load, path), _size(path))


def _load(path: Path) -> bytes:
    return not_nested(path.read_bytes())


def _size(path: Path) -> int:
    with path.open("rb") as file:
        packed = compressed(file.read(8))
    return path.stat().st_size * (_USUAL_RATIO if packed else 1)


def _is_workbook(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return is_workbook(archive)


def not_nested(data: bytes) -> bytes:
    """``data`` of one file, decompressed. Raises ``Refused`` if it is an archive."""
    data = unpacked(data)
    if data[_TAR_MAGIC] == b"ustar":
        raise _NESTED
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if not is_workbook(archive):
                raise _NESTED
    return data


# -- zip --------------------------------------------------------------------------------------------------------------


def _zip(path: Path, name: str, hints: tuple[str, ...]) -> Iterator[Found]:
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if "content.xml" in archive.namelist() and "mimetype" in archive.namelist():
            yield Refused("an OpenDocument spreadsheet", "save it as xlsx or csv", name=name)
            return
    if len(members) > MEMBERS:
        yield Refused(f"{len(members):,} files in one zip: a decompression bomb?", "unpack it yourself", name=name)
        return
    if not members:
        yield Refused("an empty zip", "download it again", name=name)
    for member in sorted(members, key=lambda m: m.filename):
        yield _zipped(path, member, f"{name}/{printable(member.filename)}", hints)


def _zipped(path: Path, member: zipfile.ZipInfo, name: str, hints: tuple[str, ...]) -> Found:
    left_out = _left_out(member.filename)
    if left_out:
        return Ignored(name, left_out)
    if member.flag_bits & 1:
        return Refused("protected by a password", "unpack it yourself", name=name)
    if stat.S_ISLNK(member.external_attr >> 16):
        return Refused("a symbolic link inside a zip", "unpack it yourself", name=name)

    return Entry(name, _hints(member.filename, hints), partial(_load_zipped, path, member), member.file_size)


def _load_zipped(path: Path, member: zipfile.ZipInfo) -> bytes:
    with zipfile.ZipFile(path) as archive, archive.open(member) as file:
        return not_nested(bounded(file, member.compress_size))


def _left_out(inside: str) -> str:
    own = PurePosixPath(inside).name
    if own.startswith(".") or inside.startswith("__MACOSX/"):
        return "a hidden file"
    return kept_out(own)


def _hints(inside: str, outside: tuple[str, ...]) -> tuple[str, ...]:
    """The file's own name, then its folders inside the archive, then the names of the archive."""
    return (*reversed(PurePosixPath(inside).parts), *outside)


# -- tar --------------------------------------------------------------------------------------------------------------


class _StrictMember(tarfile.TarInfo):
    """A strict tar header: at a corrupt or missing header, tarfile alone would silently end the archive."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> _StrictMember:
        try:
            return super().fromtarfile(archive)
        except tarfile.HeaderError as error:
            if isinstance(error, tarfile.EOFHeaderError):  # type: ignore[attr-defined]  # the end mark
                raise
            raise Refused(f"a corrupt or truncated tar ({error})", "download it again") from error


class _Limited:
    """A stream that raises ``Refused`` beyond a number of bytes, including headers and skipped files."""

    def __init__(self, stream: IO[bytes], packed: int) -> None:
        self._stream = stream
        self._left = max(limit_of(packed), RATIO * packed)

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise Refused(
                "a tar that expands further than market data does: a decompression bomb?", "unpack it yourself"
            )
        return data


def _is_tar(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(512)
        file.seek(0)
        stream = unpacking(file, head)
        if stream is not None:
            with stream:
                head = stream.read(512)
    return head[_TAR_MAGIC] == b"ustar"


def _tar(path: Path, name: str, hints: tuple[str, ...]) -> Iterator[Found]:
    packed, count = path.stat().st_size, 0
    with path.open("rb") as file:
        head = file.read(8)
        file.seek(0)
        stream = _Limited(unpacking(file, head) or file, packed)
        try:
            with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|", tarinfo=_StrictMember) as archive:
                for member in archive:
                    if member.isdir():
                        continue
                    count += 1
                    if count > MEMBERS:
                        raise Refused(
                            f"more than {MEMBERS:,} files in one tar: a decompression bomb?", "unpack it yourself"
                        )
                    yield _tarred(archive, member, f"{name}/{printable(member.name)}", hints)
        except tarfile.TarError as error:
            yield Refused(f"a corrupt or truncated tar ({error})", "download it again", name=name)
        except Refused as refused:
            refused.name = name
            yield refused
        else:
            if not count:
                yield Refused("an empty tar", "download it again", name=name)


def _tarred(archive: tarfile.TarFile, member: tarfile.TarInfo, name: str, hints: tuple[str, ...]) -> Found:
    left_out = _left_out(member.name)
    if left_out:
        return Ignored(name, left_out)
    if not member.isreg() or member.issparse():
        return Refused("not a regular file (a link, a device or a sparse file)", "unpack the tar yourself", name=name)
    if member.size > LARGEST:
        return Refused(f"{member.size >> 20:,} MiB in one file", "split it by month", name=name)
    file = archive.extractfile(member)
    data = file.read() if file is not None else b""
    return Entry(name, _hints(member.name, hints), partial(not_nested, data), len(data))
