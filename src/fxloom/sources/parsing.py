"""Recognising a file's format by its content, and parsing it."""

from __future__ import annotations

from dataclasses import dataclass

from fxloom.sources.formats import FORMATS, bi5, parquet
from fxloom.sources.instrument import settle_pair
from fxloom.sources.layout import Layout
from fxloom.sources.records import Refused
from fxloom.sources.rows import Rows, parse_text
from fxloom.sources.text import Sample, decoded, sampled


@dataclass(frozen=True, eq=False)
class Parsed:
    """A file's layout, the pair that it (or the user) says, and its rows."""

    layout: Layout
    pair: str | None
    rows: Rows


def parsed(hints: tuple[str, ...], data: bytes, format: str, asked: str | None) -> Parsed:
    """``data`` parsed. Raises ``Refused`` if it is of no known format, or not of the one asked for."""
    if bi5.recognise(hints) if format == "auto" else format == bi5.NAME:
        pair = settle_pair(asked, [], hints)
        return Parsed(bi5.LAYOUT, pair, bi5.parse(data, hints, pair))
    if data[:4] == b"PAR1" if format == "auto" else format == parquet.NAME:
        columns = parquet.columns_of(data)
        rows, layout = parquet.parse(columns), columns.layout
    else:
        text = decoded(data)
        sample = sampled(text, hints)
        layout = _recognised(sample, format)
        rows = parse_text(text, sample, layout)
    return Parsed(layout, settle_pair(asked, list(rows.symbols), hints), rows)


def _recognised(sample: Sample, format: str) -> Layout:
    for each in FORMATS:
        if format in ("auto", each.name):
            layout = each.recognise(sample)
            if layout is not None:
                return _with_day(layout)
    columns = ", ".join(sample.header[:12]) or f"{sample.width} columns without a header"
    known = "of no known format" if format == "auto" else f"not of the format {format}"
    raise Refused(f"{known} ({columns})", "name the columns ts_utc, open, high, low, close", sample.first)


def _with_day(layout: Layout) -> Layout:
    if layout.midnight == "":
        raise Refused(
            "its times count from a midnight that its name does not tell", "name it 20140501_eurusd_minute_quote.csv"
        )
    return layout
