"""Turns tables of typed columns (Parquet, Arrow, JSON) into samples for recognition and into rows."""

from __future__ import annotations

import ast
from itertools import zip_longest

import numpy as np
import polars as pl

from fxloom.bars.bars import Flags, Floats
from fxloom.sources.layout import Layout
from fxloom.sources.records import Refused
from fxloom.sources.rows import Rows, coded, new_rows
from fxloom.sources.text import SAMPLE, Sample, stacked
from fxloom.sources.times import MISSING, Times, settled_spelling, whole_microseconds

_LONGEST = 300  # bytes of a time, a symbol or a number


def sample_of(frame: pl.DataFrame, hints: tuple[str, ...]) -> Sample:
    """The head of ``frame`` for recognition; names such as "('Close', 'EURUSD=X')" have two levels."""
    rows = tuple(tuple(_text(value) for value in row) for row in frame.head(SAMPLE).rows())
    levels = [_levels(name) for name in frame.columns]
    if max(map(len, levels), default=1) == 1:
        return Sample(hints, "", False, tuple(frame.columns), 1, rows)
    head = list(zip_longest(*levels, fillvalue=""))
    at = next((i for i, row in enumerate(head) if any("=" in cell or "/" in cell for cell in row)), 1)
    head = [(("Ticker" if i == at else "Price"), *row) for i, row in enumerate(head)]
    header, tickers = stacked([tuple(row) for row in head])
    return Sample(hints, "", False, header[1:] or tuple(frame.columns), 1, rows, tickers=tickers[1:])


def _levels(name: str) -> tuple[str, ...]:
    if not (name.startswith("(") and name.endswith(")")):
        return (name,)
    try:
        levels = ast.literal_eval(name)
    except (ValueError, SyntaxError):
        return (name,)
    return tuple(map(str, levels)) if isinstance(levels, tuple) else (name,)


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def parse_frame(frame: pl.DataFrame, layout: Layout) -> Rows:
    """All rows of ``frame``; lines are row numbers from 1. Raises ``Refused`` if a numeric column is not numeric."""
    values = {role: _numbers(frame.to_series(place)) for role, place in layout.places.items()}
    if layout.ticks is not None:
        values["ticks"] = _numbers(frame.to_series(layout.ticks))

    def raw(line: int) -> str:
        return ",".join(map(_text, frame.row(line - 1)))[:300]

    symbols: tuple[str, ...] = ()
    symbol = None
    if layout.symbol is not None:
        symbols, symbol = coded([_short(frame.to_series(layout.symbol))])
    line = np.arange(1, len(frame) + 1)
    rows = new_rows(line, _times(frame, layout), values, raw, symbols=symbols, symbol=symbol)
    return rows.flagged(_forming(frame), "its candle is not complete yet")


def _forming(frame: pl.DataFrame) -> Flags:
    """Which rows are marked as not final, as OANDA's newest candle is."""
    if frame.schema.get("complete") != pl.Boolean:
        return np.zeros(len(frame), np.bool_)
    return np.asarray(frame["complete"].not_().fill_null(False).to_numpy())


def _numbers(column: pl.Series) -> Floats:
    if column.dtype in (pl.String, pl.Categorical, pl.Enum):
        values = _short(column).str.strip_chars().cast(pl.Float64, strict=False)
    elif column.dtype.is_numeric() or column.dtype == pl.Null:
        values = column.cast(pl.Float64)
    else:
        raise Refused(f"its column {column.name!r} holds {column.dtype} instead of numbers", "store it as numbers")
    return np.array(values.fill_null(float("nan")).to_numpy(), np.float64)


def _times(frame: pl.DataFrame, layout: Layout) -> Times:
    columns = [frame.to_series(place) for place in layout.time]
    if len(columns) > 1:
        first, *rest = (_as_text(column) for column in columns)
        for each in rest:
            first = first + " " + each
        return settled_spelling(first).parse(first)
    column = columns[0]
    if column.dtype.is_temporal() and column.dtype not in (pl.Time, pl.Duration):
        micro = column.cast(pl.Datetime("us")) if column.dtype == pl.Date else column.dt.epoch("us")
        return Times(micro.to_physical().fill_null(MISSING).to_numpy(), None)
    if column.dtype.is_numeric():
        return _epochs(column)
    texts = _short(column).str.strip_chars()
    return settled_spelling(texts).parse(texts)


def _as_text(column: pl.Series) -> pl.Series:
    """Dates and times of day as text; numbers as 20180205 and 093000."""
    if column.dtype.is_integer():
        longest = int(column.cast(pl.Int64).max() or 0)  # type: ignore[arg-type]
        return column.cast(pl.String).str.zfill(4 if longest < 2400 else 6)
    return _short(column)


def _short(column: pl.Series) -> pl.Series:
    """A column as text. Raises ``Refused`` on long texts, which dictionary encoding can repeat to any size."""
    texts = column.cast(pl.String)
    longest = int(texts.str.len_bytes().max() or 0)  # type: ignore[arg-type]
    if longest > _LONGEST:
        raise Refused(f"its column {column.name!r} holds text of {longest:,} bytes", "store times and numbers")
    return texts


def _epochs(column: pl.Series) -> Times:
    if column.dtype.is_integer():
        whole = column.cast(pl.Int64, strict=False)
        usual = float(whole.abs().median() or 0)  # type: ignore[arg-type]
        if 1e14 < usual <= 1e17:
            return Times(whole.fill_null(MISSING).to_numpy(), None)
    values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    usual = float(np.nanmedian(np.abs(values))) if np.isfinite(values).any() else 0.0
    unit = next((unit for least, unit in ((1e17, 1e-3), (1e14, 1.0), (1e11, 1e3)) if usual > least), 1e6)
    return Times(whole_microseconds(values * unit), None)


def zoned(frame: pl.DataFrame, place: int) -> bool:
    """Whether a column holds zoned timestamps, which are stored in UTC."""
    return getattr(frame.to_series(place).dtype, "time_zone", None) is not None
