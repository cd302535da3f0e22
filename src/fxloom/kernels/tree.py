"""Sums over long rolling windows in log2(W) additions a row, each window still its own.

A window is cut into stretches of 1, 2, 4, ... bars whose sums are sums of two halves (a binary tree). The order of
additions depends on the window's length alone, so that a row's bits do not depend on where the data begins, and
nothing outlives its window: this is not a running sum. Raw sums of squares lose digits where the mean is far from
0; rows that would lose more than four are summed again about their mean, value by value.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars import Floats
from fxloom.kernels.jit import jit
from fxloom.kernels.moments import is_flat

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
    """The sum of each window; missing in the first window - 1 rows and where the window holds a NaN."""
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
def squares_about_mean(y: Floats, t: int, window: int) -> float:
    """The sum of (y - mean)^2 over the window at t, in two passes; exactly 0 if it is flat."""
    if is_flat(y, t, window):
        return 0.0
    mean, total = 0.0, 0.0
    for i in range(t - window + 1, t):
        mean += y[i] - y[t]
    mean /= window
    for i in range(t - window + 1, t + 1):
        total += (y[i] - y[t] - mean) ** 2
    return total


@jit
def products_about_means(x: Floats, y: Floats, t: int, window: int) -> float:
    """The sum of (x - mean)(y - mean) over the window at t, in two passes."""
    mean_x, mean_y, total = 0.0, 0.0, 0.0
    for i in range(t - window + 1, t):
        mean_x += x[i] - x[t]
        mean_y += y[i] - y[t]
    mean_x, mean_y = mean_x / window, mean_y / window
    for i in range(t - window + 1, t + 1):
        total += (x[i] - x[t] - mean_x) * (y[i] - y[t] - mean_y)
    return total


@jit
def tree_squares(y: Floats, window: int) -> Floats:
    """The sum of (y - mean)^2 of each window; exactly 0 in a flat one."""
    total, raw = tree_sum(y, window), tree_sum(y * y, window)
    out = raw - total * total / window
    for t in range(window - 1, len(y)):
        if out[t] <= GUARD * raw[t]:
            out[t] = squares_about_mean(y, t, window) if raw[t] > 0.0 else 0.0
    return out


@jit
def tree_std(y: Floats, window: int) -> Floats:
    """The standard deviation (ddof 1) of each window; exactly 0 in a flat one."""
    return np.sqrt(tree_squares(y, window) / (window - 1))


@jit
def tree_products(x: Floats, y: Floats, window: int) -> tuple[Floats, Floats, Floats]:
    """Sums of (x - mean)^2, (x - mean)(y - mean), (y - mean)^2 of each window; exactly 0 for a flat series."""
    total_x, total_y = tree_sum(x, window), tree_sum(y, window)
    raw_x, raw_y = tree_sum(x * x, window), tree_sum(y * y, window)
    xx, yy = raw_x - total_x * total_x / window, raw_y - total_y * total_y / window
    xy = tree_sum(x * y, window) - total_x * total_y / window
    for t in range(window - 1, len(x)):
        if np.isnan(xy[t]):
            xx[t], yy[t] = np.nan, np.nan
        elif xx[t] <= GUARD * raw_x[t] or yy[t] <= GUARD * raw_y[t]:
            xx[t] = squares_about_mean(x, t, window) if raw_x[t] > 0.0 else 0.0
            yy[t] = squares_about_mean(y, t, window) if raw_y[t] > 0.0 else 0.0
            xy[t] = products_about_means(x, y, t, window) if xx[t] > 0.0 and yy[t] > 0.0 else 0.0
    return xx, xy, yy


@jit
def tree_cov(x: Floats, y: Floats, window: int) -> Floats:
    """The covariance (ddof 1) of each window; exactly 0 where either series is flat."""
    return tree_products(x, y, window)[1] / (window - 1)


@jit
def tree_corr(x: Floats, y: Floats, window: int) -> Floats:
    """Pearson's correlation of each window, within [-1, 1]; NaN where either series is flat."""
    xx, xy, yy = tree_products(x, y, window)
    out = np.full(len(x), np.nan)
    for t in range(window - 1, len(x)):
        if xx[t] > 0.0 and yy[t] > 0.0:
            out[t] = min(max(xy[t] / (np.sqrt(xx[t]) * np.sqrt(yy[t])), -1.0), 1.0) + 0.0
    return out


@jit
def tree_beta(y: Floats, x: Floats, window: int) -> Floats:
    """The least-squares slope of y on x (with intercept) of each window; NaN where x is flat."""
    xx, xy, _ = tree_products(x, y, window)
    out = np.full(len(x), np.nan)
    for t in range(window - 1, len(x)):
        if xx[t] > 0.0:
            out[t] = xy[t] / xx[t] + 0.0
    return out


@jit
def tree_zscore(y: Floats, window: int) -> Floats:
    """(y[t] - mean) / std (ddof 1) of each window; NaN in a flat one."""
    return tree_zscore_present(y, window, window)


@jit
def tree_zscore_present(y: Floats, window: int, at_least: int) -> Floats:
    """(y[t] - mean) / std over the values present (not NaN) in each window.

    NaN in the first window - 1 rows, where fewer than ``at_least`` (two or more) are present, where y[t] is not, or
    where they are constant.
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
