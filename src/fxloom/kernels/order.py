"""Sorted arrays that hold rolling windows, and ranks in windows: exact, whatever lies before the window."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit


@jit
def place(values: Floats, size: int, value: float) -> int:
    """How many of the ``size`` ascending values lie below ``value``."""
    low, left = 0, size
    while left > 1:  # no branch that the processor could mispredict
        half = left // 2
        low += half if values[low + half - 1] < value else 0
        left -= half
    return low + (1 if left == 1 and values[low] < value else 0)


@jit
def shift_down(part: Floats) -> None:
    """part[i] = part[i+1]. Called with a slice, it compiles to one memmove, which is eight times as fast."""
    for i in range(len(part) - 1):
        part[i] = part[i + 1]


@jit
def shift_up(part: Floats) -> None:
    """part[i] = part[i-1]."""
    for i in range(len(part) - 1, 0, -1):
        part[i] = part[i - 1]


@jit
def insert(values: Floats, size: int, value: float) -> None:
    """Insert ``value`` into the first ``size`` values, which are ascending and have room for one more."""
    at = place(values, size, value)
    shift_up(values[at : size + 1])
    values[at] = value


@jit
def remove(values: Floats, size: int, value: float) -> None:
    """Remove ``value`` from the first ``size`` values, which are ascending and hold it."""
    shift_down(values[place(values, size, value) : size])


@jit
def median(values: Floats, size: int) -> float:
    """The median of the first ``size`` values, which are ascending."""
    half = size // 2
    if size % 2:
        return float(values[half])
    return 0.5 * float(values[half - 1] + values[half])


@jit
def rank_present(y: Floats, window: int, at_least: int, tolerance: float) -> Floats:
    """The share of the values present in each window below y[t], plus half of those equal to it, itself included (n).

    Equal means within ``tolerance`` times abs(y[t]). NaN in the first window - 1 rows, where y[t] is missing, and
    where fewer than ``at_least`` values are present.
    """
    n = len(y)
    out, present = np.full(n, np.nan), 0
    for t in range(n):
        present += 1 if y[t] == y[t] else 0
        if t >= window:
            present -= 1 if y[t - window] == y[t - window] else 0
        if t < window - 1 or present < at_least or np.isnan(y[t]):
            continue
        margin = tolerance * abs(y[t])
        low, high = y[t] - margin, y[t] + margin
        halves = 0  # an integer, so that the loop may be summed in any order and vectorises
        past = y[t - window + 1 : t + 1]
        for i in range(window):
            halves += (1 if past[i] < low else 0) + (1 if past[i] <= high else 0)
        out[t] = halves / (2.0 * present)
    return out


@jit
def rolling_rank(y: Floats, window: int, tolerance: float) -> Floats:
    """As ``rank_present``, NaN where the window holds a NaN."""
    return rank_present(y, window, window, tolerance)
