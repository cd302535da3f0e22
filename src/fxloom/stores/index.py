"""The index of a folder store: what its files say of themselves, kept in a few files that can be thrown away.

``_index`` holds segments, Parquet files named after the digest of their content. Any process adds segments and none is
ever changed, so that two writers cannot harm each other; an entry counts only while size, time and inode of the file
that it describes are those of the listing. What no valid entry describes is read from the files again. A segment that
is missing, damaged or of another version does not count, and one that cannot be written is not needed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from fxloom.stores.atomic import replacing
from fxloom.stores.base import StoreError
from fxloom.stores.inventory import KEYS
from fxloom.stores.listing import STATUS
from fxloom.stores.tree import SETTINGS

FOLDER = "_index"
MOST_SEGMENTS = 8  # of one kind; more are merged
ROW_GROUP = 1 << 16
_NAME = re.compile(r"(\w+)-([0-9a-f]{8})-([0-9a-f]{32})\.parquet")


@dataclass(frozen=True)
class Segment:
    """One intact file of the index."""

    name: str
    content: bytes

    def frame(self) -> pl.DataFrame:
        return pl.read_parquet(io.BytesIO(self.content))

    def rows(self, first: int, count: int) -> pl.DataFrame:
        """``count`` rows from ``first``; only the row groups that hold them are decoded."""
        return pl.scan_parquet(io.BytesIO(self.content)).slice(first, count).collect()


class Index:
    """The segments of a store, by kind; ``schemas`` has the columns of each kind.

    A segment's name has a digest of its schema, so that one of another version of fxloom is not looked at.
    """

    def __init__(self, root: Path, schemas: Mapping[str, Mapping[str, Any]]) -> None:
        self.root = root
        self.folder = root / FOLDER
        self.formats = {kind: _digest(repr(schema).encode())[:8] for kind, schema in schemas.items()}

    def names(self, kind: str) -> list[str]:
        """The names of the segments of a kind that have its schema."""
        try:
            found = [path.name for path in self.folder.iterdir()]
        except OSError:
            return []
        return sorted(n for n in found if (m := _NAME.fullmatch(n)) and m[1] == kind and m[2] == self.formats[kind])

    def segment(self, name: str) -> Segment | None:
        """A segment by name, None if it is missing, unreadable or not what was written."""
        try:
            content = (self.folder / name).read_bytes()
        except OSError:
            return None
        named = _NAME.fullmatch(name)
        return Segment(name, content) if named and named[3] == _digest(content) else None

    def segments(self, kind: str) -> list[Segment]:
        """The intact segments of a kind."""
        return [found for name in self.names(kind) if (found := self.segment(name)) is not None]

    def add(self, kind: str, frames: Iterable[pl.DataFrame]) -> str | None:
        """Write ``frames``, which share a schema, as one segment; returns its name, None if it cannot be written."""
        content = io.BytesIO()
        writer: pq.ParquetWriter | None = None
        for frame in frames:
            table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
            writer = writer or pq.ParquetWriter(content, table.schema, compression="zstd", compression_level=1)
            writer.write_table(table, row_group_size=ROW_GROUP)
        if writer is None:
            return None
        writer.close()
        return self._write(kind, content.getvalue())

    def _write(self, kind: str, content: bytes) -> str | None:
        name = f"{kind}-{self.formats[kind]}-{_digest(content)}.parquet"
        if not _is_ours(self.root / SETTINGS):
            return None
        try:
            with replacing(self.root, self.folder / name) as temporary:
                temporary.write_bytes(content)
        except StoreError:  # a store that cannot be written to is read without one
            return None
        return name

    def remove(self, names: Iterable[str]) -> None:
        """Remove segments; one that cannot be removed stays, and does no harm."""
        for name in names:
            with contextlib.suppress(OSError):
                (self.folder / name).unlink()


def _is_ours(settings: Path) -> bool:
    """Whether there is a store, and it belongs to this user: others, such as root, leave no files in it by reading."""
    try:
        owner = settings.stat().st_uid
    except OSError:  # no store, or one that is being made
        return False
    return not hasattr(os, "geteuid") or owner == os.geteuid()


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def valid(entries: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """The entries that describe files of ``listed`` as they are, one per file."""
    found = entries.join(listed, on=[*KEYS, *STATUS], how="semi")
    return found.unique([*KEYS, *STATUS], keep="last", maintain_order=True)


def unknown(listed: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """The files of ``listed`` that no entry describes as they are."""
    return listed.join(entries, on=[*KEYS, *STATUS], how="anti") if entries.height else listed


def slices(frame: pl.DataFrame) -> Iterator[tuple[int, int]]:
    """Runs of adjacent rows that the columns ``at`` and ``columns`` of a sorted frame point to: first and count."""
    begin = end = -1
    for first, count in frame.select("at", "columns").iter_rows():
        if first == end:
            end += count
            continue
        if end > begin:
            yield begin, end - begin
        begin, end = first, first + count
    if end > begin:
        yield begin, end - begin
