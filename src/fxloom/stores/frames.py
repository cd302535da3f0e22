"""Between the arrays of the core and the tables of Arrow and polars."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from polars.io.plugins import register_io_source

from fxloom.bars.bars import Bars, Floats, Ints
from fxloom.bars.days import DaySummary, summarise_days
from fxloom.engine.partitions import PartitionKey, Record
from fxloom.features.catalogue import tables
from fxloom.features.feature import Feature

METADATA = b"fxloom"  # the key under which a file says what it is
MICROSECONDS = 60_000_000  # a minute


def timestamps(ts: Ints) -> pa.Array:
    """Minutes since 1970 as Arrow timestamps, microseconds UTC."""
    return pa.array(ts * MICROSECONDS).view(pa.timestamp("us", tz="UTC"))


def bars_table(bars: Bars) -> pa.Table:
    """Bars as an Arrow table whose metadata carries the summaries of its days."""
    columns = {"ts_utc": timestamps(bars.ts)}
    for name in ("open", "high", "low", "close", "volume", "spread"):
        column = getattr(bars, name)
        if column is not None:
            columns[name] = pa.array(column, from_pandas=True)
    days = json.dumps([list(asdict(day).values()) for day in summarise_days(bars)])
    return pa.table(columns).replace_schema_metadata({METADATA: json.dumps({"days": days})})


def bars_of(table: pa.Table) -> Bars:
    """Bars from an Arrow table with the columns that ``bars_table`` writes."""

    def column(name: str) -> Any:
        return table[name].to_numpy() if name in table.column_names else None

    ts = table["ts_utc"].cast(pa.int64()).to_numpy() // MICROSECONDS
    return Bars(ts, *(column(name) for name in ("open", "high", "low", "close", "volume", "spread")))


def joined(parts: Sequence[Bars]) -> Bars:
    """Bars one after the other; volume and spread are missing (NaN) for parts that have none."""
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
    return Bars(np.zeros(0, np.int64), *(np.zeros(0) for _ in range(4)))


def days_in(metadata: dict[bytes, bytes]) -> list[DaySummary]:
    """The days that a file of bars says it holds; KeyError or ValueError if it does not."""
    return [DaySummary(*fields) for fields in json.loads(json.loads(metadata[METADATA])["days"])]


def features_table(
    record: Record, ts: Ints, pairs: Sequence[str] | None, columns: dict[str, Floats], dtype: str
) -> pa.Table:
    """A partition as an Arrow table: ts_utc (and pair), features, its record in the metadata."""
    arrays: dict[str, pa.Array] = {"ts_utc": timestamps(ts)}
    if pairs is not None:
        arrays["pair"] = pa.array(pairs, type=pa.string())
    for name, values in columns.items():
        arrays[name] = pa.array(values.astype(dtype, copy=False), from_pandas=True)  # NaN becomes null
    table = pa.table(arrays).replace_schema_metadata({METADATA: json.dumps(record_fields(record))})
    return documented(table, record.key.table)


def documented(table: pa.Table, name: str) -> pa.Table:
    """``table`` with the formula, unit and range of each feature of table ``name`` in its fields' metadata."""
    known = {f.name: f for f in tables()[name].features} if name in tables() else {}
    fields = [field.with_metadata(documentation(known[field.name])) if field.name in known else field
              for field in table.schema]  # fmt: skip
    return table.cast(pa.schema(fields, table.schema.metadata))


def documentation(feature: Feature) -> dict[str, str]:
    """What a file says about a column: unit, range, formula, source."""
    column = feature.column
    said = {"unit": column.unit, "range": f"[{column.low:g}, {column.high:g}]", "formula": column.formula}
    return said | ({"source": column.source} if column.source else {})


FLOATS: dict[str, Any] = {"float32": pl.Float32, "float64": pl.Float64}
Part = Callable[[list[str]], pl.DataFrame]  # of the wanted features: a frame of them with ts_utc and pair


def streamed(names: Sequence[str], dtype: str, parts: Sequence[Part]) -> pl.LazyFrame:
    """The features ``names`` of ``parts`` as a lazy frame; each part is read in its turn, what is wanted of it only."""
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


RECORDED = tuple(f.name for f in fields(Record))


def record_in(metadata: dict[bytes, bytes]) -> Record:
    """The record that a file of features carries; KeyError or ValueError if it has none."""
    return record_of(json.loads(metadata[METADATA]))


def record_fields(record: Record) -> dict[str, Any]:
    """The record as JSON takes it; not ``asdict``, which would copy every count of every feature."""
    return {name: getattr(record, name) for name in RECORDED} | {"key": asdict(record.key)}


def record_of(fields: dict[str, Any]) -> Record:
    """A record from what ``record_fields`` gave; KeyError or TypeError if it is none."""
    key = PartitionKey(**fields.pop("key"))
    fields["proxies"] = tuple(fields.get("proxies", ()))
    return Record(key=key, **fields)


def bars_frame(bars: Bars, pair: str) -> pl.DataFrame:
    """Bars as a polars frame: ts_utc, pair, open, high, low, close, volume, spread (null where there is none)."""
    n = len(bars)
    frame = pl.DataFrame({"ts_utc": bars.ts * MICROSECONDS, "pair": [pair] * n})
    frame = frame.with_columns(pl.col("ts_utc").cast(pl.Datetime("us", "UTC")))
    for name in ("open", "high", "low", "close", "volume", "spread"):
        column = getattr(bars, name)
        values = pl.lit(None, pl.Float64) if column is None else pl.Series(column, nan_to_null=True)
        frame = frame.with_columns(values.alias(name))
    return frame


def empty_features(names: Iterable[str]) -> pl.LazyFrame:
    schema: dict[str, Any] = {"ts_utc": pl.Datetime("us", "UTC"), "pair": pl.String}
    return pl.LazyFrame(schema=schema | dict.fromkeys(names, pl.Float32))
