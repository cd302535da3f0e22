"""Sums, means, deviations, skewness and kurtosis of rolling windows, each window computed on its own.

Running sums were rejected: their error outlives the value that caused it and depends on where the data begins.
Means and squares are joined from halves of the window. Skewness and kurtosis pass over it twice, once for the mean of
its deviations from the newest value and once for the moments about that mean. Rows are processed in blocks, with lags
in the outer loop and rows in the inner one, so that rows fill vector lanes and the order in which a row is summed does
not depend on its position. The sums of a row are loaded and stored once for five lags.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.complete_windows import complete_means, complete_squares
from fxloom.kernels.flatness import is_flat, may_be_flat
from fxloom.kernels.jit import jit

BLOCK = 256  # rows: what a block works on stays in the first-level cache
LAGS = 5  # lags per pass; a literal in the calls, so that their loop is unrolled


@jit
def add_deviations(past: Floats, newest: Floats, total: Floats, lags: int) -> None:
    """Add past - newest of ``lags`` lags to each row's sum; row i's oldest value is past[i]."""
    for i in range(len(newest)):
        s = total[i]
        for k in range(lags - 1, -1, -1):
            s += past[i + k] - newest[i]
        total[i] = s


@jit
def sum_deviations(y: Floats, begin: int, end: int, window: int, total: Floats) -> None:
    """total[i] = sum of y[t-lag] - y[t] over the window of t = begin + i, for every t in begin..end-1."""
    newest, whole = y[begin:end], window - window % LAGS
    total[: end - begin] = 0.0
    for lag in range(0, whole, LAGS):
        add_deviations(y[begin - lag - LAGS + 1 : end - lag], newest, total, LAGS)
    for lag in range(whole, window):
        add_deviations(y[begin - lag : end - lag], newest, total, 1)


@jit
def add_powers(
    past: Floats, newest: Floats, mean: Floats, second: Floats, third: Floats, fourth: Floats, lags: int
) -> None:
    """Add the powers of past - newest - mean of ``lags`` lags to each row's sums."""
    for i in range(len(newest)):
        s2, s3, s4 = second[i], third[i], fourth[i]
        for k in range(lags - 1, -1, -1):
            e = past[i + k] - newest[i] - mean[i]
            square = e * e
            s2 += square
            s3 += square * e
            s4 += square * square
        second[i], third[i], fourth[i] = s2, s3, s4


@jit
def sum_powers(
    y: Floats, begin: int, end: int, window: int, mean: Floats, second: Floats, third: Floats, fourth: Floats
) -> None:
    """Sums of the second, third and fourth powers of y[t-lag] - y[t] - mean[i] over the window."""
    newest, whole = y[begin:end], window - window % LAGS
    second[: end - begin], third[: end - begin], fourth[: end - begin] = 0.0, 0.0, 0.0
    for lag in range(0, whole, LAGS):
        add_powers(y[begin - lag - LAGS + 1 : end - lag], newest, mean, second, third, fourth, LAGS)
    for lag in range(whole, window):
        add_powers(y[begin - lag : end - lag], newest, mean, second, third, fourth, 1)


@jit
def sum_strided(y: Floats, begin: int, end: int, count: int, stride: int, total: Floats) -> None:
    """total[i] = the sum of ``count`` values, ``stride`` rows apart, that end at row begin + i."""
    total[: end - begin] = 0.0
    for k in range(count):
        past = y[begin - k * stride : end - k * stride]
        for i in range(end - begin):
            total[i] += past[i]


@jit
def strided_sum(y: Floats, count: int, stride: int) -> Floats:
    """The sum of ``count`` values, ``stride`` rows apart, that end at each row (n); NaN where one is missing."""
    n = len(y)
    out = np.full(n, np.nan)
    for begin in range((count - 1) * stride, n, BLOCK):
        end = min(begin + BLOCK, n)
        sum_strided(y, begin, end, count, stride, out[begin:end])
    return out


@jit
def rolling_sum(y: Floats, window: int) -> Floats:
    """The sum of each window (n); NaN in the first window - 1 rows and where the window holds a NaN."""
    return strided_sum(y, window, 1)


@jit
def rolling_mean(y: Floats, window: int) -> Floats:
    """The mean of each window (n), exactly y[t] where all its values are equal."""
    return y + complete_means(y, window)


@jit
def centred_squares(y: Floats, window: int) -> tuple[Floats, Floats]:
    """The mean of each window relative to y[t], and the sum of squares about it: exactly 0 in a flat window."""
    means, squares = complete_squares(y, window)
    for t in range(window - 1, len(y)):
        if may_be_flat(squares[t], y[t], window) and is_flat(y, t, window):
            squares[t] = 0.0
    return means, squares


@jit
def rolling_std(y: Floats, window: int) -> Floats:
    """The standard deviation (ddof 1) of each window; exactly 0 in a flat one."""
    return np.sqrt(centred_squares(y, window)[1] / (window - 1))


@jit
def zscore(y: Floats, window: int) -> Floats:
    """(y[t] - mean) / std (ddof 1) of each window; NaN in a flat one."""
    mean, squares = centred_squares(y, window)
    return np.where(squares > 0.0, (0.0 - mean) / np.sqrt(squares / (window - 1)), np.nan)


@jit
def rolling_moments(y: Floats, window: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Mean, std (ddof 1), unbiased skewness and unbiased excess kurtosis of each window of at least 4 bars, each (n).

    The formulas of pandas' ``skew`` and ``kurt``, not its running sums. A flat window has std 0 and neither skewness
    nor kurtosis (NaN).
    """
    n, w = len(y), float(window)
    mean, std = np.full(n, np.nan), np.full(n, np.nan)
    skew, kurt = np.full(n, np.nan), np.full(n, np.nan)
    shift, m2, m3, m4 = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    for begin in range(window - 1, n, BLOCK):
        end = min(begin + BLOCK, n)
        sum_deviations(y, begin, end, window, shift)
        for i in range(end - begin):
            shift[i] /= w
        sum_powers(y, begin, end, window, shift, m2, m3, m4)
        for i in range(end - begin):
            t = begin + i
            mean[t] = y[t] + shift[i]
            if may_be_flat(m2[i], y[t], window) and is_flat(y, t, window):
                std[t] = 0.0
                continue
            std[t] = np.sqrt(m2[i] / (w - 1.0))
            skew[t] = w * np.sqrt(w - 1.0) / (w - 2.0) * m3[i] / (m2[i] * np.sqrt(m2[i]))
            scale = w * (w + 1.0) * (w - 1.0) / ((w - 2.0) * (w - 3.0))
            kurt[t] = scale * m4[i] / (m2[i] * m2[i]) - 3.0 * (w - 1.0) * (w - 1.0) / ((w - 2.0) * (w - 3.0))
    return mean, std, skew, kurt
