"""Moments across the members of a set, bar by bar."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.kernels.flatness import is_constant
from fxloom.kernels.jit import jit


@jit
def set_moments(values: Floats, present: Flags, members: Ints, signs: Floats) -> tuple[Floats, Floats, Floats]:
    """Number, mean and standard deviation (ddof 1) of signed ``values`` over the members present at each bar.

    ``values`` and ``present`` (pairs, n); ``members`` (sets, k) rows of ``values``, -1 where a set is shorter;
    ``signs`` alike. Returns arrays (sets, n); the mean of none and the deviation of fewer than two are NaN, that of
    equal values is exactly 0.
    """
    n = values.shape[1]
    count, mean, std = np.zeros((len(members), n)), np.zeros((len(members), n)), np.zeros((len(members), n))
    high, low = np.empty(n), np.empty(n)
    for s in range(len(members)):
        high[:], low[:] = -np.inf, np.inf
        for k in range(members.shape[1]):
            if members[s, k] >= 0:
                add(values[members[s, k]], present[members[s, k]], signs[s, k], count[s], mean[s], high, low)
        for t in range(n):
            mean[s, t] = mean[s, t] / count[s, t] + 0.0 if count[s, t] > 0.0 else np.nan
        for k in range(members.shape[1]):
            if members[s, k] >= 0:
                add_squares(values[members[s, k]], present[members[s, k]], signs[s, k], mean[s], std[s])
        for t in range(n):
            spread = 0.0 if is_constant(high[t], low[t]) else np.sqrt(std[s, t] / (count[s, t] - 1.0))
            std[s, t] = spread if count[s, t] > 1.0 else np.nan
    return count, mean, std


@jit
def add(y: Floats, present: Flags, sign: float, count: Floats, total: Floats, high: Floats, low: Floats) -> None:
    """Add one member to the counts, sums and extremes."""
    for t in range(len(y)):
        value = sign * y[t]
        known = present[t] and value == value
        count[t] += 1.0 if known else 0.0
        total[t] += value if known else 0.0
        high[t] = max(high[t], value) if known else high[t]
        low[t] = min(low[t], value) if known else low[t]


@jit
def add_squares(y: Floats, present: Flags, sign: float, mean: Floats, ssd: Floats) -> None:
    """Add one member to the squared deviations."""
    for t in range(len(y)):
        deviation = sign * y[t] - mean[t]
        ssd[t] += deviation * deviation if present[t] and deviation == deviation else 0.0
