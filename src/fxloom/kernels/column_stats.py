"""One pass over a stored column: what the quality gates need to know about it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fxloom.bars.bars import Flags, Floats
from fxloom.kernels.jit import jit


class ColumnSums(NamedTuple):
    """Counts, extremes and sums of one column; extremes and sums are over its finite values."""

    due: int  # rows after warm-up
    finite: int  # rows after warm-up with a finite value
    infinite: int
    early: int  # finite values before the warm-up
    low: float  # inf if there is no finite value
    high: float  # -inf if there is no finite value
    total: float  # about the first finite value
    squares: float  # about the first finite value
    longest_run: int  # rows of the longest run of one value, missing rows left out


@jit
def column_sums(column: Floats, due: Flags) -> ColumnSums:
    """The sums of ``column`` (n), which is expected to have values at the rows ``due`` (n)."""
    n_due = finite = infinite = early = run = longest = 0
    low, high, total, squares = np.inf, -np.inf, 0.0, 0.0
    first = previous = np.nan
    for t in range(len(column)):
        value = column[t]
        n_due += 1 if due[t] else 0
        if np.isnan(value):
            continue
        if np.isinf(value):
            infinite += 1
            continue
        if due[t]:
            finite += 1
        else:
            early += 1
        if np.isnan(first):
            first = value
        low, high = min(low, value), max(high, value)
        total += value - first
        squares += (value - first) ** 2
        run = run + 1 if value == previous else 1
        longest = max(longest, run)
        previous = value
    return ColumnSums(n_due, finite, infinite, early, low, high, total, squares, longest)
