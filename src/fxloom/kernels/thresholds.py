"""Whether a value lies above a quantile of its window, by counting instead of sorting."""

from __future__ import annotations

import numpy as np

from fxloom.bars import Floats
from fxloom.kernels.jit import jit


@jit
def between(past: Floats, limit: float, part: float) -> float:
    """The value ``part`` of the way from the highest value below ``limit`` to the lowest that is not."""
    low, high = -np.inf, np.inf
    for value in past:
        if value < limit:
            low = max(low, value)
        else:
            high = min(high, value)
    return low + (high - low) * part


@jit
def above_quantile(y: Floats, window: int, q: float, tolerance: float) -> Floats:
    """1 where y[t] >= 0 is above the q-quantile of its window by more than ``tolerance`` times it, else 0.

    The quantile interpolates linearly; missing in the first window - 1 rows and where the window holds a NaN.
    How many values lie below y[t] decides nearly every row, and counting fills vector lanes: a fifth of the cost of
    keeping the window in order. Only where y[t] falls between the two values about the quantile is it needed.
    """
    n = len(y)
    out, present = np.full(n, np.nan), 0
    place = q * (window - 1)
    lower = int(np.floor(place))
    for t in range(n):
        present = present + 1 if y[t] == y[t] else 0
        if present < window:
            continue
        limit, past = y[t] / (1.0 + tolerance), y[t - window + 1 : t + 1]
        below = 0
        for i in range(window):
            below += 1 if past[i] < limit else 0
        if below == lower + 1:
            quantile = between(past, limit, place - lower)
            out[t] = 1.0 if y[t] - quantile > tolerance * quantile else 0.0
        else:
            out[t] = 1.0 if below > lower else 0.0
    return out
