"""The clock: minutes of trading time, in which all windows are measured.

Between two observed bars at most 60 minutes apart the missing minutes are filled with flat bars at the last
close (volume 0, the last spread); a longer gap is a closure and takes no time at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fxloom.bars.bars import Bars, Floats, Ints

CLOSURE = 60  # minutes; a longer gap between observed bars is a closure
HOUR, DAY, WEEK = 60, 1440, 10_080  # minutes
FIRST_SUNDAY = 3 * DAY  # 1970-01-04 00:00 UTC


def clock_positions(ts: Ints) -> Ints:
    """The clock position of every observed bar, counted from the first.

    ``ts``: minutes since 1970, increasing (int64). Returns int64 of the same shape.

    >>> clock_positions(np.array([0, 1, 5, 65, 126]))
    array([ 0,  1,  5, 65, 66])
    """
    steps = np.diff(ts)
    positions = np.zeros(len(ts), np.int64)
    np.cumsum(np.where(steps <= CLOSURE, steps, 1), out=positions[1:])
    return positions


@dataclass(frozen=True, eq=False)
class ClockBars:
    """Bars on the clock: the observed ones and the filled minutes between them, all arrays of equal length.

    ``observed`` holds the positions of the observed bars; ``volume`` and ``spread`` may be None.
    """

    ts: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats | None
    spread: Floats | None
    observed: Ints

    def __len__(self) -> int:
        return len(self.ts)


def on_clock(bars: Bars) -> ClockBars:
    """``bars`` with the missing minutes of trading time filled: flat at the last close, volume 0, the last spread."""
    observed = clock_positions(bars.ts)
    n = int(observed[-1]) + 1 if len(observed) else 0
    source = np.zeros(n, np.int64)
    source[observed] = 1
    source = np.cumsum(source) - 1  # the observed bar that each clock bar comes from
    since = np.arange(n) - observed[source] if n else source
    close = bars.close[source]

    def filled(column: Floats) -> Floats:
        return np.where(since == 0, column[source], close)

    volume = None if bars.volume is None else np.where(since == 0, bars.volume[source], 0.0)
    spread = None if bars.spread is None else bars.spread[source]
    return ClockBars(
        bars.ts[source] + since, filled(bars.open), filled(bars.high), filled(bars.low), close, volume, spread, observed
    )
