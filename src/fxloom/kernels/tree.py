"""Sums over rolling windows in log2(W) additions per row, each window on its own.

A window is cut into stretches of 1, 2, 4, ... bars whose sums are sums of two halves (a binary tree). The order of
additions depends on the window's length alone, so that a row's bits do not depend on where the data begins: this is
not a running sum.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.flatness import is_flat
from fxloom.kernels.jit import jit

CHUNK = 2048  # rows whose sums stay in the cache
GUARD = 1e-4  # a variance below this share of the mean square is computed again about the mean


@jit
def halve(part: Floats, wider: Floats, length: int) -> None:
    """wider[t] = sum of the 2 x ``length`` values that end at t, from ``part``, the sums of ``length``."""
    later, earlier = part[length:], part[: len(part) - length]
    target = wider[length:]
    for t in range(len(target)):
        target[t] = later[t] + earlier[t]


@jit
def tree_sum(y: Floats, window: int) -> Floats:
    """The sum of each window (n); NaN in the first window - 1 rows and where the window holds a NaN."""
    n = len(y)
    out = np.full(n, np.nan)
    first, second = np.empty(CHUNK + window), np.empty(CHUNK + window)
    for begin in range(window - 1, n, CHUNK):
        end = min(begin + CHUNK, n)
        size = end - begin + window - 1
        part, wider = first[:size], second[:size]
        part[:] = y[begin - window + 1 : end]
        wider[:] = part
        total = out[begin:end]
        total[:] = 0.0
        length, taken, left = 1, 0, window
        while left > 0:
            if left % 2 == 1:
                stretch = part[window - 1 - taken : size - taken]
                for i in range(len(total)):
                    total[i] += stretch[i]
                taken += length
            left //= 2
            if left > 0:
                halve(part, wider, length)
                part, wider = wider, part
                length *= 2
    return out


@jit
def zscore_present(y: Floats, window: int, at_least: int) -> Floats:
    """(y[t] - mean) / std over the values present (not NaN) in each window (n).

    NaN in the first window - 1 rows, where fewer than ``at_least`` (two or more) are present, where y[t] is missing,
    and where they are constant. Raw sums of squares lose digits where the mean is far from 0: rows that would lose
    more than four are summed again about their mean, value by value.
    """
    n = len(y)
    out, filled = np.full(n, np.nan), np.empty(n)
    known = np.empty(n)
    for t in range(n):
        known[t] = 1.0 if y[t] == y[t] else 0.0
        filled[t] = y[t] if y[t] == y[t] else 0.0
    counts, totals = tree_sum(known, window), tree_sum(filled, window)
    raws = tree_sum(filled * filled, window)
    for t in range(window - 1, n):
        if counts[t] < at_least or known[t] == 0.0:
            continue
        mean = totals[t] / counts[t]
        squares = raws[t] - totals[t] * mean
        if squares <= GUARD * raws[t]:
            mean, squares = present_about_mean(y, t, window, counts[t])
        if squares > 0.0:
            out[t] = (y[t] - mean) / np.sqrt(squares / (counts[t] - 1.0))
    return out


@jit
def present_about_mean(y: Floats, t: int, window: int, count: float) -> tuple[float, float]:
    """Mean and sum of (y - mean)^2 of the ``count`` values present in the window at t; exactly 0 if constant."""
    if is_flat(y, t, window):
        return y[t], 0.0
    mean, total = 0.0, 0.0
    for i in range(t - window + 1, t + 1):
        if y[i] == y[i]:
            mean += y[i] - y[t]
    mean /= count
    for i in range(t - window + 1, t + 1):
        if y[i] == y[i]:
            total += (y[i] - y[t] - mean) ** 2
    return y[t] + mean, total
