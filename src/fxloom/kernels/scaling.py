"""How the spread of changes grows with their length."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit
from fxloom.kernels.moments import rolling_std
from fxloom.kernels.tolerances import ZERO_CHANGE


@jit
def changes_over(x: Floats, k: int) -> Floats:
    """x[t] - x[t-k] (n); below 1e-12 of x exactly 0; NaN in the first k rows."""
    out = np.full(len(x), np.nan)
    for t in range(k, len(x)):
        change = x[t] - x[t - k]
        out[t] = 0.0 if abs(change) < ZERO_CHANGE * abs(x[t]) else change
    return out


@jit
def hurst(x: Floats, window: int, scales: int) -> Floats:
    """The slope of ln std on ln k (n), std that of the overlapping k-bar changes inside each window of values.

    k = 1, 2, 4, ..., 2^(scales - 1). NaN in the first window - 1 rows and where a std is 0. Source: Di Matteo (2007).
    """
    n = len(x)
    slope = np.zeros(n)
    middle = (scales - 1) / 2.0
    squares = scales * (scales * scales - 1.0) / 12.0 * np.log(2.0)
    for j in range(scales):
        k = 2**j
        std = rolling_std(changes_over(x, k), window - k)
        for t in range(n):
            if std[t] > 0.0:
                slope[t] += (j - middle) * np.log(std[t]) / squares
            else:
                slope[t] = np.nan
    slope[: min(window - 1, n)] = np.nan
    return slope


@jit
def crossings(x: Floats, level: Floats) -> Floats:
    """1 at bars at which x went from one side of ``level`` to the other, else 0 (n); within 1e-12 is on no side."""
    n = len(x)
    out, before = np.full(n, np.nan), np.nan
    for t in range(n):
        gap = x[t] - level[t]
        side = 0.0 if abs(gap) < ZERO_CHANGE * abs(x[t]) else gap
        if side * before < 0.0:
            out[t] = 1.0
        elif side == side and before == before:
            out[t] = 0.0
        before = side
    return out
