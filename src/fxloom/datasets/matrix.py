"""The way out of the store: features of any tables as one matrix, month by month, in bounded memory."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import polars as pl
import pyarrow.parquet as pq

from fxloom.bars.months import month_bounds
from fxloom.features.feature import Feature
from fxloom.stores.base import Store
from fxloom.stores.query import read_features

Missing = Literal["keep", "drop"]


def matrix_frame(
    store: Store,
    features: Sequence[Feature],
    pairs: Sequence[str],
    start: int | None = None,
    end: int | None = None,
    missing: Missing = "keep",
) -> Iterator[pl.DataFrame]:
    """One frame a month: ts_utc, known_at, pair, features; only one month is in memory at a time.

    ``missing="drop"`` leaves out the rows in which any feature has no value.
    """
    names = [f.name for f in features]
    for month in stored_months(store, pairs):
        first, last = month_bounds(month)
        first = first if start is None else max(first, start)
        last = last if end is None else min(last, end)
        if first >= last:
            continue
        frame = read_features(store, features, pairs, first, last)
        if missing == "drop":
            frame = frame.filter(pl.all_horizontal(pl.col(names).is_not_null() & pl.col(names).is_not_nan()))
        rows = frame.collect()
        if rows.height:
            yield rows


def stored_months(store: Store, pairs: Sequence[str]) -> list[str]:
    """The months in which any of ``pairs`` has bars."""
    return sorted({month for pair in pairs for month in store.bar_months(pair)})


def write_matrix(frames: Iterator[pl.DataFrame], path: Path) -> int:
    """Write the months one after the other to a Parquet file that appears when it is whole; returns the rows."""
    temporary = path.with_name(f"{path.name}.tmp-{uuid.uuid4().hex[:8]}")
    rows, writer = 0, None
    try:
        for frame in frames:
            table = frame.to_arrow()
            writer = writer or pq.ParquetWriter(temporary, table.schema, compression="zstd")
            writer.write_table(table)
            rows += frame.height
        if writer is not None:
            writer.close()
            temporary.replace(path)
    finally:
        if writer is not None:
            writer.close()
        temporary.unlink(missing_ok=True)
    return rows
