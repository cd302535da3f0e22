"""Single bars of which every price is off, between neighbours that agree with one another.

A market that falls and comes back is seen on its way: minutes of its fall are wide, those around them too, and they
last (EURCHF on 2015-01-15 for an hour, GBPUSD on 2016-10-07 and AUDJPY on 2019-01-02 for some ten minutes). A bar that
lies apart from calm bars on both sides, no price between it and them, was never traded.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints

APART = 0.01  # distance of a spike's range from those of both neighbours, at least
_USUAL = 25  # the same, in usual moves from one bar to the next of this file
_CALM = 4  # how many times farther a spike lies than the bars around it, and its own prices, from one another
_AROUND = 3  # bars before and after that have to be calm
_NEAR = 10  # minutes within which they lie


def spikes(ts: Ints, high: Floats, low: Floats) -> Flags:
    """Which of the bars, sorted by minute, are spikes. A first or last bar is none."""
    found = np.zeros(len(ts), np.bool_)
    if len(ts) < 3:
        return found
    top, bottom = np.log(high), np.log(low)
    above = np.minimum(bottom[1:-1] - top[:-2], bottom[1:-1] - top[2:])
    below = np.minimum(bottom[:-2] - top[1:-1], bottom[2:] - top[1:-1])
    apart = np.append(np.append(0.0, np.maximum(above, below)), 0.0)
    usual = float(np.median(np.abs(np.diff((top + bottom) / 2))))
    for i in np.flatnonzero(apart >= max(np.log1p(APART), _USUAL * usual)).tolist():
        first, last = max(i - _AROUND, 0), i + _AROUND + 1
        around = np.append(np.arange(first, i), np.arange(i + 1, min(last, len(ts))))
        around = around[np.abs(ts[around] - ts[i]) <= _NEAR]
        both = len(around) and around[0] < i < around[-1]
        wide = max(top[around].max() - bottom[around].min(), top[i] - bottom[i]) if both else np.inf
        found[i] = _CALM * wide <= apart[i]
    return found
