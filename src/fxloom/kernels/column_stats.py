"""One pass over a stored column: what the quality checks want to know of it."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Flags, Floats
from fxloom.kernels.jit import jit


@jit
def column_sums(column: Floats, due: Flags) -> Floats:
    """Counts and extremes of ``column``: due, finite and due, infinite, finite before due, lowest, highest, sum,
    sum of squares about the first finite value, first finite value, longest run of one value (rows), distinct > 1.
    """
    n_due = n_finite = n_infinite = early = run = longest = 0.0
    low, high, total, squares, first = np.inf, -np.inf, 0.0, 0.0, np.nan
    previous = np.nan
    for t in range(len(column)):
        value = column[t]
        n_due += due[t]
        if np.isnan(value):
            continue
        if np.isinf(value):
            n_infinite += 1
            continue
        if due[t]:
            n_finite += 1
        else:
            early += 1
        if np.isnan(first):
            first = value
        low, high = min(low, value), max(high, value)
        total += value - first
        squares += (value - first) ** 2
        run = run + 1.0 if value == previous else 1.0
        longest = max(longest, run)
        previous = value
    return np.array([n_due, n_finite, n_infinite, early, low, high, total, squares, first, longest])
