"""Feature files held to the checksums of their pages and to their own record: a damaged one never gives a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from fxloom.engine.partitions import PartitionKey, Record
from fxloom.engine.quality import ColumnStats, stats_of
from fxloom.stores.base import CorruptError
from fxloom.stores.frames import FLOATS, Part, record_in, streamed

UNREADABLE = (pa.ArrowInvalid, OSError, KeyError, ValueError, TypeError)  # what Arrow says of files it cannot read


def feature_files(files: Sequence[tuple[PartitionKey, Path]], names: Sequence[str], dtype: str) -> pl.LazyFrame:
    """The rows of partitions, one after the other, as a lazy frame: ts_utc, pair, features."""

    def part(key: PartitionKey, path: Path) -> Part:
        return lambda wanted: _part(key, path, wanted, dtype)

    return streamed(names, dtype, [part(key, path) for key, path in files])


def corruption_of(path: Path, record: Record, dtype: str) -> str:
    """Why the file at ``path`` is not what was written, and the cure; "" if it is. Reads all of it."""
    try:
        _read(record.key, path, list(record.quality), dtype)
    except UNREADABLE as error:
        return f"{error}: {_again(record.key)}"
    return ""


def _part(key: PartitionKey, path: Path, wanted: Sequence[str], dtype: str) -> pl.DataFrame:
    try:
        return _read(key, path, wanted, dtype)
    except UNREADABLE as error:
        raise CorruptError(f"{path} is damaged ({error}): {_again(key)}") from None


def _read(key: PartitionKey, path: Path, wanted: Sequence[str], dtype: str) -> pl.DataFrame:
    """``wanted`` columns with ts_utc and pair, null where the file is older than the feature; one of ``UNREADABLE``."""
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        table = file.read(["ts_utc", *([] if key.pair else ["pair"]), *wanted])
        record = record_in(file.metadata.metadata)
    if table.num_rows != record.rows:
        raise ValueError(f"{table.num_rows} rows of {record.rows}")
    ts = pl.Series("ts_utc", table["ts_utc"].cast(pa.int64()).to_numpy()).cast(pl.Datetime("us", "UTC"))
    pair = [key.pair] * len(ts) if key.pair else table["pair"].to_pylist()
    features = [_feature(table, name, record.quality.get(name), FLOATS[dtype]) for name in wanted]
    return pl.DataFrame([ts, pl.Series("pair", pair, pl.String), *features])


def _feature(table: pa.Table, name: str, quality: Mapping[str, Any] | None, kind: Any) -> pl.Series:
    """One column, held to what its record says of it: checksums of pages do not cover which page is whose."""
    if quality is None and name not in table.column_names:
        return pl.Series(name, [None] * table.num_rows, kind)
    column = table[name]
    values = column.to_numpy()
    told = stats_of(quality) if quality else None
    if told is not None and not _as_told(values, told):
        raise ValueError(f"{name} is not what its record says")
    return pl.Series(name, pl.from_arrow(column), kind)


def _as_told(values: npt.NDArray[Any], told: ColumnStats) -> bool:
    """Whether as many values as were surveyed are there, between the same extremes."""
    there = int(np.count_nonzero(values == values))
    if there != told.finite + told.early + told.infinite:
        return False
    if told.low is None or told.high is None or told.infinite:
        return True
    low, high = np.fmin.reduce(values), np.fmax.reduce(values)
    return bool(low == values.dtype.type(told.low) and high == values.dtype.type(told.high))


def _again(key: PartitionKey) -> str:
    """What makes a damaged partition again."""
    pair = f" --pairs {key.pair}" if key.pair else ""
    return f"`populate --force --tables {key.table}{pair} --months {key.month}` makes it again"
