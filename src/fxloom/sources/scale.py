"""Finds wrong units: bars far from their neighbours, and spreads that are not in units of the price."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fxloom.bars.bars import Flags, Floats
from fxloom.bars.clock import DAY
from fxloom.bars.months import iso
from fxloom.sources.layout import BARS, Layout
from fxloom.sources.minutes import mid_values
from fxloom.sources.placing import Timed
from fxloom.sources.records import Refused
from fxloom.sources.rows import GOOD, Rows
from fxloom.sources.spikes import APART, spikes

# The widest moves on record within minutes: EURCHF on 2015-01-15 (30 % through traded prices, of which some 15 % were a
# lasting gap in quotes), GBPUSD on 2016-10-07 and AUDJPY on 2019-01-02 (9 % and 7 %, both reversed).
OFF = 0.10  # bars whose range is this far from their neighbours' are quarantined if prices come back
OFF_FOR_GOOD = 0.30  # the limit for a lasting jump: no pair has ever jumped this far within minutes
WICK = 0.20  # distance of a high or low from the bar's own body and from its neighbours
FEW = 0.05  # with a larger share of bars off their level, the file is refused instead of quarantining them
ENDS = 3  # up to this many bars off their level at an end of a file do not count as a level of their own
_LONGEST_GAP = 7 * DAY  # minutes; prices before and after a longer gap are not compared

WIDEST, USUAL = 0.05, 0.0025  # shares of the price: the widest spread of a row, and the widest median spread of a file
POINTS_NOTE = "the spread is in whole numbers: read as points of the last digit"


def off_level(timed: Timed, layout: Layout) -> Timed:
    """``timed``, flagging rows whose prices are far from their neighbours' and then come back.

    Ticks are not judged as spikes: in a disorderly market, the quotes of several banks alternate.
    """
    rows = np.flatnonzero((timed.rows.fault == GOOD) & ~timed.filler)
    if len(rows) < 3:
        return timed
    values = mid_values(timed.rows.values, layout)
    opened, high, low, close = (values[role][rows] for role in BARS)
    off = _apart(timed, rows, high, low) > np.log1p(OFF)
    off &= off.sum() <= max(FEW * len(rows), 1.0)
    above = np.maximum.reduce([opened, close, np.append(high[1:], high[-2]), np.append(high[1], high[:-1])])
    below = np.minimum.reduce([opened, close, np.append(low[1:], low[-2]), np.append(low[1], low[:-1])])
    wick = ~off & ((high > above * (1 + WICK)) | (low < below / (1 + WICK)))
    lone = np.zeros(len(rows), np.bool_)
    if not layout.are_ticks:
        near = np.flatnonzero(~off & ~wick)
        ts = timed.ts[rows[near]]
        first = np.append(True, ts[1:] != ts[:-1])[: len(ts)]  # a row that is repeated is not its own neighbour
        once = near[first]
        lone[near] = spikes(ts[first], high[once], low[once])[np.cumsum(first) - 1]
    flagged = timed.rows
    for which, reason in ((off, f"its prices are more than {OFF:.0%} away from its neighbours'"),
                          (wick, f"its high or low is more than {WICK:.0%} away from its neighbours'"),
                          (lone, f"it alone is more than {APART:.0%} off its neighbours, which agree")):  # fmt: skip
        flagged = flagged.flagged(_flags(len(timed.rows), rows[which]), reason)
    return replace(timed, rows=flagged)


def jump_problem(timed: Timed, layout: Layout) -> list[Refused]:
    """A file whose prices jump to another scale and stay there."""
    rows = np.flatnonzero((timed.rows.fault == GOOD) & ~timed.filler)
    if len(rows) < 3:
        return []
    values = mid_values(timed.rows.values, layout)
    apart = _apart(timed, rows, values["high"][rows], values["low"][rows], ends=0)
    if not (off := apart > np.log1p(OFF_FOR_GOOD)).any():
        return []
    first = rows[np.argmax(off)]
    reason = (
        f"prices jump by {np.expm1(apart[off].max()):.0%} from one bar to the next: {int(off.sum()):,} of "
        f"{len(rows):,} are on another scale (such as {values['close'][first]:g} at {iso(int(timed.ts[first]))} UTC)"
    )
    return [Refused(reason, "export it again, in one unit", int(timed.rows.line[first]))]


def jump_notes(timed: Timed, layout: Layout) -> tuple[str, ...]:
    """A note on the first lasting jump of prices, within a few days, that is not too wide to be real."""
    rows = np.flatnonzero((timed.rows.fault == GOOD) & ~timed.filler)
    if len(rows) < 2:
        return ()
    values = mid_values(timed.rows.values, layout)
    apart = np.log(values["open"][rows][1:] / values["close"][rows][:-1])
    far = np.flatnonzero((np.abs(apart) > np.log1p(OFF)) & (np.diff(timed.ts[rows]) <= _LONGEST_GAP))
    if not len(far):
        return ()
    before, after = rows[far[0]], rows[far[0] + 1]
    return (
        f"prices jump from {values['close'][before]:g} to {values['open'][after]:g} at {iso(int(timed.ts[after]))} UTC "
        "and stay there: kept as they are; check that this jump is real",
    )


def _apart(timed: Timed, rows: np.ndarray, high: Floats, low: Floats, ends: int = ENDS) -> Floats:
    """The distance (in logarithms, for ranges that do not touch) of each of ``rows`` from the level of most bars.

    The bars between two gaps are split where the ranges of neighbours lie more than ``OFF`` apart; a part's level is
    the sum of the jumps that lead to it from the part with most bars. Prices that never come back form a level of
    their own, unless they are at most ``ends`` bars.
    """
    up, down = np.log(low[1:] / high[:-1]), np.log(low[:-1] / high[1:])
    jump = np.where(up > np.log1p(OFF), up, np.where(down > np.log1p(OFF), -down, 0.0))
    gap = np.diff(timed.ts[rows]) > _LONGEST_GAP
    if not (jump[~gap] != 0).any():
        return np.zeros(len(rows))
    middle = np.log(high) / 2 + np.log(low) / 2
    out = np.zeros(len(rows))
    starts = np.append(0, np.flatnonzero(gap) + 1)
    for start, stop in zip(starts, np.append(starts[1:], len(rows)), strict=True):
        cuts = np.flatnonzero(jump[start : stop - 1]) + 1
        if len(cuts):
            out[start:stop] = _levels(middle[start:stop], cuts, ends)
    return out


def _levels(middle: Floats, cuts: np.ndarray, ends: int) -> Floats:
    first = np.append(0, cuts)
    sizes = np.diff(np.append(first, len(middle)))
    steps = np.append(0.0, middle[cuts] - middle[cuts - 1])
    level = np.cumsum(steps)
    main = int(np.argmax(sizes))
    distance = np.abs(level - level[main])
    same = distance <= np.log1p(OFF)
    if ends:  # bars before the first or after the last part on the main level never come back to it
        inside = np.flatnonzero(same)
        before, after = sizes[: inside[0]].sum(), sizes[inside[-1] + 1 :].sum()
        if before > ends:
            distance[: inside[0]] = 0.0
        if after > ends:
            distance[inside[-1] + 1 :] = 0.0
    return np.repeat(distance, sizes)


def spread_in_prices(rows: Rows, layout: Layout, digits: int) -> tuple[Rows, tuple[str, ...]]:
    """``rows`` with spreads in points converted to prices and implausible spreads flagged; notes for the user."""
    notes: tuple[str, ...] = ()
    spread = rows.values.get("spread")
    if layout.what == "bars" and spread is not None:
        known = spread[(rows.fault == GOOD) & ~np.isnan(spread)]
        whole = bool(len(known) and (known == np.rint(known)).all() and (known > 0).any())
        if layout.points or whole:
            rows = replace(rows, values=rows.values | {"spread": spread / 10.0**digits})
            notes = () if layout.points else (POINTS_NOTE,)
    relative = _relative_spread(rows, layout)
    if relative is not None and not spread_problem(rows, layout):
        rows = rows.flagged(relative > WIDEST, f"its spread is more than {WIDEST:.0%} of its price")
    return rows, notes


def spread_problem(rows: Rows, layout: Layout) -> list[Refused]:
    """A file whose spreads are mostly too wide, or too coarse, to be in units of the price."""
    relative = _relative_spread(rows, layout)
    if relative is None or not (known := (rows.fault == GOOD) & ~np.isnan(relative)).any():
        return []
    usual = float(np.median(relative[known]))
    coarse = layout.what == "bars" and _in_tenths(rows.values["spread"][known])
    if usual <= USUAL and not coarse:
        return []
    example = mid_values(rows.values, layout)["spread"][known][0]
    reason = f"its spreads (such as {example:g}, {1e4 * usual:,.0f} bp of the price) are not in units of the price"
    return [Refused(reason, "provide them in units of the price or in whole points, or omit the column")]


def _in_tenths(spread: Floats) -> bool:
    """Whether all spreads have one decimal: pips do, prices never, since 0.1 in a yen pair is ten pips."""
    tenths = spread * 10
    return bool((spread > 0).any() and (np.abs(tenths - np.rint(tenths)) < 1e-6).all())


def _relative_spread(rows: Rows, layout: Layout) -> Floats | None:
    """Spread divided by price, NaN where one is missing; None without spreads."""
    if layout.what != "ticks" and layout.what != "quoted bars" and "spread" not in rows.values:
        return None
    values = mid_values(rows.values, layout)
    with np.errstate(all="ignore"):
        return np.asarray(values["spread"] / values["close"])


def _flags(size: int, where: np.ndarray) -> Flags:
    flags = np.zeros(size, np.bool_)
    flags[where] = True
    return flags
