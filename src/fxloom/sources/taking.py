"""Accepts one file, whose rows are checked and converted to minute bars in UTC, or refuses it with every reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from fxloom.sources.instrument import digits_of, price_range
from fxloom.sources.layout import Layout
from fxloom.sources.minutes import aggregated, bars_of, kind_of, mid_values, one_per_minute, step_of, without_constants
from fxloom.sources.options import ReadOptions
from fxloom.sources.parsing import Parsed
from fxloom.sources.placing import Timed, opened, timed_rows
from fxloom.sources.problems import (
    combined,
    contradiction_problem,
    date_problem,
    length_problem,
    most_rows_problem,
    pair_problem,
    price_problem,
    side_problem,
)
from fxloom.sources.records import Quarantined, Refused, SourceFile, Zone
from fxloom.sources.rows import GOOD, Rows
from fxloom.sources.rules import judged
from fxloom.sources.scale import jump_notes, jump_problem, off_level, spread_in_prices, spread_problem
from fxloom.sources.times import MISSING
from fxloom.sources.walk import Entry


@dataclass
class Known:
    """What is known about a file so far, for a refusal to report."""

    format: str | None = None
    pair: str | None = None
    kind: str | None = None
    side: str | None = None
    digits: int = 5
    zone: Zone | None = None
    quarantined: tuple[Quarantined, ...] = ()


def take(entry: Entry, source: Parsed, options: ReadOptions, known: Known) -> SourceFile:
    """The file's bars. Raises ``Refused`` with all problems at once, so that users need not fix them one by one."""
    layout, known.format, known.pair = source.layout, source.layout.format, source.pair
    rows = judged(_completed(source.rows, layout), layout, *price_range(known.pair))
    known.digits, known.side = _digits(rows, layout), _side_of(layout, entry.hints)
    rows, notes = spread_in_prices(rows, layout, known.digits)
    known.quarantined = rows.quarantined()
    good, timely = rows.take(rows.fault == GOOD), rows.take(rows.local != MISSING)
    step = 0 if layout.are_ticks else step_of(timely.local)
    known.kind = kind_of(layout, step, known.side)
    problems = [*pair_problem(known.pair, entry.hints[0]), *price_problem(rows, layout, known.pair)]
    problems = problems or most_rows_problem(known.quarantined, rows.count())
    problems += [*length_problem(known.kind, step), *side_problem(known.side), *date_problem(timely.local)]
    problems += spread_problem(rows, layout)
    timed = timed_rows(good if len(good) else timely, layout, options, step, problems)
    if timed is not None:
        known.zone = timed.zone
        if timed.filler.any():  # minutes of filler can make coarse bars look like minute bars
            real = step_of(timed.utc[~timed.filler])
            problems += length_problem(kind_of(layout, real, known.side), real)
        timed = off_level(timed, layout)
        problems += jump_problem(timed, layout)
        notes += jump_notes(timed, layout)
    if problems or timed is None:
        raise combined(problems)
    timed = opened(timed, layout, options)
    return _finished(entry, rows, layout, step, replace(timed, notes=(*timed.notes, *notes)), known)


def _completed(rows: Rows, layout: Layout) -> Rows:
    """``rows`` with tick volume where the volume is 0, and quotes carried forward where the format omits them."""
    values = dict(rows.values)
    if "ticks" in values:
        ticks = values.pop("ticks")
        volume = values["volume"]
        values["volume"] = np.where((volume == 0) | np.isnan(volume), ticks, volume)
    for role in layout.prices if layout.carried else ():
        column = values[role]
        last = np.maximum.accumulate(np.where(np.isnan(column), 0, np.arange(len(column))))
        values[role] = column[last]
    return replace(rows, values=values)


def _digits(rows: Rows, layout: Layout) -> int:
    """The decimals of the good rows' prices, 5 without good rows."""
    good = rows.fault == GOOD
    prices = np.concatenate([rows.values[role][good][:20_000] for role in layout.prices])
    return digits_of(prices) if len(prices) else 5


def _side_of(layout: Layout, hints: tuple[str, ...]) -> str | None:
    """The side of plain bars according to their columns, the file's name or its folder."""
    if layout.what != "bars" or layout.one_side:
        return layout.one_side
    for hint in hints[:2]:
        said = set(re.findall(r"(?<![a-z])(bid|ask|mid)(?![a-z])", hint.lower()))
        if said:
            return said.pop() if len(said) == 1 else None
    return None


def _finished(entry: Entry, rows: Rows, layout: Layout, step: int, timed: Timed, known: Known) -> SourceFile:
    usable = (timed.rows.fault == GOOD) & ~timed.filler
    kept, ts = timed.rows.take(usable), timed.ts[usable]
    identical = 0
    late: tuple[Quarantined, ...] = ()
    if not layout.are_ticks:
        kept, again = one_per_minute(kept, ts if step == 60 else timed.utc[usable])
        identical, late = int(again.sum()), kept.quarantined()
        fresh = (kept.fault == GOOD) & ~again
        ts, kept = ts[fresh], kept.take(fresh)
    values = mid_values(kept.values, layout)
    if step != 60:
        ts, values = aggregated(ts, values)
    bad = (*known.quarantined, *timed.rows.quarantined(), *late)
    copies = timed.rows.line[timed.filler]
    if problems := most_rows_problem(bad, rows.count() - len(copies)) or contradiction_problem(late, len(kept)):
        known.quarantined = bad
        raise combined(problems)
    if not len(ts) or known.pair is None or known.kind is None:
        raise Refused("holds nothing but filler", "export it again")
    values, notes = without_constants(values, layout)
    return SourceFile(
        entry.name, layout.format, known.pair, known.kind, bars_of(ts, values), timed.zone, known.digits,
        "mid" if layout.side == "mid" or known.side == "mid" else "bid", rows.count(), len(copies),
        tuple(f"line {line}: {rows.raw(int(line))}" for line in copies[:3]), identical,
        tuple(sorted(bad, key=lambda q: q.line)), (*timed.notes, *notes),
    )  # fmt: skip
