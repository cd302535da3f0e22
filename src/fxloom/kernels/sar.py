"""Wilder's parabolic stop and reverse, as TA-Lib computes it."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit
from fxloom.kernels.recursion import first_present


@jit
def bar_of(side: float, high: Floats, low: Floats, t: int) -> tuple[float, float]:
    """Top and bottom of a bar as the position sees it: mirrored at 0 for a short one (side -1)."""
    if side > 0.0:
        return high[t], low[t]
    return -low[t], -high[t]


@jit
def first_side(high: Floats, low: Floats, t: int) -> float:
    """-1 (short) if the second bar moved down more than up, else 1 (long)."""
    up, down = high[t] - high[t - 1], low[t - 1] - low[t]
    return -1.0 if down > 0.0 and up < down else 1.0


@jit
def sar(high: Floats, low: Floats, step: float, limit: float) -> Floats:
    """The stop of every bar after the first: Wilder's parabola with acceleration ``step`` up to ``limit``.

    The first position takes the direction of the second bar's movement, and the far end of the first bar as its
    stop. The stop follows the extreme of the position and never enters the range of the last two bars; a bar that
    touches it reverses the position. Its memory has no fixed length: two histories agree from a common reversal on.
    Source: Wilder (1978), as in TA-Lib.
    """
    n = len(high)
    out = np.full(n, np.nan)
    start = first_present(high) + 1
    if start >= n:
        return out
    side = first_side(high, low, start)
    extreme, bottom = bar_of(side, high, low, start)
    stop, pace = bar_of(side, high, low, start - 1)[1], step
    for t in range(start, n):
        before = max(t - 1, start)  # the first position does not yet know the bar before
        top, bottom = bar_of(side, high, low, t)
        floor = min(bottom, bar_of(side, high, low, before)[1])
        if bottom <= stop:
            side = -side
            top, bottom = bar_of(side, high, low, t)
            floor = min(bottom, bar_of(side, high, low, before)[1])
            stop, extreme, pace = min(-extreme, floor), top, step
            out[t] = side * stop
        else:
            out[t] = side * stop
            if top > extreme:
                extreme, pace = top, min(pace + step, limit)
        stop = min(stop + pace * (extreme - stop), floor)
    return out
