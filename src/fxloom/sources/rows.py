"""Parses the rows of one file: times, numbers, and the rule that each bad row breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.sources.layout import Layout
from fxloom.sources.records import Quarantined, Refused
from fxloom.sources.text import Sample, Text
from fxloom.sources.times import MISSING, Spelling, Times, other_order, spelling_of

GOOD = 0
_UNIFORM = 0.95  # share of lines with the same number of fields from which the others count as truncated
Faults = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows in the file's order: line, time (microseconds on the file's clock), stated offset, numbers by role.

    ``fault`` is 0 for a good row, otherwise an index into ``reasons``; ``raw`` returns a line's text. ``symbol`` is
    each row's index into ``symbols`` (-1: none), None if no column names the pair.
    """

    line: Ints
    local: Ints
    offset: Floats | None
    values: dict[str, Floats]
    fault: Faults
    reasons: tuple[str, ...]
    raw: Callable[[int], str]
    symbols: tuple[str, ...] = ()
    symbol: Ints | None = None

    def __len__(self) -> int:
        return len(self.line)

    def take(self, keep: Any) -> Rows:
        """The rows at ``keep`` (a mask or positions)."""
        return replace(
            self,
            line=self.line[keep],
            local=self.local[keep],
            offset=None if self.offset is None else self.offset[keep],
            values={role: column[keep] for role, column in self.values.items()},
            fault=self.fault[keep],
            symbol=None if self.symbol is None else self.symbol[keep],
        )

    def flagged(self, bad: npt.NDArray[np.bool_], reason: str) -> Rows:
        """These rows, with ``reason`` added to the ``bad`` ones that do not have a reason yet."""
        known = reason in self.reasons
        reasons = self.reasons if known else (*self.reasons, reason)
        fault = np.where(bad & (self.fault == GOOD), np.uint8(reasons.index(reason)), self.fault)
        return replace(self, fault=fault, reasons=reasons)

    def quarantined(self) -> tuple[Quarantined, ...]:
        """The bad rows, each with its line, text and reason."""
        return tuple(
            Quarantined(int(self.line[i]), self.raw(int(self.line[i])), self.reasons[self.fault[i]])
            for i in np.flatnonzero(self.fault)
        )


def new_rows(line: Ints, times: Times, values: dict[str, Floats], raw: Callable[[int], str], **more: Any) -> Rows:
    """New rows; those without a time are flagged."""
    fault = np.zeros(len(line), np.uint8)
    rows = Rows(line, times.local, times.offset, values, fault, ("",), raw, **more)
    return rows.flagged(times.local == MISSING, "its time does not parse")


def parse_text(text: Text, sample: Sample, layout: Layout) -> Rows:
    """Parse all rows of ``text`` from its first data line on, ignoring blank lines.

    Raises ``Refused`` if its times are in an unknown or ambiguous format.
    """
    spelling = _spelling(text, sample, layout)
    blocks = [_block(start, lines, sample, layout, spelling) for start, lines in text.blocks(sample.first)]

    def raw(line: int) -> str:
        return text.lines(line, line)[0][:300]

    line = np.concatenate([b.line for b in blocks])
    times = Times(
        np.concatenate([b.times.local for b in blocks]),
        np.concatenate([b.times.offset for b in blocks if b.times.offset is not None]) if spelling.offsets else None,
    )
    values = {role: np.concatenate([b.values[role] for b in blocks]) for role in blocks[0].values}
    symbols, symbol = coded([b.symbols for b in blocks]) if layout.symbol is not None else ((), None)
    rows = new_rows(line, times, values, raw, symbols=symbols, symbol=symbol)
    return rows.flagged(np.concatenate([b.short for b in blocks]), "has too few columns or digits: truncated?")


def coded(columns: list[pl.Series | None]) -> tuple[tuple[str, ...], Ints]:
    """The distinct symbols of a column given in chunks, and each row's index among them (-1: none)."""
    whole = pl.concat([column for column in columns if column is not None])
    symbols = tuple(whole.drop_nulls().unique().sort().to_list())
    places = whole.replace_strict(list(symbols), list(range(len(symbols))), default=-1, return_dtype=pl.Int64)
    return symbols, places.fill_null(-1).to_numpy()


@dataclass(frozen=True, eq=False)
class _Block:
    line: Ints
    times: Times
    values: dict[str, Floats]
    short: npt.NDArray[np.bool_]
    symbols: pl.Series | None


def _block(start: int, lines: list[str], sample: Sample, layout: Layout, spelling: Spelling) -> _Block:
    texts = pl.Series(lines, dtype=pl.String)
    numbers = np.arange(start, start + len(lines))
    filled = (texts.str.strip_chars() != "").to_numpy()
    if not filled.all():
        texts, numbers = texts.filter(pl.Series(filled)), numbers[filled]
    fields = _fields(texts, sample, layout)
    values = {role: _number(fields[place], sample.comma) for role, place in _numeric(layout).items()}
    short = np.logical_or.reduce([fields[place].is_null().to_numpy() for place in sorted(_needed(layout))])
    short |= _cut_short(texts, fields, sample, layout)
    times = _times(fields, layout, spelling)
    symbols = fields[layout.symbol] if layout.symbol is not None else None
    return _Block(numbers, times, values, short, symbols)


def _cut_short(texts: pl.Series, fields: dict[int, pl.Series], sample: Sample, layout: Layout) -> Flags:
    """Lines that end early: with fewer fields than the others, or in a price with fewer decimals."""
    cut = np.zeros(len(texts), np.bool_)
    if not sample.quoted:
        cut |= _fewer_than_usual(texts.str.count_matches(sample.separator, literal=True))
    last = fields.get(sample.width - 1)
    if last is not None and sample.width - 1 in {layout.places[role] for role in layout.prices}:
        point = last.str.find(",", literal=True) if sample.comma else last.str.find(".", literal=True)
        cut |= _fewer_than_usual(last.str.len_bytes() - point)
    return cut


def _fewer_than_usual(counts: pl.Series) -> Flags:
    """Which counts are missing or below the usual one, if nearly all are equal; none if they vary."""
    found = counts.cast(pl.Int64).fill_null(-1).to_numpy()
    usual = int(np.bincount(found + 1).argmax()) - 1
    lower = found < usual
    return lower if (found == usual).mean() >= _UNIFORM else np.zeros(len(found), np.bool_)


def _needed(layout: Layout) -> set[int]:
    return {*layout.time, *(layout.places[role] for role in layout.prices)}


def _numeric(layout: Layout) -> dict[str, int]:
    return {**layout.places, **({} if layout.ticks is None else {"ticks": layout.ticks})}


def _fields(texts: pl.Series, sample: Sample, layout: Layout) -> dict[int, pl.Series]:
    """The fields that the layout uses, stripped; null if a line has too few."""
    places = _needed(layout) | set(_numeric(layout).values())
    if layout.symbol is not None:
        places.add(layout.symbol)
    if sample.quoted:
        texts = texts.str.replace_all('"', "", literal=True)
    split = texts.str.split_exact(sample.separator, max(1, *places)).struct.unnest()
    return {place: split[f"field_{place}"].str.strip_chars() for place in places}


def _number(field: pl.Series, comma: bool) -> Floats:
    """Numbers, NaN if the text is not a number; infinities are kept, since they break another rule."""
    plain = field
    if comma:  # points are then thousands separators
        grouped = pl.when(field.str.contains(r"^-?\d{1,3}(\.\d{3})+(,|$)")).then(
            field.str.replace_all(".", "", literal=True)
        )
        plain = pl.select(grouped.otherwise(field)).to_series().str.replace(",", ".", literal=True)
    return plain.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()


def _times(fields: dict[int, pl.Series], layout: Layout, spelling: Spelling) -> Times:
    if layout.midnight is not None:
        return _since_midnight(fields[layout.time[0]], layout.midnight)
    return spelling.parse(_written(fields, layout))


def _since_midnight(texts: pl.Series, day: str) -> Times:
    """Milliseconds since midnight of ``day`` ("20140501") as times. Raises ``Refused`` if they are dates instead."""
    if (
        len(texts) > 1
        and texts.str.contains(r"^(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])( |$)").fill_null(False).all()
    ):
        reason = f"its times are dates (such as {texts[0]!r}), not milliseconds of a day: bars coarser than a minute"
        raise Refused(reason, "export one-minute bars")
    midnight = np.datetime64(f"{day[:4]}-{day[4:6]}-{day[6:]}", "us").astype(np.int64)
    since = texts.cast(pl.Int64, strict=False).fill_null(-1).to_numpy()
    fits = (since >= 0) & (since < 86_400_000)
    return Times(np.where(fits, midnight + np.where(fits, since, 0) * 1000, MISSING), None)


def _written(fields: dict[int, pl.Series], layout: Layout) -> pl.Series:
    first, *rest = (fields[place] for place in layout.time)
    for each in rest:
        first = first + " " + each
    return first


def _spelling(text: Text, sample: Sample, layout: Layout) -> Spelling:
    """The spelling of the file's times; the order of day and month is decided by all of them."""
    if layout.midnight is not None:
        return Spelling()
    head = [" ".join(row[p] for p in layout.time) for row in sample.rows if len(row) > max(layout.time)]
    spelling = spelling_of(head)
    other = other_order(spelling)
    if other is None:
        return spelling
    lines = pl.Series(text.lines(sample.first, len(text)), dtype=pl.String)
    return _settled_order(_written(_fields(lines, sample, layout), layout), spelling, other, sample.first)


def settled_spelling(written: pl.Series) -> Spelling:
    """The spelling of a whole column of times. Raises ``Refused`` if it is unknown or ambiguous."""
    spelling = spelling_of(written.drop_nulls().head(64).to_list())
    other = other_order(spelling)
    return spelling if other is None else _settled_order(written, spelling, other, 1)


def _settled_order(written: pl.Series, first: Spelling, other: Spelling, line: int) -> Spelling:
    """The order of day and month that parses more rows or, if equal, has fewer jumps in time.

    Raises ``Refused`` if that does not decide it.
    """
    scores = []
    for spelling in (first, other):
        local = spelling.parse(written).local
        known = local[local != MISSING]
        jumps = int((np.abs(np.diff(known)) > 4 * 86_400_000_000).sum())
        scores.append((len(known), -jumps))
    if scores[0] == scores[1] and not written.str.contains(r"^\d\d\.").any():
        advice = "write dates as 2018-02-05"
        raise Refused(f"day and month are ambiguous (as in {written[0]!r})", advice, line)
    return first if scores[0] >= scores[1] else other
