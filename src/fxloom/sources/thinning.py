"""Ticks of large files reduced, block by block, to those that decide a minute's bar: first, last, highest, lowest.

A year of ticks has some 30 million rows and 374,000 minutes. Only uneventful runs of ticks are reduced; a row that may
break a rule, or stands beside a jump, is kept with all others of its minute, so that the checks see what they need.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.bars.runs import run_starts
from fxloom.sources.times import MINUTE, MISSING

WEIGHT = "weight"  # role of the number of rows that a kept row stands for
_RANGE, _SPREAD = 0.02, 0.01  # of the price: the widest run, and the widest spread in it, that is uneventful


def kept_ticks(
    line: Ints, local: Ints, offset: Floats | None, bid: Floats, ask: Floats | None, bad: Flags
) -> tuple[Ints, Floats]:
    """Positions of the ticks to keep, ascending, and how many rows each of them stands for.

    ``local``: microseconds in the file's order; ``bad``: rows that are kept in any case. The first tick of a reduced
    run stands for its whole run, which has consecutive lines, and the others of that run for none.
    """
    with np.errstate(all="ignore"):
        mid = bid if ask is None else (bid + ask) / 2
        good = ~bad & (local != MISSING) & np.isfinite(mid) & (bid > 0)
        if ask is not None:
            good &= (ask >= bid) & (ask - bid <= _SPREAD * mid)
        starts = _starts(line, local, offset, good)
        sizes = np.diff(np.append(starts, len(line)))
        high, low = np.maximum.reduceat(mid, starts), np.minimum.reduceat(mid, starts)
        reduced = (sizes > 4) & good[starts] & (high <= low * (1 + _RANGE))
    run = np.repeat(np.arange(len(starts)), sizes)
    keep = ~reduced[run]
    keep[starts] = keep[starts + sizes - 1] = True
    for extreme in (high, low):
        at = np.flatnonzero((mid == extreme[run]) & reduced[run])
        keep[at[run_starts(run[at])]] = True
    weight = np.where(reduced[run], 0.0, 1.0)
    weight[starts] = np.where(reduced, sizes, 1)
    kept = np.flatnonzero(keep)
    return kept, weight[kept]


def _starts(line: Ints, local: Ints, offset: Floats | None, good: Flags) -> Ints:
    """Where runs begin: of good rows on consecutive lines, of one minute, in order of time."""
    fresh = np.ones(len(line), np.bool_)
    minute = local // MINUTE
    fresh[1:] = (minute[1:] != minute[:-1]) | (np.diff(line) != 1) | (local[1:] < local[:-1]) | ~(good[1:] & good[:-1])
    if offset is not None:
        fresh[1:] |= offset[1:] != offset[:-1]
    return np.flatnonzero(fresh)
