"""The highest and lowest value of rolling windows, and how long ago they were."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit


@jit
def higher(a: float, b: float) -> float:
    """The larger of two; missing if either is."""
    return a if a > b or a != a else b


@jit
def rolling_max(y: Floats, window: int) -> Floats:
    """The highest value of each window (n); NaN in the first window - 1 rows and where the window holds a NaN.

    Three comparisons per row (van Herk 1992): the highest from the left and from the right within stretches of
    ``window`` rows. Comparisons are exact, so the result does not depend on where the stretches begin.
    """
    n = len(y)
    out, right = np.full(n, np.nan), np.empty(n)
    for begin in range(0, n, window):
        end = min(begin + window, n)
        best = y[end - 1]
        for t in range(end - 1, begin - 1, -1):
            best = higher(best, y[t])
            right[t] = best
    left = -np.inf
    for t in range(n):
        left = y[t] if t % window == 0 else higher(left, y[t])
        if t >= window - 1:
            out[t] = higher(left, right[t - window + 1]) + 0.0  # -0 and 0 are one value
    return out


@jit
def rolling_min(y: Floats, window: int) -> Floats:
    """The lowest value of each window; as ``rolling_max``."""
    return 0.0 - rolling_max(-y, window)


@jit
def bars_since_max(y: Floats, window: int) -> Floats:
    """Bars since the latest occurrence of the highest value of each window (n), 0 to window - 1.

    NaN in the first window - 1 rows and where the window holds a NaN. ``rows`` is a ring buffer of the rows that may
    still become the highest, with values that fall from oldest to newest.
    """
    n = len(y)
    out, rows = np.full(n, np.nan), np.empty(window, np.int64)
    oldest, size, known = 0, 0, 0
    for t in range(n):
        if np.isnan(y[t]):
            size, known = 0, 0
            continue
        known += 1
        if size > 0 and rows[oldest] <= t - window:
            oldest = (oldest + 1) % window
            size -= 1
        while size > 0 and y[rows[(oldest + size - 1) % window]] <= y[t]:
            size -= 1
        rows[(oldest + size) % window] = t
        size += 1
        if known >= window:
            out[t] = t - rows[oldest]
    return out


@jit
def bars_since_min(y: Floats, window: int) -> Floats:
    """Bars since the latest occurrence of the lowest value of each window; as ``bars_since_max``."""
    return bars_since_max(-y, window)
