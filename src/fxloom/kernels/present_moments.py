"""Moments of the values present in a window: see ``window_parts`` for how a window is put together.

A window needs its newest value, at least a quarter of its bars, and must lie inside the clock. Arrays are (n), one row
per clock bar; NaN where a window has no value.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats, Ints
from fxloom.kernels.jit import jit
from fxloom.kernels.partial_windows import (
    ROW,
    fill_single,
    join_parts,
    join_two,
    load,
    new_room,
    settle,
)
from fxloom.kernels.window_parts import BLOCK, joins_of

EXACT_FIT = 1e-12  # squared residuals of a fit that leaves none, as a share of the squared deviations


@jit
def moments_of_block(y: Floats, block: int, window: int, joins: Ints, room: Floats) -> Floats:
    """Parts of the window at each row of the block that begins at clock position ``block``, from row window - 1 on."""
    single: Floats = room[0]
    now: Floats = room[1]
    after: Floats = room[2]
    begin = block - window + 1
    values = np.empty(single.shape[1])
    load(y, y, begin, values)
    fill_single(values, False, single)
    now[:] = single
    for k in range(len(joins)):
        join_parts(now, now if joins[k, 0] == joins[k, 1] else single, joins[k, 0], False, after)
        now, after = after, now
    settle(now, values, begin, window)
    return now


@jit
def present_moments(y: Floats, window: int) -> tuple[Floats, Floats, Floats]:
    """Number, mean and sum of squared deviations of the values present in the window (0, NaN, NaN: too few)."""
    n = len(y)
    count, mean, ssd = np.empty(n), np.empty(n), np.empty(n)
    joins, room = joins_of(window), new_room(BLOCK + window - 1)
    for block in range(0, n, BLOCK):
        parts = moments_of_block(y, block, window, joins, room)
        for t in range(block, min(block + BLOCK, n)):
            i = t - block + window - 1
            count[t], mean[t], ssd[t] = parts[ROW.number, i], parts[ROW.mean, i], parts[ROW.ssd, i]
    return count, mean, ssd


@jit
def comoments_of_block(
    x: Floats, y: Floats, block: int, window: int, joins: Ints, cumulated: bool, room_x: Floats, room_y: Floats
) -> tuple[Floats, Floats]:
    """Parts of x and y, or of their cumulations from each window's start, over the bars at which both have values.

    As ``moments_of_block``; the sums of products, 0 if either is constant, are in the first.
    """
    single_x, now_x, after_x = room_x[0], room_x[1], room_x[2]
    single_y, now_y, after_y = room_y[0], room_y[1], room_y[2]
    begin = block - window + 1
    both_x, both_y = np.empty(single_x.shape[1]), np.empty(single_x.shape[1])
    load(x, y, begin, both_x)
    load(y, x, begin, both_y)
    fill_single(both_x, cumulated, single_x)
    fill_single(both_y, cumulated, single_y)
    now_x[:] = single_x
    now_y[:] = single_y
    for k in range(len(joins)):
        double = joins[k, 0] == joins[k, 1]
        older_x, older_y = now_x if double else single_x, now_y if double else single_y
        join_two(now_x, older_x, now_y, older_y, joins[k], cumulated, after_x, after_y)
        now_x, after_x, now_y, after_y = after_x, now_x, after_y, now_y
    now_y[ROW.number] = now_x[ROW.number]
    settle(now_x, both_x, begin, window)
    settle(now_y, both_y, begin, window)
    for i in range(len(both_x)):
        now_x[ROW.product, i] = 0.0 if now_x[ROW.ssd, i] == 0.0 or now_y[ROW.ssd, i] == 0.0 else now_x[ROW.product, i]
    return now_x, now_y


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
    """(y - mean) / std over the values present in the window; NaN where they are constant."""
    count, mean, ssd = present_moments(y, window)
    out = np.full(len(y), np.nan)
    for t in range(len(y)):
        if ssd[t] > 0.0 and count[t] > 1.0:
            out[t] = (y[t] - mean[t]) / np.sqrt(ssd[t] / (count[t] - 1.0))
    return out


@jit
def present_corr(x: Floats, y: Floats, window: int) -> Floats:
    """Pearson's correlation over the bars at which both have values; NaN where either is constant."""
    out = np.full(len(y), np.nan)
    joins, room_x, room_y = joins_of(window), new_room(BLOCK + window - 1), new_room(BLOCK + window - 1)
    for block in range(0, len(y), BLOCK):
        px, py = comoments_of_block(x, y, block, window, joins, False, room_x, room_y)
        for t in range(block, min(block + BLOCK, len(y))):
            i = t - block + window - 1
            if px[ROW.ssd, i] > 0.0 and py[ROW.ssd, i] > 0.0:
                rho = px[ROW.product, i] / (np.sqrt(px[ROW.ssd, i]) * np.sqrt(py[ROW.ssd, i]))
                out[t] = min(max(rho, -1.0), 1.0)
    return out


@jit
def present_beta(y: Floats, x: Floats, window: int) -> Floats:
    """OLS slope of y on x (with intercept) over the bars at which both have values; NaN where x is constant."""
    out = np.full(len(y), np.nan)
    joins, room_x, room_y = joins_of(window), new_room(BLOCK + window - 1), new_room(BLOCK + window - 1)
    for block in range(0, len(y), BLOCK):
        px, _ = comoments_of_block(x, y, block, window, joins, False, room_x, room_y)
        for t in range(block, min(block + BLOCK, len(y))):
            i = t - block + window - 1
            if px[ROW.ssd, i] > 0.0:
                out[t] = px[ROW.product, i] / px[ROW.ssd, i]
    return out


@jit
def present_residual(y: Floats, x: Floats, window: int, cumulated: bool) -> Floats:
    """Residual at t of the OLS of y on x (with intercept), over the residuals' standard deviation (ddof 1).

    With ``cumulated`` the regression is of their cumulations from the window's start. NaN where x is constant and
    where the fit is exact (squared residuals at most 1e-12 of y's squared deviations).
    """
    out = np.full(len(y), np.nan)
    joins, room_x, room_y = joins_of(window), new_room(BLOCK + window - 1), new_room(BLOCK + window - 1)
    for block in range(0, len(y), BLOCK):
        px, py = comoments_of_block(x, y, block, window, joins, cumulated, room_x, room_y)
        for t in range(block, min(block + BLOCK, len(y))):
            i = t - block + window - 1
            sxx, sxy, syy = px[ROW.ssd, i], px[ROW.product, i], py[ROW.ssd, i]
            if sxx > 0.0 and syy > 0.0 and px[ROW.number, i] > 2.0:
                beta = sxy / sxx
                sse = syy - beta * sxy
                if sse > EXACT_FIT * syy:
                    now_x = px[ROW.total, i] if cumulated else x[t]
                    now_y = py[ROW.total, i] if cumulated else y[t]
                    error = (now_y - py[ROW.mean, i]) - beta * (now_x - px[ROW.mean, i])
                    out[t] = error / np.sqrt(sse / (px[ROW.number, i] - 1.0))
    return out
