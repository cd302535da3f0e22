"""Finds problems for which a whole file is refused, each with what to do about it."""

from __future__ import annotations

import datetime as dt
import itertools

import numpy as np

from fxloom.bars.bars import Ints
from fxloom.bars.clock import DAY
from fxloom.bars.runs import distinct
from fxloom.sources.instrument import no_pair, price_range
from fxloom.sources.layout import Layout
from fxloom.sources.records import Quarantined, Refused
from fxloom.sources.rows import Rows
from fxloom.sources.times import MINUTE, MISSING

_NEXT_TO = 4  # days between successive trading days: a weekend and a holiday
_ISOLATED = 20  # days without bars on both sides of an isolated day
_REPEATED = 60  # minutes of an hour that the clocks repeat: no more than that is not a second feed


def pair_problem(pair: str | None, name: str) -> list[Refused]:
    """A file that nothing assigns to a pair."""
    return [] if pair else [Refused(no_pair(name), "if it holds one, pass it, such as --pair eurusd")]


def price_problem(rows: Rows, layout: Layout, pair: str | None) -> list[Refused]:
    """A file most of whose prices are outside the range of its pair, or of any pair."""
    low, high = price_range(pair)
    column = rows.values[layout.prices[-1]]
    out = (column < low) | (column > high)
    if 2 * rows.count(out) <= rows.count():
        return []
    example = column[int(np.argmax(out))]
    known = f"{pair}, which has been between {low:g} and {high:g}" if pair else "any of the 28 pairs"
    reason = f"{rows.count(out):,} of its {rows.count():,} prices (such as {example:g}) are impossible for {known}"
    return [Refused(reason, "provide full prices of one of the 28 pairs")]


def most_rows_problem(bad: tuple[Quarantined, ...], rows: int) -> list[Refused]:
    """A file most of whose rows break a rule."""
    if not bad or 2 * len(bad) <= rows:
        return []
    reasons = [each.reason for each in bad]
    usual = max(set(reasons), key=reasons.count)
    first = bad[reasons.index(usual)]
    how_many = f"none of its {rows:,} rows is usable" if len(bad) == rows else (
        f"{len(bad):,} of its {rows:,} rows break a rule")  # fmt: skip
    return [Refused(f"{how_many} (mostly: {usual})", "check its columns, or export it again", first.line)]


def contradiction_problem(late: tuple[Quarantined, ...], bars: int) -> list[Refused]:
    """A file that repeats most of its ``bars`` with other prices."""
    if len(late) <= _REPEATED or 2 * len(late) <= bars:
        return []
    reason = f"{len(late):,} rows contradict earlier rows of the same time, for only {bars:,} bars"
    return [Refused(f"{reason}: two feeds, sides or zones in one file?", "separate them", late[0].line)]


def length_problem(kind: str, step: int) -> list[Refused]:
    """Bars that are longer than a minute."""
    return [Refused(f"{kind}: coarser than a minute", "export one-minute bars")] if step > 60 else []


def side_problem(side: str | None) -> list[Refused]:
    """A file of ask bars only, which differ from bid bars by an unknown spread."""
    return [Refused("ask bars only", "provide bid bars, or a file with both")] if side == "ask" else []


def date_problem(local: Ints) -> list[Refused]:
    """A file with days and months swapped: isolated days, exactly a month apart.

    ``local``: microseconds. Swapped, the 2nd to 12th of a month become one day in each of 11 months.
    """
    days = distinct(local[local != MISSING] // (DAY * MINUTE))
    gaps = np.diff(days)
    isolated = days[(np.append(_ISOLATED, gaps) >= _ISOLATED) & (np.append(gaps, _ISOLATED) >= _ISOLATED)]
    dates = [dt.date(1970, 1, 1) + dt.timedelta(days=int(day)) for day in isolated]
    pairs = [
        (one, two) for one, two in itertools.pairwise(dates)
        if one.day == two.day and (two.year - one.year) * 12 + two.month - one.month == 1
    ]  # fmt: skip
    moved = _next_to_others(dates, days)
    if not pairs and not moved:
        return []
    if pairs:
        found = f"isolated days exactly a month apart ({' and '.join(str(date) for date in pairs[0])})"
    else:
        found = f"an isolated day ({moved[0][0]}) that would be next to the others as {moved[0][1]}"
    return [Refused(f"holds {found}: were day and month swapped?", "export it again with dates as 2018-02-05")]


def _next_to_others(isolated: list[dt.date], days: Ints) -> list[tuple[dt.date, dt.date]]:
    """Isolated days that would be next to the file's other days with day and month swapped, each with that date."""
    found = []
    for date in isolated:
        if date.day <= 12 and date.day != date.month:
            other = dt.date(date.year, date.day, date.month)
            distance = np.abs(days - (other - dt.date(1970, 1, 1)).days)
            if distance.min() <= _NEXT_TO:
                found.append((date, other))
    return found


def combined(problems: list[Refused]) -> Refused:
    """One refusal for several reasons, with what to do about each."""
    advice = dict.fromkeys(problem.advice for problem in problems if problem.advice)
    return Refused("; ".join(p.reason for p in problems), "; ".join(advice), problems[0].line)
