"""Converts between NumPy arrays and tables of Arrow and polars."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
from polars.io.plugins import register_io_source

from fxloom.bars.bars import Bars, Floats, Ints
from fxloom.bars.days import DaySummary, summarise_days
from fxloom.bars.months import MICROSECONDS_PER_MINUTE
from fxloom.engine.partitions import PartitionKey, Record
from fxloom.features.catalogue import tables
from fxloom.features.feature import Feature
from fxloom.stores.base import Part, newer_format
from fxloom.stores.documents import FORMAT, checksum_of, record_fields, record_of

SUMMARY = tuple(f.name for f in fields(DaySummary))
METADATA = b"fxloom"  # the metadata key of a file's record ...
CHECKSUM = b"fxloom-checksum"  # ... and of the record's checksum


def timestamps(ts: Ints) -> pa.Array:
    """Minutes since 1970 as Arrow timestamps, microseconds UTC."""
    return arrow_array(ts * MICROSECONDS_PER_MINUTE).view(pa.timestamp("us", tz="UTC"))


def arrow_array(values: npt.NDArray[Any]) -> pa.Array:
    """Numbers as an Arrow array over the same memory; NaN is null.

    ``pa.array`` does the same, but imports pandas where it is installed, which takes half a second.
    """
    values = np.ascontiguousarray(values)
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(0, np.bool_)
    bitmap = pa.py_buffer(np.packbits(~missing, bitorder="little")) if missing.any() else None
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [bitmap, pa.py_buffer(values)], int(missing.sum()))


def bars_table(bars: Bars) -> pa.Table:
    """Bars as an Arrow table: ts_utc, open, high, low, close, and volume and spread if the bars have them."""
    columns = {"ts_utc": timestamps(bars.ts)}
    for name in ("open", "high", "low", "close", "volume", "spread"):
        column = getattr(bars, name)
        if column is not None:
            columns[name] = arrow_array(column)
    return pa.table(columns)


@dataclass(frozen=True)
class BarsNote:
    """The metadata of a stored file of bars: pair, month, side, and summaries of its days."""

    pair: str
    month: str
    side: str
    days: list[DaySummary]


def stored_bars_table(bars: Bars, pair: str, month: str, side: str) -> pa.Table:
    """``bars_table`` with a ``BarsNote`` in its metadata."""
    days = [[getattr(day, name) for name in SUMMARY] for day in summarise_days(bars)]
    return _with_metadata(bars_table(bars), {"pair": pair, "month": month, "side": side, "days": days})


def bars_note(metadata: dict[bytes, bytes], where: object) -> BarsNote:
    """The note in the metadata of the file ``where``; KeyError, ValueError or TypeError if it is corrupt."""
    found = _metadata(metadata, where)
    days = [DaySummary(*values) for values in found["days"]]
    return BarsNote(found["pair"], found["month"], found["side"], days)


def _with_metadata(table: pa.Table, document: dict[str, Any]) -> pa.Table:
    text = json.dumps({**document, "format": FORMAT}).encode()
    return table.replace_schema_metadata({METADATA: text, CHECKSUM: checksum_of(text)})


def _metadata(metadata: dict[bytes, bytes], where: object) -> dict[str, Any]:
    """The document in a file's metadata, verified against its checksum."""
    text = metadata[METADATA]
    if metadata[CHECKSUM] != checksum_of(text).encode():
        raise ValueError("its metadata differs from what was written")
    found: dict[str, Any] = json.loads(text)
    if found.pop("format") != FORMAT:
        raise newer_format(where, json.loads(text)["format"])
    return found


def bars_of(table: pa.Table) -> Bars:
    """Bars from an Arrow table with the columns that ``bars_table`` writes."""

    def column(name: str) -> Any:
        return table[name].to_numpy() if name in table.column_names else None

    ts = table["ts_utc"].cast(pa.int64()).to_numpy() // MICROSECONDS_PER_MINUTE
    return Bars(ts, *(column(name) for name in ("open", "high", "low", "close", "volume", "spread")))


def joined(parts: Sequence[Bars]) -> Bars:
    """``parts`` concatenated; volume and spread are NaN for parts without them. No parts give empty bars."""
    parts = [p for p in parts if len(p)] or list(parts[:1]) or [empty_bars()]

    def column(name: str) -> Any:
        columns = [getattr(p, name) for p in parts]
        if all(c is None for c in columns):
            return None
        return np.concatenate(
            [np.full(len(p), np.nan) if c is None else c for p, c in zip(parts, columns, strict=True)]
        )

    return Bars(*(column(name) for name in ("ts", "open", "high", "low", "close", "volume", "spread")))


def empty_bars() -> Bars:
    """Bars without a row, volume or spread."""
    return Bars(np.zeros(0, np.int64), *(np.zeros(0) for _ in range(4)))


def column_checksum(values: npt.NDArray[Any], has_missing: bool = True) -> int:
    """A checksum of a column as it is stored, independent of the bit patterns of its NaNs.

    ``has_missing``: False if it is known that there are none, which saves a pass.
    """
    if has_missing and values.dtype.kind == "f":
        values = np.where(np.isnan(values), values.dtype.type(np.nan), values)
    return zlib.crc32(np.ascontiguousarray(values).data)


def features_table(
    record: Record, ts: Ints, pairs: Sequence[str] | None, columns: dict[str, Floats], dtype: str
) -> pa.Table:
    """A partition as an Arrow table: ts_utc, pair (unless ``pairs`` is None) and features; its record as metadata."""
    arrays: dict[str, pa.Array] = {"ts_utc": timestamps(ts)}
    checksums = {"ts_utc": column_checksum(ts)}
    if pairs is not None:
        arrays["pair"] = pa.array(pairs, type=pa.string())
        checksums["pair"] = zlib.crc32("".join(pairs).encode())
    for name, values in columns.items():
        stored = values.astype(dtype, copy=False)
        arrays[name] = arrow_array(stored)
        checksums[name] = column_checksum(stored)
    table = _with_metadata(pa.table(arrays), record_fields(record) | {"checksums": checksums})
    return documented(table, record.key.table)


def documented(table: pa.Table, name: str) -> pa.Table:
    """``table`` with the unit, range, formula and source of each feature of ``name`` in the fields' metadata."""
    known = {f.name: f for f in tables()[name].features} if name in tables() else {}
    described = [field.with_metadata(documentation(known[field.name])) if field.name in known else field
              for field in table.schema]  # fmt: skip
    return table.cast(pa.schema(described, table.schema.metadata))


def documentation(feature: Feature) -> dict[str, str]:
    """The metadata that describe a column in a file: unit, range, formula, source."""
    column = feature.column
    text = {"unit": column.unit, "range": f"[{column.low:g}, {column.high:g}]", "formula": column.formula}
    return text | ({"source": column.source} if column.source else {})


FLOATS: dict[str, Any] = {"float32": pl.Float32, "float64": pl.Float64}


def streamed(names: Sequence[str], dtype: str, parts: Sequence[Part]) -> pl.LazyFrame:
    """The features ``names`` of ``parts`` as a lazy frame; parts are read one by one, and only the columns needed."""
    schema: dict[str, Any] = {"ts_utc": pl.Datetime("us", "UTC"), "pair": pl.String} | dict.fromkeys(
        names, FLOATS[dtype]
    )

    def produce(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = [n for n in names if with_columns is None or n in with_columns]
        left = n_rows
        for part in parts:
            if left is not None and left <= 0:
                return
            frame = part(wanted)
            frame = frame if left is None else frame.head(left)
            left = None if left is None else left - frame.height
            frame = frame if predicate is None else frame.filter(predicate)
            yield frame.select(list(schema) if with_columns is None else with_columns)

    return register_io_source(produce, schema=schema)


def scanned(
    names: Sequence[str], dtype: str, parts: Sequence[tuple[PartitionKey, Part]], pairs: Sequence[str] | None
) -> pl.LazyFrame:
    """Like ``streamed``, keeping only ``pairs`` (None: all) of parts that hold several pairs."""
    frame = streamed(names, dtype, [part for _, part in parts])
    mixed = any(not key.pair for key, _ in parts)
    return frame.filter(pl.col("pair").is_in(list(pairs))) if mixed and pairs is not None else frame


def record_in(metadata: dict[bytes, bytes], where: object) -> Record:
    """The record in the metadata of the file ``where``; KeyError, ValueError or TypeError if it is corrupt."""
    return stored_record(metadata, where)[0]


def stored_record(metadata: dict[bytes, bytes], where: object) -> tuple[Record, dict[str, int]]:
    """The record in the metadata of a file of features, and the checksums of its columns."""
    found = _metadata(metadata, where)
    checksums: dict[str, int] = found.pop("checksums")
    return record_of(found), checksums


def bars_frame(bars: Bars, pair: str) -> pl.DataFrame:
    """Bars as a polars frame: ts_utc, pair, open, high, low, close, volume, spread (null if missing)."""
    n = len(bars)
    frame = pl.DataFrame({"ts_utc": bars.ts * MICROSECONDS_PER_MINUTE, "pair": [pair] * n})
    frame = frame.with_columns(pl.col("ts_utc").cast(pl.Datetime("us", "UTC")))
    for name in ("open", "high", "low", "close", "volume", "spread"):
        column = getattr(bars, name)
        values = pl.lit(None, pl.Float64) if column is None else pl.Series(column, nan_to_null=True)
        frame = frame.with_columns(values.alias(name))
    return frame
