"""The rows of delimited text, block by block: each block is split into fields once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.sources.layout import Layout
from fxloom.sources.rows import Rows, coded, new_rows
from fxloom.sources.text import BLOCK, Block, Sample, Text
from fxloom.sources.thinning import WEIGHT, kept_ticks
from fxloom.sources.times import SinceMidnight, Spelling, Times, better_order, other_order, spelling_of

_UNIFORM = 0.95  # share of lines alike by which the others are known to be cut
Fields = dict[int, pl.Series]  # by place: text without surrounding spaces, or float64


def parse_text(text: Text, sample: Sample, layout: Layout) -> Rows:
    """Parse all rows of ``text`` from its first data line on, ignoring blank lines.

    Raises ``Refused`` if its times are in an unknown or ambiguous format.
    """
    spellings = _spellings(sample, layout)
    thin = layout.are_ticks and layout.symbol is None and not layout.carried and len(spellings) == 1
    thin = thin and len(text) > BLOCK
    parsed = (_block(block, sample, layout, spellings) for block in text.blocks(sample.first))
    blocks = [_thinned(each) if thin else each for each in parsed]
    times = [_joined(each) for each in zip(*(block.times for block in blocks), strict=True)]

    def raw(line: int) -> str:
        return text.lines(line, line)[0][:300]

    line = np.concatenate([b.line for b in blocks])
    chosen = times[0] if len(times) == 1 else _of_better_order(times, blocks, sample.first)
    values = {role: np.concatenate([b.values[role] for b in blocks]) for role in blocks[0].values}
    symbols, symbol = coded([b.symbols for b in blocks]) if layout.symbol is not None else ((), None)
    rows = new_rows(line, chosen, values, raw, symbols=symbols, symbol=symbol)
    return rows.flagged(np.concatenate([b.short for b in blocks]), "has too few columns or digits: truncated?")


@dataclass(frozen=True, eq=False)
class _Parsed:
    """The rows of one block: their times under each possible spelling, and how the first one is written.

    ``dotted``: whether a time begins with two digits and a point, as only times that begin with the day do.
    """

    line: Ints
    times: tuple[Times, ...]
    written: str
    dotted: bool
    values: dict[str, Floats]
    short: Flags
    symbols: pl.Series | None


def _block(block: Block, sample: Sample, layout: Layout, spellings: Sequence[Spelling | SinceMidnight]) -> _Parsed:
    line = np.arange(block.first, block.first + len(block))
    fields = _regular_fields(block, sample, layout)
    short = np.zeros(len(line), np.bool_)
    if fields is None:
        lines = pl.Series(block.lines(), dtype=pl.String)
        filled = (lines.str.strip_chars() != "").to_numpy()
        if not filled.all():
            lines, line = lines.filter(pl.Series(filled)), line[filled]
        fields = _split_fields(lines, sample, layout)
        short = _short(lines, fields, sample, layout)
    last = _last_price(sample, layout)
    if last is not None:
        short = short | _fewer_decimals(fields[last], sample)
    written = _written(fields, layout)
    return _Parsed(
        line,
        tuple(each.parse(written) for each in spellings),
        str(written[0]) if len(written) else "",
        len(spellings) > 1 and bool(written.str.contains(r"^\d\d\.").any()),
        {role: _number(fields[place], sample.comma) for role, place in _numeric(layout).items()},
        short,
        fields[layout.symbol] if layout.symbol is not None else None,
    )


def _thinned(block: _Parsed) -> _Parsed:
    """A block of ticks with those that decide a minute's bar."""
    (times,), values = block.times, block.values
    if not len(block.line):
        return replace(block, values=values | {WEIGHT: np.zeros(0)})
    kept, weight = kept_ticks(block.line, times.local, times.offset, values["bid"], values.get("ask"), block.short)
    offset = None if times.offset is None else times.offset[kept]
    return replace(
        block,
        line=block.line[kept],
        times=(Times(times.local[kept], offset),),
        values={role: column[kept] for role, column in values.items()} | {WEIGHT: weight},
        short=block.short[kept],
    )


# -- fields ----------------------------------------------------------------------------------------------------------


def _regular_fields(block: Block, sample: Sample, layout: Layout) -> Fields | None:
    """The fields that ``layout`` uses if every line of ``block`` has as many as the sample, as csv readers expect.

    Numbers are read at once, except the last column's prices, whose decimals count. None where a line differs or a
    number takes care: decimal commas, quotes, spaces, words.
    """
    if sample.comma or sample.quoted or block.count(sample.separator) != (sample.width - 1) * len(block):
        return None
    numeric = set(_numeric(layout).values()) - {_last_price(sample, layout)}
    kinds = {str(at): pl.Float64 if at in numeric else pl.String for at in range(sample.width)}
    try:
        frame = pl.read_csv(
            block.data, has_header=False, separator=sample.separator, schema=kinds, quote_char=None
        ).fill_null("")
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    if frame.height != len(block):
        return None
    return {at: frame[str(at)] if at in numeric else frame[str(at)].str.strip_chars() for at in _used(layout)}


def _split_fields(lines: pl.Series, sample: Sample, layout: Layout) -> Fields:
    """The fields that ``layout`` uses, as text; null where a line has too few."""
    places = _used(layout)
    if sample.quoted:
        lines = lines.str.replace_all('"', "", literal=True)
    split = lines.str.split_exact(sample.separator, max(1, *places)).struct.unnest()
    return {at: split[f"field_{at}"].str.strip_chars() for at in places}


def _used(layout: Layout) -> set[int]:
    symbol = set() if layout.symbol is None else {layout.symbol}
    return _needed(layout) | set(_numeric(layout).values()) | symbol


def _needed(layout: Layout) -> set[int]:
    return {*layout.time, *(layout.places[role] for role in layout.prices)}


def _numeric(layout: Layout) -> dict[str, int]:
    return {**layout.places, **({} if layout.ticks is None else {"ticks": layout.ticks})}


def _last_price(sample: Sample, layout: Layout) -> int | None:
    """The place of the last column if it is a price."""
    last = sample.width - 1
    return last if last in {layout.places[role] for role in layout.prices} else None


def _number(field: pl.Series, comma: bool) -> Floats:
    """Numbers, NaN where there are none; the rules distinguish "nan" from "inf"."""
    plain = field
    if comma:  # points are then thousands separators
        grouped = pl.when(field.str.contains(r"^-?\d{1,3}(\.\d{3})+(,|$)")).then(
            field.str.replace_all(".", "", literal=True)
        )
        plain = pl.select(grouped.otherwise(field)).to_series().str.replace(",", ".", literal=True)
    return plain.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()


# -- lines that were cut -------------------------------------------------------------------------------------------


def _short(lines: pl.Series, fields: Fields, sample: Sample, layout: Layout) -> Flags:
    """Lines that lack a time or a price, or have fewer fields than nearly all others."""
    short = np.logical_or.reduce([fields[place].is_null().to_numpy() for place in sorted(_needed(layout))])
    if not sample.quoted:
        short |= _fewer_than_usual(lines.str.count_matches(sample.separator, literal=True))
    return np.asarray(short)


def _fewer_decimals(last: pl.Series, sample: Sample) -> Flags:
    """Which prices at the end of a line have fewer decimals than nearly all others."""
    point = last.str.find("," if sample.comma else ".", literal=True)
    return _fewer_than_usual(last.str.len_bytes() - point)


def _fewer_than_usual(counts: pl.Series) -> Flags:
    """Which counts are below, or not there, where nearly all are the same; none where they vary."""
    found = counts.cast(pl.Int64).fill_null(-1).to_numpy()
    usual = int(np.bincount(found + 1).argmax()) - 1
    lower = found < usual
    return lower if (found == usual).mean() >= _UNIFORM else np.zeros(len(found), np.bool_)


# -- times -----------------------------------------------------------------------------------------------------------


def _spellings(sample: Sample, layout: Layout) -> tuple[Spelling | SinceMidnight, ...]:
    """How the times are spelled: two ways where day and month could be in either order."""
    if layout.midnight is not None:
        return (SinceMidnight(layout.midnight),)
    head = [" ".join(row[p] for p in layout.time) for row in sample.rows if len(row) > max(layout.time)]
    spelling = spelling_of(head)
    other = other_order(spelling)
    return (spelling,) if other is None else (spelling, other)


def _written(fields: Fields, layout: Layout) -> pl.Series:
    first, *rest = (fields[place] for place in layout.time)
    if layout.midnight is not None:
        return first
    for each in rest:
        first = first + " " + each
    return first


def _joined(parts: Sequence[Times]) -> Times:
    offsets = [part.offset for part in parts if part.offset is not None]
    return Times(np.concatenate([part.local for part in parts]), np.concatenate(offsets) if offsets else None)


def _of_better_order(times: Sequence[Times], blocks: Sequence[_Parsed], line: int) -> Times:
    """The times under the order of day and month that the whole file supports."""
    locals_ = [each.local for each in times]
    return times[better_order(locals_, any(block.dotted for block in blocks), blocks[0].written, line)]
