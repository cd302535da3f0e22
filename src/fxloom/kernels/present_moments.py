"""Moments of the values present in a window, exact for every row, by doubling.

A window of W bars at t is put together from shorter pieces: the bits of W, from the highest down, say "double" or
"double and add one bar" (1, 3, 7, 15, 30, 60, 120, 240). Two neighbouring pieces are joined by the formula of Chan,
Golub & LeVeque (1983), which takes differences of means only, so that no digits are lost to the level; a missing value
is a piece that holds nothing. A row costs about log2(W) joins instead of W terms, and its bits depend on the values of
its window alone, because every row joins the same pieces in the same order.

A window needs its newest value, at least a quarter of its bars, and must lie inside the clock.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars import Floats, Ints
from fxloom.kernels.jit import jit

ROWS = 1024  # rows a block: its pieces stay in cache
FLAT = 1e-13  # max - min at most this share of the largest absolute value: a constant
# What a piece holds: how many values, their mean, squared deviations and extremes, the sum to be carried into the next
# piece if the series is cumulated (else 0), and the difference of means and the weight of the last join.
COUNT, MEAN, SSD, HIGH, LOW, TOTAL, STEP, WEIGHT = 0, 1, 2, 3, 4, 5, 6, 7
KEPT = 8


@jit
def joins_of(window: int) -> Ints:
    """(joins, 2): lengths of the newer and of the older piece of each join that builds ``window``."""
    bits = 0
    while (window >> bits) > 1:
        bits += 1
    out = np.empty((2 * bits, 2), np.int64)
    k, length = 0, 1
    for b in range(bits - 1, -1, -1):
        out[k, 0], out[k, 1] = length, length
        k, length = k + 1, 2 * length
        if (window >> b) & 1:
            out[k, 0], out[k, 1] = length, 1
            k, length = k + 1, length + 1
    return out[:k].copy()


@jit
def lay_leaves(y: Floats, cumulated: bool, piece: Floats) -> None:
    """``piece[:, i]``: the piece that holds y[i] alone, or nothing where y[i] is missing."""
    for i in range(len(y)):
        value = y[i]
        here = value == value
        piece[COUNT, i] = 1.0 if here else 0.0
        piece[MEAN, i] = value if here else 0.0
        piece[SSD, i] = 0.0
        piece[HIGH, i] = value if here else -np.inf
        piece[LOW, i] = value if here else np.inf
        piece[TOTAL, i] = value if here and cumulated else 0.0


@jit
def join_pieces(newer: Floats, older: Floats, lag: int, out: Floats) -> None:
    """``out[:, i]`` from ``newer[:, i]`` and ``older[:, i - lag]``; rows without an older part are left as they are."""
    for i in range(lag, out.shape[1]):
        j = i - lag
        n1, n2, total = newer[COUNT, i], older[COUNT, j], older[TOTAL, j]
        share = n1 / max(n1 + n2, 1.0)
        step = (newer[MEAN, i] + total) - older[MEAN, j]
        out[COUNT, i] = n1 + n2
        out[STEP, i] = step
        out[WEIGHT, i] = n2 * share
        out[MEAN, i] = older[MEAN, j] + step * share
        out[SSD, i] = newer[SSD, i] + older[SSD, j] + step * step * (n2 * share)
        out[HIGH, i] = max(newer[HIGH, i] + total, older[HIGH, j])
        out[LOW, i] = min(newer[LOW, i] + total, older[LOW, j])
        out[TOTAL, i] = newer[TOTAL, i] + total


@jit
def join_products(a: Floats, single: bool, step_x: Floats, step_y: Floats, weight: Floats, lag: int, b: Floats) -> None:
    """Sums of dx dy of joined pieces into ``b``; a single older bar has none of its own."""
    if single:
        for i in range(lag, len(b)):
            b[i] = a[i] + step_x[i] * step_y[i] * weight[i]
    else:
        for i in range(lag, len(b)):
            b[i] = a[i] + a[i - lag] + step_x[i] * step_y[i] * weight[i]


@jit
def settle(piece: Floats, y: Floats, begin: int, window: int) -> None:
    """Empty the windows that hold too little (count 0, sums NaN); a constant's squared deviations are exactly 0.

    ``y`` and ``piece`` begin at clock position ``begin``.
    """
    for i in range(len(y)):
        if begin + i < window - 1 or np.isnan(y[i]) or 4.0 * piece[COUNT, i] < window:
            piece[COUNT, i], piece[MEAN, i], piece[SSD, i] = 0.0, np.nan, np.nan
        else:
            high, low = piece[HIGH, i], piece[LOW, i]
            if high - low <= FLAT * max(abs(high), abs(low)):
                piece[SSD, i] = 0.0


@jit
def present_moments(y: Floats, window: int) -> tuple[Floats, Floats, Floats]:
    """Number, mean and sum of squared deviations of the values present in the window (0, NaN, NaN: too few)."""
    n = len(y)
    count, mean, ssd = np.empty(n), np.empty(n), np.empty(n)
    joins = joins_of(window)
    for block in range(0, n, ROWS):
        begin, end = max(block - window + 1, 0), min(block + ROWS, n)
        leaves = np.zeros((KEPT, end - begin))
        lay_leaves(y[begin:end], False, leaves)
        now, after = leaves.copy(), np.zeros_like(leaves)
        for k in range(len(joins)):
            join_pieces(now, leaves if joins[k, 1] == 1 else now, joins[k, 0], after)
            now, after = after, now
        settle(now, y[begin:end], begin, window)
        count[block:end] = now[COUNT, block - begin :]
        mean[block:end] = now[MEAN, block - begin :]
        ssd[block:end] = now[SSD, block - begin :]
    return count, mean, ssd


@jit
def present_comoments(x: Floats, y: Floats, window: int, cumulated: bool) -> Floats:
    """(8, n) over the bars at which both have values, of x and y or of their cumulations from the window's start.

    Rows: number; means of x and y; sums of dx dx, dx dy, dy dy; last values of the cumulations (0 if not cumulated).
    """
    n = len(y)
    out = np.empty((8, n))
    joins = joins_of(window)
    both_x, both_y = np.where(np.isnan(y), np.nan, x), np.where(np.isnan(x), np.nan, y)
    for block in range(0, n, ROWS):
        begin, end = max(block - window + 1, 0), min(block + ROWS, n)
        leaf_x, leaf_y = np.zeros((KEPT, end - begin)), np.zeros((KEPT, end - begin))
        lay_leaves(both_x[begin:end], cumulated, leaf_x)
        lay_leaves(both_y[begin:end], cumulated, leaf_y)
        px, py, qx, qy = leaf_x.copy(), leaf_y.copy(), np.zeros_like(leaf_x), np.zeros_like(leaf_y)
        product, after = np.zeros(end - begin), np.zeros(end - begin)
        for k in range(len(joins)):
            lag, single = joins[k, 0], joins[k, 1] == 1
            join_pieces(px, leaf_x if single else px, lag, qx)
            join_pieces(py, leaf_y if single else py, lag, qy)
            join_products(product, single, qx[STEP], qy[STEP], qx[WEIGHT], lag, after)
            px, qx, py, qy, product, after = qx, px, qy, py, after, product
        settle(px, both_x[begin:end], begin, window)
        settle(py, both_y[begin:end], begin, window)
        for i in range(block - begin, end - begin):
            flat = px[SSD, i] == 0.0 or py[SSD, i] == 0.0
            out[0, begin + i], out[1, begin + i], out[2, begin + i] = px[COUNT, i], px[MEAN, i], py[MEAN, i]
            out[3, begin + i], out[5, begin + i] = px[SSD, i], py[SSD, i]
            out[4, begin + i] = np.nan if px[COUNT, i] == 0.0 else 0.0 if flat else product[i]
            out[6, begin + i], out[7, begin + i] = px[TOTAL, i], py[TOTAL, i]
    return out


@jit
def present_std(y: Floats, window: int) -> Floats:
    """Standard deviation (ddof 1) of the values present in the window; exactly 0 for a constant."""
    count, _, ssd = present_moments(y, window)
    out = np.full(len(y), np.nan)
    for t in range(len(y)):
        if count[t] > 1.0:
            out[t] = np.sqrt(ssd[t] / (count[t] - 1.0))
    return out


@jit
def present_zscore(y: Floats, window: int) -> Floats:
    """(y - mean) / std over the values present in the window; missing where they are constant."""
    count, mean, ssd = present_moments(y, window)
    out = np.full(len(y), np.nan)
    for t in range(len(y)):
        if ssd[t] > 0.0 and count[t] > 1.0:
            out[t] = (y[t] - mean[t]) / np.sqrt(ssd[t] / (count[t] - 1.0))
    return out


@jit
def present_corr(x: Floats, y: Floats, window: int) -> Floats:
    """Pearson's correlation over the bars at which both have values; missing where either is constant."""
    sums = present_comoments(x, y, window, False)
    out = np.full(len(y), np.nan)
    for t in range(len(y)):
        if sums[3, t] > 0.0 and sums[5, t] > 0.0:
            out[t] = min(max(sums[4, t] / (np.sqrt(sums[3, t]) * np.sqrt(sums[5, t])), -1.0), 1.0)
    return out


@jit
def present_beta(y: Floats, x: Floats, window: int) -> Floats:
    """OLS slope of y on x (with intercept) over the bars at which both have values; missing where x is constant."""
    sums = present_comoments(x, y, window, False)
    out = np.full(len(y), np.nan)
    for t in range(len(y)):
        if sums[3, t] > 0.0:
            out[t] = sums[4, t] / sums[3, t]
    return out


@jit
def present_residual(y: Floats, x: Floats, window: int, cumulated: bool) -> Floats:
    """Residual at t of the OLS of y on x (with intercept), over the residuals' standard deviation (ddof 1).

    With ``cumulated`` the regression is of their cumulations from the window's start. Missing where x is constant and
    where the fit is exact (squared residuals below 1e-12 of y's squared deviations).
    """
    sums = present_comoments(x, y, window, cumulated)
    out = np.full(len(y), np.nan)
    for t in range(len(y)):
        sxx, sxy, syy = sums[3, t], sums[4, t], sums[5, t]
        if sxx > 0.0 and syy > 0.0 and sums[0, t] > 2.0:
            beta = sxy / sxx
            sse = syy - beta * sxy
            if sse > 1e-12 * syy:
                now_x = sums[6, t] if cumulated else x[t]
                now_y = sums[7, t] if cumulated else y[t]
                error = (now_y - sums[2, t]) - beta * (now_x - sums[1, t])
                out[t] = error / np.sqrt(sse / (sums[0, t] - 1.0))
    return out
