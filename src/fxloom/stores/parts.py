"""Reads files of features, verifying the checksums of pages and columns and that each file is where it belongs."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from fxloom.bars.months import MICROSECONDS_PER_MINUTE
from fxloom.engine.partitions import Corruption, PartitionKey, Record
from fxloom.stores.base import CorruptError, Part, StoreError
from fxloom.stores.frames import FLOATS, column_checksum, record_in, stored_record

UNREADABLE = (  # raised by Arrow and by parsing metadata, for corrupt files and when memory or threads run out
    pa.ArrowException, MemoryError, OSError, KeyError, IndexError, ValueError, TypeError, ArithmeticError,
)  # fmt: skip
_SHORT_OF_MEMORY = re.compile("not enough memory|allocation error", re.IGNORECASE)


def is_corruption(error: BaseException) -> bool:
    """Whether one of ``UNREADABLE`` is the file's fault, not a lack of memory, threads or permissions.

    Only then may the file be replaced.
    """
    if isinstance(error, MemoryError) or type(error) is pa.ArrowException:  # the latter: threads cannot be started
        return False
    return not (isinstance(error, OSError) and error.errno) and not _SHORT_OF_MEMORY.search(str(error))


def part_of(key: PartitionKey, path: Path, dtype: str) -> Part:
    """A function that reads ts_utc, pair and the given features from one file; it raises CorruptError."""
    return lambda wanted: _part(key, path, wanted, dtype)


def corruption_of(path: Path, record: Record, dtype: str) -> str:
    """How the file at ``path`` differs from what was written, and what to do; "" if it does not. Reads all of it."""
    try:
        _read(record.key, path, list(record.quality), dtype)
    except UNREADABLE as error:
        if not is_corruption(error):
            raise StoreError(f"{path} cannot be read: {error}") from None
        return f"{error}: {_again(record.key)}"
    return ""


def _part(key: PartitionKey, path: Path, wanted: Sequence[str], dtype: str) -> pl.DataFrame:
    return read_partition(key, path, wanted, dtype)[1]


def read_partition(key: PartitionKey, path: Path, wanted: Sequence[str], dtype: str) -> tuple[Record, pl.DataFrame]:
    """The record and the ``wanted`` columns with ts_utc and pair of one file, read in one step.

    CorruptError if the file is corrupt, StoreError if it cannot be read for another reason.
    """
    try:
        return _read(key, path, wanted, dtype)
    except UNREADABLE as error:
        if not is_corruption(error):
            raise StoreError(f"{path} cannot be read: {error}") from None
        raise CorruptError(f"{path} is corrupt ({error}): {_again(key)}") from None


def _read(key: PartitionKey, path: Path, wanted: Sequence[str], dtype: str) -> tuple[Record, pl.DataFrame]:
    """A feature that the file does not have yet is null; raises one of ``UNREADABLE`` if the file is corrupt."""
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        record, checksums = stored_record(file.metadata.metadata or {}, path)
        belongs(record, key)
        there = [name for name in wanted if name in checksums]
        table = file.read(["ts_utc", *([] if key.pair else ["pair"]), *there])
    if table.num_rows != record.rows:
        raise ValueError(f"it has {table.num_rows} rows, its record says {record.rows}")
    minutes = table["ts_utc"].cast(pa.int64()).to_numpy()
    if column_checksum(minutes // MICROSECONDS_PER_MINUTE) != checksums["ts_utc"]:
        raise ValueError("ts_utc differs from what was written")
    ts = pl.Series("ts_utc", minutes).cast(pl.Datetime("us", "UTC"))
    if key.pair:
        pair = pl.repeat(key.pair, len(ts), dtype=pl.String, eager=True).alias("pair")
    else:
        pair = pl.Series("pair", pl.from_arrow(table["pair"]), pl.String)
        if zlib.crc32(_joined(table["pair"])) != checksums["pair"]:
            raise ValueError("pair differs from what was written")
    features = [_feature(table, name, checksums.get(name), dtype) for name in wanted]
    return record, pl.DataFrame([ts, pair, *features])


def _joined(texts: pa.ChunkedArray) -> bytes:
    """All texts in one piece, without making Python strings of them."""
    pieces = []
    for chunk in texts.cast(pa.large_string()).chunks:
        _, offsets, data = chunk.buffers()
        begin, end = np.frombuffer(offsets, np.int64)[[chunk.offset, chunk.offset + len(chunk)]]
        pieces.append(bytes(data[begin:end]) if data else b"")
    return b"".join(pieces)


def belongs(record: Record, key: PartitionKey) -> None:
    """Raise ValueError if the file in the place of ``key`` is another partition."""
    if record.key != key:
        raise ValueError(f"it is the partition {record.key}, copied or moved here")


def _feature(table: pa.Table, name: str, checksum: int | None, dtype: str) -> pl.Series:
    """One column, verified by its checksum: page checksums do not protect the footer, which maps pages to columns."""
    if checksum is None:
        return pl.Series(name, [None] * table.num_rows, FLOATS[dtype])
    column = table[name]
    values = column.to_numpy()
    if values.dtype != dtype or column_checksum(values, column.null_count > 0) != checksum:
        raise ValueError(f"{name} differs from what was written")
    return pl.Series(name, pl.from_arrow(column), FLOATS[dtype])


def _again(key: PartitionKey) -> str:
    """What to do about a corrupt partition."""
    pair = f" --pairs {key.pair}" if key.pair else ""
    return f"`populate --force --tables {key.table}{pair} --months {key.month}` computes it again"


def read_record(key: PartitionKey, path: Path) -> Record | Corruption:
    """The record in the metadata of a file, or why it has none; StoreError if the system refuses."""
    try:
        record = record_in(pq.read_metadata(path).metadata or {}, path)
        belongs(record, key)
        return record
    except UNREADABLE as error:
        if not is_corruption(error):
            raise StoreError(f"{path} cannot be read: {error}") from None
        return Corruption(str(path), f"{error}: populate computes it again")
