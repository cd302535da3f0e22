"""Wavelet coefficients of sliding windows of 64 values: linear trend removed, db4, three levels, periodised.

The transform is that of PyWavelets with ``mode="periodization"``: orthogonal, so that the energies of its
coefficients add up to the window's, and a correlation of reconstructions is one of coefficients.
Rows of a block lie in the inner loops, so that they fill vector lanes.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit
from fxloom.kernels.tolerances import EQUAL

WINDOW = 64
LEVELS = 3
COARSE = WINDOW >> LEVELS  # coefficients of the third level
BACK = 15  # bars over which the smooth part is compared
TAPS = 8
PAD = TAPS // 2 - 1  # values repeated at either end of a period
BLOCK = 64

# Daubechies (1988), four vanishing moments: the decomposition low-pass filter, and its mirror
LOW_PASS = np.array([
    -0.010597401785069032, 0.0328830116668852, 0.030841381835560764, -0.18703481171909309,
    -0.027983769416859854, 0.6308807679298589, 0.7148465705529157, 0.2303778133088965,
])  # fmt: skip
HIGH_PASS = LOW_PASS[::-1] * np.array([-1.0, 1.0] * 4)


def level(size: int) -> Floats:
    """The matrix (size / 2, size) that takes a period of values to its smooth coefficients."""
    matrix = np.zeros((size // 2, size))
    for k in range(size // 2):
        for j in range(TAPS):
            matrix[k, (2 * k + TAPS // 2 - j) % size] += LOW_PASS[j]
    return matrix


SMOOTH = level(16) @ level(32) @ level(64)  # its transpose reconstructs from the eight smooth coefficients
RISE = np.ascontiguousarray(SMOOTH[:, WINDOW - 1] - SMOOTH[:, WINDOW - 1 - BACK])

E1, E2, E3, E_SMOOTH, M1, M2, M3, TREND = range(2 * COARSE, 2 * COARSE + 8)
RESULTS = 2 * COARSE + 8


@jit
def detrended(values: Floats, width: int, out: Floats) -> None:
    """out[PAD + i, s] = value i of the window that begins at ``values[s]``, minus its OLS line."""
    mean, slope = np.zeros(width), np.zeros(width)
    for i in range(WINDOW - 1):
        for s in range(width):
            mean[s] += values[s + i] - values[s + WINDOW - 1]
    for i in range(WINDOW // 2):
        weight = (WINDOW / 2.0 - 0.5 - i) / (WINDOW * (WINDOW * WINDOW - 1.0) / 12.0)
        late = values[WINDOW - 1 - i :]
        for s in range(width):
            slope[s] += weight * (late[s] - values[s + i])
    for s in range(width):
        mean[s] /= WINDOW
    for i in range(WINDOW):
        offset = i - (WINDOW - 1.0) / 2.0
        for s in range(width):
            out[PAD + i, s] = values[s + i] - values[s + WINDOW - 1] - mean[s] - offset * slope[s]


@jit
def wrap(values: Floats, size: int, width: int) -> None:
    """Repeat the last values before the first, and the first after the last."""
    for i in range(PAD):
        for s in range(width):
            values[i, s] = values[size + i, s]
            values[PAD + size + i, s] = values[PAD + i, s]


@jit
def decompose(values: Floats, size: int, width: int, smooth: Floats, detail: Floats) -> None:
    """One level: ``size`` wrapped values into half as many smooth ones (from row PAD on) and as many details."""
    wrap(values, size, width)
    for k in range(size // 2):
        p = 2 * k
        for s in range(width):
            a, b, c, d = values[p, s], values[p + 1, s], values[p + 2, s], values[p + 3, s]
            e, f, g, h = values[p + 4, s], values[p + 5, s], values[p + 6, s], values[p + 7, s]
            smooth[PAD + k, s] = ((LOW_PASS[7] * a + LOW_PASS[6] * b) + (LOW_PASS[5] * c + LOW_PASS[4] * d)) + (
                (LOW_PASS[3] * e + LOW_PASS[2] * f) + (LOW_PASS[1] * g + LOW_PASS[0] * h)
            )
            detail[k, s] = ((HIGH_PASS[7] * a + HIGH_PASS[6] * b) + (HIGH_PASS[5] * c + HIGH_PASS[4] * d)) + (
                (HIGH_PASS[3] * e + HIGH_PASS[2] * f) + (HIGH_PASS[1] * g + HIGH_PASS[0] * h)
            )


@jit
def sizes(detail: Floats, count: int, width: int, energy: Floats, largest: Floats) -> None:
    """The sum of squares and the largest absolute value of ``count`` coefficients."""
    for s in range(width):
        energy[s] = largest[s] = 0.0
    for k in range(count):
        for s in range(width):
            value = detail[k, s]
            energy[s] += value * value
            largest[s] = abs(value) if abs(value) > largest[s] else largest[s]


@jit
def smooth_part(smooth: Floats, width: int, energy: Floats, trend: Floats) -> None:
    """Energy of the smooth coefficients, and how far their reconstruction rose over the last 15 bars."""
    for s in range(width):
        energy[s] = trend[s] = 0.0
    for k in range(COARSE):
        weight = RISE[k]
        for s in range(width):
            value = smooth[PAD + k, s]
            energy[s] += value * value
            trend[s] += weight * value


@jit
def sliding_wavelets(y: Floats, rounding: Floats, first: int) -> Floats:
    """Coefficients, energies and sizes of each window of 64 bars, shape (24, len(y)), for rows from ``first`` on.

    Rows 0-7: smooth coefficients; 8-15: details of level 3; then E1, E2, E3, E_SMOOTH (sums of squares), M1, M2, M3
    (largest absolute detail) and TREND (rise of the smooth reconstruction over 15 bars), in units of ``y``.
    A level whose details are below ``rounding`` counts as 0. NaN before ``first``, where ``rounding`` is NaN, and
    where the residuals of the line are rounding.
    """
    n = len(y)
    out = np.full((RESULTS, n), np.nan)
    a, b = np.zeros((WINDOW + 2 * PAD, BLOCK)), np.zeros((WINDOW // 2 + 2 * PAD, BLOCK))
    detail, measured = np.zeros((WINDOW // 2, BLOCK)), np.zeros((8, BLOCK))
    size = len(a) - 2 * PAD  # of the type of a length, so that one version of each stage is compiled
    for begin in range(max(first, WINDOW - 1), n, BLOCK):
        width = min(BLOCK, n - begin)
        detrended(y[begin - WINDOW + 1 : begin + width], width, a)
        decompose(a, size, width, b, detail)
        sizes(detail, size // 2, width, measured[0], measured[4])
        decompose(b, size // 2, width, a, detail)
        sizes(detail, size // 4, width, measured[1], measured[5])
        decompose(a, size // 4, width, b, detail)
        sizes(detail, size // 8, width, measured[2], measured[6])
        smooth_part(b, width, measured[3], measured[7])
        write(b, detail, measured, begin, width, rounding, out)
    return out


@jit
def write(
    smooth: Floats, detail: Floats, measured: Floats, begin: int, width: int, rounding: Floats, out: Floats
) -> None:
    """Write a block's coefficients and sizes into ``out``, where they are more than rounding."""
    for s in range(width):
        t = begin + s
        energy = measured[0, s] + measured[1, s] + measured[2, s] + measured[3, s]
        if not energy > WINDOW * rounding[t] ** 2:
            continue
        for k in range(COARSE):
            out[k, t], out[COARSE + k, t] = smooth[PAD + k, s], detail[k, s]
        for i in range(8):
            out[E1 + i, t] = measured[i, s]
        for j in range(LEVELS):
            if measured[4 + j, s] <= rounding[t]:
                out[E1 + j, t] = out[M1 + j, t] = 0.0


@jit
def sliding_shares(levels: Floats) -> Floats:
    """Features (9, n) of the result of ``sliding_wavelets``.

    Shares of d1, d2, d3 and a3; ln(E1/E3); TREND over the window's deviation; entropy of the three detail shares
    / ln 3; slope of log2 of the largest details on the level; the level with most energy (ties to the smaller).
    """
    n = levels.shape[1]
    out = np.full((9, n), np.nan)
    for t in range(n):
        details = levels[E1, t] + levels[E2, t] + levels[E3, t]
        total = details + levels[E_SMOOTH, t]
        if np.isnan(total):
            continue
        for i in range(4):
            out[i, t] = levels[E1 + i, t] / total
        out[5, t] = levels[TREND, t] / np.sqrt(total / (WINDOW - 1.0)) + 0.0  # -0 and 0 are one value
        if levels[E1, t] > 0.0 and levels[E3, t] > 0.0:
            out[4, t] = np.log(levels[E1, t] / levels[E3, t])
            out[7, t] = 0.5 * np.log2(levels[M3, t] / levels[M1, t]) if levels[E2, t] > 0.0 else np.nan
        if details > 0.0:
            out[6, t] = detail_entropy(levels[E1, t] / details, levels[E2, t] / details, levels[E3, t] / details)
            largest = max(levels[E1, t], levels[E2, t], levels[E3, t]) * (1.0 - EQUAL)
            out[8, t] = 1.0 if levels[E1, t] >= largest else 2.0 if levels[E2, t] >= largest else 3.0
    return out


@jit
def detail_entropy(a: float, b: float, c: float) -> float:
    """Entropy of three shares / ln 3."""
    total = 0.0
    for share in (a, b, c):
        total -= share * np.log(share) if share > 0.0 else 0.0
    return float(min(total / np.log(3.0), 1.0))


@jit
def coefficient_correlation(x: Floats, y: Floats, centred: bool) -> Floats:
    """Correlation, window by window, of what two sets of eight coefficients (8, n) reconstruct; NaN if either is 0.

    Equal smooth coefficients reconstruct a constant, so theirs are ``centred``; details reconstruct mean 0.
    """
    n = x.shape[1]
    out = np.full(n, np.nan)
    for t in range(n):
        mean_x, mean_y = 0.0, 0.0
        if centred:
            for k in range(COARSE):
                mean_x += x[k, t] / COARSE
                mean_y += y[k, t] / COARSE
        xx, xy, yy = 0.0, 0.0, 0.0
        for k in range(COARSE):
            a, b = x[k, t] - mean_x, y[k, t] - mean_y
            xx, xy, yy = xx + a * a, xy + a * b, yy + b * b
        if xx > 0.0 and yy > 0.0:
            out[t] = min(max(xy / np.sqrt(xx * yy), -1.0), 1.0) + 0.0
    return out
