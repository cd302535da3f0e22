"""Recognising a file's format by its content, and parsing it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fxloom.sources.formats import FORMATS, bi5, parquet
from fxloom.sources.instrument import pair_named, settle_pair
from fxloom.sources.layout import Layout
from fxloom.sources.no_data import no_data
from fxloom.sources.records import Ignored, Refused
from fxloom.sources.rows import Rows, parse_text
from fxloom.sources.text import Sample, decoded, sampled
from fxloom.sources.walk import Entry


@dataclass(frozen=True, eq=False)
class Parsed:
    """The rows of one pair in a file, their layout, and the pair that the file or the user states.

    ``label`` is added to the file's name where it holds several pairs.
    """

    layout: Layout
    pair: str | None
    rows: Rows
    label: str = ""


def parsed(entry: Entry, data: bytes, format: str, asked: str | None) -> list[Parsed | Ignored]:
    """``data`` parsed, one part per pair. Raises ``Refused`` if it is of no known format or not of ``format``."""
    reason = no_data(data)
    if reason:
        return [Ignored(entry.name, reason)]
    hints = entry.hints
    if bi5.recognise(hints) if format == "auto" else format == bi5.NAME:
        pair = settle_pair(asked, [], hints)
        return [Parsed(bi5.LAYOUT, pair, bi5.parse(data, hints, pair))]
    if data[:4] == b"PAR1" if format == "auto" else format == parquet.NAME:
        columns = parquet.columns_of(data)
        rows, layout = parquet.parse(columns), columns.layout
    else:
        text = decoded(data)
        sample = sampled(text, hints)
        layout = _recognised(sample, format)
        rows = parse_text(text, sample, layout)
    return _per_pair(entry, layout, rows, asked)


def _per_pair(entry: Entry, layout: Layout, rows: Rows, asked: str | None) -> list[Parsed | Ignored]:
    """The rows of each of the 28 pairs that a column names; other instruments are left out with their number."""
    if rows.symbol is None or len(rows.symbols) < 2:
        return [Parsed(layout, settle_pair(asked, list(rows.symbols), entry.hints), rows)]
    pairs = [_pair_or_none(symbol) for symbol in rows.symbols]
    wanted = sorted({pair for pair in pairs if pair is not None and asked in (None, pair)})
    found: list[Parsed | Ignored] = []
    for pair in wanted:
        own = np.array([each == pair for each in pairs])[rows.symbol] & (rows.symbol >= 0)
        found.append(Parsed(layout, pair, rows.take(own), f" [{pair}]"))
    if not wanted:
        raise Refused(f"holds {', '.join(rows.symbols[:4])}", "give a file with one of the 28 pairs")
    others = [symbol for symbol, pair in zip(rows.symbols, pairs, strict=True) if pair not in wanted]
    if others or (rows.symbol < 0).any():
        number = len(rows) - sum(len(part.rows) for part in found if isinstance(part, Parsed))
        named = ", ".join(others[:4]) + (f" and {len(others) - 4} more" if len(others) > 4 else "")
        found.append(Ignored(f"{entry.name} [others]", f"{number:,} rows of {named or 'no symbol'}"))
    return found


def _pair_or_none(symbol: str) -> str | None:
    try:
        return pair_named(symbol)
    except Refused:  # two currencies of the eight, the wrong way round
        return None


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
            "its times count from a midnight that its name does not state", "name it 20140501_eurusd_minute_quote.csv"
        )
    return layout
