"""Moments of the values present in a window: see ``pieces`` for how a window is put together.

A window needs its newest value, at least a quarter of its bars, and must lie inside the clock.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats, Ints
from fxloom.kernels.jit import jit
from fxloom.kernels.window_parts import (
    COUNT,
    MEAN,
    PRODUCT,
    ROWS,
    SSD,
    TOTAL,
    join_pieces,
    join_two,
    joins_of,
    lay_leaves,
    load,
    room_for,
    settle,
)


@jit
def moments_of_block(y: Floats, block: int, window: int, joins: Ints, room: Floats) -> Floats:
    """Pieces of the window and of the block that begins at clock position ``block``: (KEPT, window - 1 + ROWS)."""
    begin = block - window + 1
    values = np.empty(room.shape[2])
    load(y, y, begin, values)
    leaves: Floats = room[0]
    now: Floats = room[1]
    after: Floats = room[2]
    lay_leaves(values, False, leaves)
    now[:] = leaves
    for k in range(len(joins)):
        join_pieces(now, leaves if joins[k, 1] == 1 else now, joins[k, 0], False, after)
        now, after = after, now
    settle(now, values, begin, window)
    return now


@jit
def present_moments(y: Floats, window: int) -> tuple[Floats, Floats, Floats]:
    """Number, mean and sum of squared deviations of the values present in the window (0, NaN, NaN: too few)."""
    n = len(y)
    count, mean, ssd = np.empty(n), np.empty(n), np.empty(n)
    joins, room = joins_of(window), room_for(window)
    for block in range(0, n, ROWS):
        piece = moments_of_block(y, block, window, joins, room)
        for t in range(block, min(block + ROWS, n)):
            i = t - block + window - 1
            count[t], mean[t], ssd[t] = piece[COUNT, i], piece[MEAN, i], piece[SSD, i]
    return count, mean, ssd


@jit
def comoments_of_block(
    x: Floats, y: Floats, block: int, window: int, joins: Ints, cumulated: bool, room_x: Floats, room_y: Floats
) -> tuple[Floats, Floats]:
    """Pieces of x and y, or of their cumulations from each window's start, over the bars at which both have values.

    Each (KEPT, window - 1 + ROWS); the sums of products, 0 if either is constant, stand in the first.
    """
    begin = block - window + 1
    both_x, both_y = np.empty(room_x.shape[2]), np.empty(room_y.shape[2])
    load(x, y, begin, both_x)
    load(y, x, begin, both_y)
    leaf_x, px, qx = room_x[0], room_x[1], room_x[2]
    leaf_y, py, qy = room_y[0], room_y[1], room_y[2]
    lay_leaves(both_x, cumulated, leaf_x)
    lay_leaves(both_y, cumulated, leaf_y)
    px[:], py[:] = leaf_x, leaf_y
    for k in range(len(joins)):
        single = joins[k, 1] == 1
        join_two(px, leaf_x if single else px, py, leaf_y if single else py, joins[k], cumulated, qx, qy)
        px, qx, py, qy = qx, px, qy, py
    py[COUNT] = px[COUNT]
    settle(px, both_x, begin, window)
    settle(py, both_y, begin, window)
    for i in range(px.shape[1]):
        px[PRODUCT, i] = 0.0 if px[SSD, i] == 0.0 or py[SSD, i] == 0.0 else px[PRODUCT, i]
    return px, py


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
    out = np.full(len(y), np.nan)
    joins, room_x, room_y = joins_of(window), room_for(window), room_for(window)
    for block in range(0, len(y), ROWS):
        px, py = comoments_of_block(x, y, block, window, joins, False, room_x, room_y)
        for t in range(block, min(block + ROWS, len(y))):
            i = t - block + window - 1
            if px[SSD, i] > 0.0 and py[SSD, i] > 0.0:
                rho = px[PRODUCT, i] / (np.sqrt(px[SSD, i]) * np.sqrt(py[SSD, i]))
                out[t] = min(max(rho, -1.0), 1.0)
    return out


@jit
def present_beta(y: Floats, x: Floats, window: int) -> Floats:
    """OLS slope of y on x (with intercept) over the bars at which both have values; missing where x is constant."""
    out = np.full(len(y), np.nan)
    joins, room_x, room_y = joins_of(window), room_for(window), room_for(window)
    for block in range(0, len(y), ROWS):
        px, _ = comoments_of_block(x, y, block, window, joins, False, room_x, room_y)
        for t in range(block, min(block + ROWS, len(y))):
            i = t - block + window - 1
            if px[SSD, i] > 0.0:
                out[t] = px[PRODUCT, i] / px[SSD, i]
    return out


@jit
def present_residual(y: Floats, x: Floats, window: int, cumulated: bool) -> Floats:
    """Residual at t of the OLS of y on x (with intercept), over the residuals' standard deviation (ddof 1).

    With ``cumulated`` the regression is of their cumulations from the window's start. Missing where x is constant and
    where the fit is exact (squared residuals below 1e-12 of y's squared deviations).
    """
    out = np.full(len(y), np.nan)
    joins, room_x, room_y = joins_of(window), room_for(window), room_for(window)
    for block in range(0, len(y), ROWS):
        px, py = comoments_of_block(x, y, block, window, joins, cumulated, room_x, room_y)
        for t in range(block, min(block + ROWS, len(y))):
            i = t - block + window - 1
            sxx, sxy, syy = px[SSD, i], px[PRODUCT, i], py[SSD, i]
            if sxx > 0.0 and syy > 0.0 and px[COUNT, i] > 2.0:
                beta = sxy / sxx
                sse = syy - beta * sxy
                if sse > 1e-12 * syy:
                    now_x = px[TOTAL, i] if cumulated else x[t]
                    now_y = py[TOTAL, i] if cumulated else y[t]
                    error = (now_y - py[MEAN, i]) - beta * (now_x - px[MEAN, i])
                    out[t] = error / np.sqrt(sse / (px[COUNT, i] - 1.0))
    return out
