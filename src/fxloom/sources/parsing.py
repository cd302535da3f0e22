"""Recognises a file's format by its content, and parses it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np

from fxloom.sources.delimited import parse_text
from fxloom.sources.formats import FORMATS, arrow, bi5, candles, excel, parquet
from fxloom.sources.formats.matching import mostly
from fxloom.sources.formats.table import Table
from fxloom.sources.frames import parse_frame, sample_of, zoned
from fxloom.sources.instrument import pair_named, settle_pair
from fxloom.sources.layout import DATE, TIME_OF_DAY, Layout
from fxloom.sources.names import named_zone
from fxloom.sources.no_data import no_data
from fxloom.sources.records import Ignored, Refused
from fxloom.sources.rows import Rows
from fxloom.sources.text import Sample, Text, decoded, sampled
from fxloom.sources.times import NAMED_ZONE
from fxloom.sources.unreadable import refuse_by_kind
from fxloom.sources.walk import Entry

CONTAINERS: tuple[ModuleType, ...] = (parquet, arrow, excel, candles)


@dataclass(frozen=True, eq=False)
class Parsed:
    """The rows of one pair in a file, their layout, and the pair that the file or the user names.

    ``label`` is added to the file's name if it holds several pairs.
    """

    layout: Layout
    pair: str | None
    rows: Rows
    label: str = ""


@dataclass(frozen=True, eq=False)
class _Part:
    """Rows of one table, and the instrument that its content names ("" if none)."""

    layout: Layout
    rows: Rows
    symbol: str
    hint: str


def parsed(entry: Entry, data: bytes, format: str, asked: str | None) -> list[Parsed | Ignored]:
    """Parse ``data``: one part per pair. Raises ``Refused`` if its format is unknown or is not ``format``."""
    reason = no_data(entry.hints[0], data)
    if reason:
        return [Ignored(entry.name, reason)]
    if bi5.recognise(entry.hints) if format == "auto" else format == bi5.NAME:
        pair = settle_pair(asked, [], entry.hints)
        return [Parsed(bi5.LAYOUT, pair, bi5.parse(data, entry.hints, pair))]
    tables = _tables(data, format)
    if len(tables) > 1:
        return _labelled(_of_tables(entry, tables, format, asked))
    return _labelled(_of_table(entry, tables[0], format, asked))


def _tables(data: bytes, format: str) -> list[Table]:
    """The file's contents: the tables of a container, or its text."""
    container = next((each for each in CONTAINERS if each.recognise(data)), None)
    asked = next((each for each in CONTAINERS if format == each.NAME), None)
    if asked is not None and asked is not container:
        raise Refused(f"not in the format {format}", "omit --format")
    if container is None:
        refuse_by_kind(data)
        return [Table(decoded(data))]
    tables: list[Table] = container.read(data)
    return [replace(table, format=f"{table.format} {container.NAME}".strip()) for table in tables]


def _of_tables(entry: Entry, tables: list[Table], format: str, asked: str | None) -> list[Parsed | Ignored]:
    """The pairs of several tables; other tables, such as a sheet of notes, are ignored if any holds prices."""
    found: list[Parsed | Ignored] = []
    refusals: list[Refused] = []
    for table in tables:
        try:
            found += _of_table(entry, table, format, asked)
        except Refused as refused:
            refusals.append(refused)
            found.append(Ignored(f"{entry.name} [{table.hint or table.symbol}]", refused.reason))
    if not any(isinstance(each, Parsed) for each in found):
        raise refusals[0]
    return found


def _of_table(entry: Entry, table: Table, format: str, asked: str | None) -> list[Parsed | Ignored]:
    """The pairs of one table: usually one, otherwise told apart by column names or by a symbol column."""
    hints = (*filter(None, [table.hint]), *entry.hints)
    content = table.content
    sample = sampled(content, hints) if isinstance(content, Text) else sample_of(content, hints)
    inner = "auto" if any(format == each.NAME for each in CONTAINERS) else format
    found: list[Parsed | Ignored] = []
    tickers = sample.by_ticker()
    for ticker, each in tickers:
        symbol = ticker or table.symbol
        pair = _pair_or_none(symbol)
        if len(tickers) > 1 and (pair is None or asked not in (None, pair)):
            found.append(Ignored(f"{entry.name} [{symbol}]", _OTHER_INSTRUMENT))
            continue
        layout = _settled(_recognised(each, inner), table, each)
        if isinstance(content, Text):
            rows = parse_text(content, each, layout)
        else:
            layout = replace(layout, zone=0.0) if zoned(content, layout.time[0]) else layout
            rows = parse_frame(content, layout)
        found += _per_pair(replace(entry, hints=hints), layout, rows, symbol, asked)
    return found


_OTHER_INSTRUMENT = "not one of the 28 pairs, or not the one named by --pair"


def _labelled(found: list[Parsed | Ignored]) -> list[Parsed | Ignored]:
    """The parts, labelled if there are several."""
    if sum(isinstance(each, Parsed) for each in found) < 2:
        return found
    count: dict[str | None, int] = {}
    labelled: list[Parsed | Ignored] = []
    for each in found:
        if isinstance(each, Parsed):
            number = count[each.pair] = count.get(each.pair, 0) + 1
            each = replace(each, label=f" [{each.pair or 'table'}{f' {number}' if number > 1 else ''}]")
        labelled.append(each)
    return labelled


def _per_pair(entry: Entry, layout: Layout, rows: Rows, symbol: str, asked: str | None) -> list[Parsed | Ignored]:
    """The rows of each of the 28 pairs that a column names; other instruments are left out and counted."""
    if rows.symbol is None or len(rows.symbols) < 2:
        stated = list(rows.symbols) or ([symbol] if symbol else [])
        return [Parsed(layout, settle_pair(asked, stated, entry.hints), rows)]
    pairs = [_pair_or_none(each) for each in rows.symbols]
    wanted = sorted({pair for pair in pairs if pair is not None and asked in (None, pair)})
    if not wanted:
        raise Refused(f"holds {', '.join(rows.symbols[:4])}", f"provide a file with {asked or 'one of the 28 pairs'}")
    found: list[Parsed | Ignored] = []
    for pair in wanted:
        own = np.array([each == pair for each in pairs])[rows.symbol] & (rows.symbol >= 0)
        found.append(Parsed(layout, pair, rows.take(own)))
    number = len(rows) - sum(len(part.rows) for part in found if isinstance(part, Parsed))
    if number:
        others = [each for each, pair in zip(rows.symbols, pairs, strict=True) if pair not in wanted] or ["no symbol"]
        named = ", ".join(others[:4]) + (f" and {len(others) - 4} more" if len(others) > 4 else "")
        found.append(Ignored(f"{entry.name} [others]", f"{number:,} rows of {named}: {_OTHER_INSTRUMENT}"))
    return found


def _pair_or_none(symbol: str) -> str | None:
    try:
        return pair_named(symbol)
    except Refused:  # two of the eight currencies, in reverse order
        return None


def _recognised(sample: Sample, format: str) -> Layout:
    for each in FORMATS:
        if format in ("auto", each.name):
            layout = each.recognise(sample)
            if layout is not None:
                return layout
    columns = ", ".join(sample.header[:12]) or f"{sample.width} columns without a header"
    known = "in an unknown format" if format == "auto" else f"not in the format {format}"
    raise Refused(f"{known} ({columns})", "name the columns ts_utc, open, high, low, close", sample.first)


def _settled(layout: Layout, table: Table, sample: Sample) -> Layout:
    """``layout`` with the format and the zone that the table and the times themselves state."""
    if layout.midnight == "":
        raise Refused(
            "its times count from midnight, but its name does not state the day",
            "name it 20140501_eurusd_minute_quote.csv",
        )
    times = sample.column(layout.time[0])
    if len(layout.time) == 1 and layout.midnight is None:
        _refuse_half_a_time(times, sample.first)
    if layout.zone is None and mostly(rf".*\d {NAMED_ZONE}", times):
        layout = replace(layout, zone=named_zone(times[0].rsplit(" ", 1)[1]))
    if layout.zone is None and table.zone is not None:
        layout = replace(layout, zone=table.zone, zone_by_format=True)
    generic = layout.format in ("named columns", "plain") or " " in table.format
    return replace(layout, format=table.format) if table.format and generic else layout


def _refuse_half_a_time(times: list[str], line: int) -> None:
    """Refuse a column of dates without times of day, or of times of day without dates."""
    if mostly(f"(?:{DATE})(?: 00:00(?::00)?)?", times) and len(set(times)) > 1:
        raise Refused("daily bars: coarser than a minute", "export one-minute bars", line)
    if mostly(rf"(?:{TIME_OF_DAY})(?<!\d\d\d\d)", times):
        raise Refused(f"its times have no date (such as {times[0]})", "export the date with the time", line)
