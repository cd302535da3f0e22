"""How many quantiles of its own window a value exceeds, by counting instead of sorting."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit


@jit
def quantile_class(y: Floats, window: int, quantiles: Floats, tolerance: float) -> Floats:
    """How many of the window's ``quantiles`` y[t] >= 0 exceeds by more than ``tolerance``, relative (n).

    Quantiles interpolate linearly (NumPy's default). NaN in the first window - 1 rows and where the window holds a
    NaN. Unless the rank of y[t] is next to that of a quantile, counting the smaller values is enough.
    """
    n = len(y)
    out, known = np.full(n, np.nan), 0
    for t in range(n):
        known = known + 1 if y[t] == y[t] else 0
        if known < window:
            continue
        past, limit = y[t - window + 1 : t + 1], y[t] / (1.0 + tolerance)
        smaller = 0
        for i in range(window):
            smaller += 1 if past[i] < limit else 0
        exceeded = 0.0
        for q in quantiles:
            place = int(np.floor(q * (window - 1)))
            if smaller > place + 1:
                exceeded += 1.0
            elif smaller == place + 1:
                below, above = neighbours(past, limit)
                exceeded += 1.0 if below + (above - below) * (q * (window - 1) - place) < limit else 0.0
        out[t] = exceeded
    return out


@jit
def neighbours(values: Floats, limit: float) -> tuple[float, float]:
    """The largest value below ``limit`` and the smallest that is not."""
    below, above = -np.inf, np.inf
    for value in values:
        if value < limit:
            below = max(below, value)
        else:
            above = min(above, value)
    return below, above
