"""Parquet with named columns: ts_utc (or time, date ..), open, high, low, close, or bid and ask bars, or ticks."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fxloom.bars.bars import Floats, Ints
from fxloom.sources.layout import Layout, named_layout
from fxloom.sources.records import Refused
from fxloom.sources.rows import Rows, new_rows
from fxloom.sources.times import MISSING, Times, spelling_of, whole_microseconds

NAME = "parquet"
_MOST_ROWS = 200_000_000


@dataclass(frozen=True, eq=False)
class Columns:
    """A Parquet file's columns, and the layout that their names and types tell."""

    table: pa.Table
    layout: Layout


def columns_of(data: bytes) -> Columns:
    """The columns of ``data``. Raises ``Refused`` if it is damaged, without measure, or names no time and prices."""
    try:
        file = pq.ParquetFile(io.BytesIO(data))
        if file.metadata.num_rows > _MOST_ROWS:
            raise Refused(f"says it holds {file.metadata.num_rows:,} rows: a bomb?", "split it by month")
        names = tuple(file.schema_arrow.names)
        layout = named_layout(names, None, NAME)
        if layout is None:
            raise Refused(
                f"its columns name no time and prices ({', '.join(names[:12])})",
                "name them ts_utc, open, high, low, close",
            )
        table = file.read()
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise Refused(f"damaged Parquet ({str(error).splitlines()[0][:120]})", "fetch it again") from error
    kind = table.schema.field(layout.time[0]).type
    zoned = pa.types.is_timestamp(kind) and kind.tz is not None
    return Columns(table, replace(layout, zone=0.0) if zoned else layout)


def parse(columns: Columns) -> Rows:
    """All rows; lines are row numbers from 1. Raises ``Refused`` if a column holds no numbers."""
    table, layout = columns.table, columns.layout
    time = table.column(layout.time[0])
    values = {role: _numbers(table, place) for role, place in layout.places.items()}
    if layout.ticks is not None:
        values["ticks"] = _numbers(table, layout.ticks)

    def raw(line: int) -> str:
        return ",".join(str(value) for value in table.slice(line - 1, 1).to_pylist()[0].values())[:300]

    symbols: tuple[str, ...] = ()
    if layout.symbol is not None:
        symbols = tuple(sorted({str(s) for s in pc.unique(table.column(layout.symbol)).to_pylist() if s is not None}))
    return new_rows(np.arange(1, len(table) + 1), _times(time), values, raw, symbols=symbols)


def _numbers(table: pa.Table, place: int) -> Floats:
    try:
        column = pc.cast(table.column(place), pa.float64())
    except pa.ArrowException as error:
        raise Refused(
            f"its column {table.schema.names[place]!r} holds no numbers ({error})", "store numbers"
        ) from error
    return np.asarray(pc.fill_null(column, float("nan")).to_numpy(), np.float64).copy()


def _times(column: pa.ChunkedArray) -> Times:
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        micro = pc.cast(column, pa.timestamp("us", getattr(kind, "tz", None)), safe=False)
        whole: Ints = pc.fill_null(pc.cast(micro, pa.int64()), MISSING).to_numpy()
        return Times(whole, None)
    texts = pc.cast(column, pa.string())
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return _epochs(column)
    series = pl.Series(texts.to_pylist(), dtype=pl.String)
    return spelling_of(series.drop_nulls().head(64).to_list()).parse(series)


def _epochs(column: pa.ChunkedArray) -> Times:
    values = np.asarray(pc.fill_null(pc.cast(column, pa.float64(), safe=False), float("nan")).to_numpy())
    usual = np.nanmedian(np.abs(values)) if np.isfinite(values).any() else 0.0
    unit = next((u for least, u in ((1e17, 1e-3), (1e14, 1.0), (1e11, 1e3)) if usual > least), 1e6)
    return Times(whole_microseconds(values * unit), None)
