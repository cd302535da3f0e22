"""Features of any tables as one matrix, month by month, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from fxloom.bars.months import month_bounds
from fxloom.datasets.availability import Provenance
from fxloom.datasets.output import Replacing, checked_target
from fxloom.features.catalogue import features as all_features
from fxloom.features.feature import Feature
from fxloom.stores.base import Store
from fxloom.stores.frames import METADATA, documentation
from fxloom.stores.query import read_features

Missing = Literal["keep", "drop"]
FORMATS = (".parquet", ".csv")


def matrix_frames(
    store: Store,
    features: Sequence[Feature],
    pairs: Sequence[str],
    start: int | None = None,
    end: int | None = None,
    missing: Missing = "keep",
) -> Iterator[pl.DataFrame]:
    """One frame per month: ts_utc, known_at, pair, features; only one month is in memory at a time.

    ``start <= ts_utc < end`` in minutes since 1970. ``missing="drop"`` drops rows in which any feature has no value;
    ValueError for any other ``missing`` than that and "keep". Check ``availability`` first: missing partitions give
    nulls.
    """
    if missing not in (allowed := get_args(Missing)):
        raise ValueError(f"unknown missing={missing!r}, expected one of {', '.join(allowed)}")
    return _matrix_frames(store, features, pairs, start, end, missing == "drop")


def _matrix_frames(
    store: Store, features: Sequence[Feature], pairs: Sequence[str], start: int | None, end: int | None, drop: bool
) -> Iterator[pl.DataFrame]:
    names = [f.name for f in features]
    for month in stored_months(store, pairs):
        first, last = month_bounds(month)
        first = first if start is None else max(first, start)
        last = last if end is None else min(last, end)
        if first >= last:
            continue
        frame = read_features(store, features, pairs, first, last)
        if drop:
            frame = frame.drop_nulls(names)
        rows = frame.collect()
        if rows.height:
            yield rows


def stored_months(store: Store, pairs: Sequence[str]) -> list[str]:
    """The months in which any of ``pairs`` has bars."""
    return sorted({month for pair in pairs for month in store.month_names(pair)})


def write_matrix(frames: Iterator[pl.DataFrame], path: Path, provenance: Provenance, root: Path | None = None) -> int:
    """Write the months one after the other to ``path``, which appears once it is complete; returns the number of rows.

    A Parquet file has each column's documentation and the provenance in its metadata; for a CSV file, the provenance
    is in ``<path>.json``. Nothing is written without rows. ValueError for any other kind of file, for a path inside
    the store (``root``), and for a device, a folder or a link.
    """
    checked_target(path, FORMATS, root)
    rows = 0
    with Replacing(path) as target:
        writer: _Writer = _Csv(target.temporary) if path.suffix == ".csv" else _Parquet(target.temporary, provenance)
        try:
            for frame in frames:
                writer.write(frame)
                rows += frame.height
        finally:
            writer.close()
        if rows:
            target.publish()
            if path.suffix == ".csv":
                with Replacing(path.with_name(path.name + ".json")) as beside:
                    beside.temporary.write_text(provenance.text(), "utf-8")
                    beside.publish()
    return rows


class _Writer(Protocol):
    def write(self, frame: pl.DataFrame) -> None: ...
    def close(self) -> None: ...


class _Csv:
    def __init__(self, path: Path) -> None:
        self.file = path.open("wb")
        self.has_header = False

    def write(self, frame: pl.DataFrame) -> None:
        frame.write_csv(self.file, include_header=not self.has_header, datetime_format="%Y-%m-%dT%H:%M:%SZ")
        self.has_header = True

    def close(self) -> None:
        self.file.close()


class _Parquet:
    def __init__(self, path: Path, provenance: Provenance) -> None:
        self.path, self.provenance = path, provenance
        self.writer: Any = None

    def write(self, frame: pl.DataFrame) -> None:
        table = frame.to_arrow()
        if self.writer is None:
            self.schema = _documented(table.schema, self.provenance)
            self.writer = pq.ParquetWriter(self.path, self.schema, compression="zstd")
        self.writer.write_table(table.cast(self.schema))

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()


def _documented(schema: pa.Schema, provenance: Provenance) -> pa.Schema:
    """``schema`` with the documentation of every feature, and the provenance."""
    known = all_features()
    fields = [f.with_metadata(documentation(known[f.name])) if f.name in known else f for f in schema]
    return pa.schema(fields, {METADATA: provenance.text()})
