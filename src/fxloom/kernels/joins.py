"""Sums of squares and products about the mean of rolling windows, by joining halves: log2(W) steps a row.

A window of W bars is put together from pieces: the binary digits of W, from the highest down, say "double" or
"double and add one bar" (60: 1, 3, 7, 15, 30, 60). Two neighbouring pieces are joined by the formula of Chan, Golub &
LeVeque (1983), which needs the difference of their means only; means are held relative to their piece's newest value,
so that no digits are lost to the level. Every row joins the same pieces in the same order, and nothing but its window
enters: this is not a running sum. The alternative, one pass over the window a row, takes ten times as long at W = 240.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit

ROWS = 1024  # rows a block: its pieces stay in the second-level cache


@jit
def digits_below(window: int) -> int:
    """How many binary digits follow the highest one of ``window``."""
    count = 0
    while window >> (count + 1) > 0:
        count += 1
    return count


@jit
def join_means(y: Floats, mean: Floats, length: int, single: bool, step: Floats, out: Floats) -> None:
    """Means of joined pieces relative to their newest value, and the difference of means, older minus newer.

    Row i joins the piece of ``length`` bars that ends there with the one that ends ``length`` bars before, or with
    the ``single`` bar there.
    """
    now, past, newer, older = y[length:], y[: len(y) - length], mean[length:], mean[: len(y) - length]
    steps, means = step[length:], out[length:]
    if single:
        share = 1.0 / (length + 1.0)
        for i in range(len(now)):
            steps[i] = (past[i] - now[i]) - newer[i]
            means[i] = newer[i] + steps[i] * share
    else:
        for i in range(len(now)):
            steps[i] = (past[i] - now[i]) + older[i] - newer[i]
            means[i] = newer[i] + steps[i] * 0.5


@jit
def join_products(product: Floats, step_x: Floats, step_y: Floats, length: int, single: bool, out: Floats) -> None:
    """Sums of products about the means of joined pieces."""
    newer, older = product[length:], product[: len(product) - length]
    sx, sy, products = step_x[length:], step_y[length:], out[length:]
    if single:
        weight = length / (length + 1.0)
        for i in range(len(newer)):
            products[i] = newer[i] + sx[i] * sy[i] * weight
    else:
        weight = 0.5 * length
        for i in range(len(newer)):
            products[i] = newer[i] + older[i] + sx[i] * sy[i] * weight


@jit
def joined_means(y: Floats, window: int) -> Floats:
    """The mean of each window relative to its newest value."""
    n = len(y)
    means = np.full(n, np.nan)
    room, digits = ROWS + window, digits_below(window)
    m, m2, step = np.zeros(room), np.zeros(room), np.zeros(room)
    for first in range(window - 1, n, ROWS):
        piece = y[first - window + 1 : min(first + ROWS, n)]
        size, length = len(piece), 1
        m[:size] = piece - piece  # a missing value has a missing mean
        for digit in range(digits - 1, -1, -1):
            for single in (False, True):
                if single and (window >> digit) & 1 == 0:
                    continue
                join_means(piece, m[:size], length, single, step, m2)
                m, m2 = m2, m
                length += 1 if single else length
        means[first : first + size - window + 1] = m[window - 1 : size]
    return means


@jit
def joined_squares(y: Floats, window: int) -> tuple[Floats, Floats]:
    """The mean of each window relative to its newest value, and the sum of squares about it."""
    n = len(y)
    means, squares = np.full(n, np.nan), np.full(n, np.nan)
    room, digits = ROWS + window, digits_below(window)
    m, m2, s, s2, step = np.zeros(room), np.zeros(room), np.zeros(room), np.zeros(room), np.zeros(room)
    for first in range(window - 1, n, ROWS):
        piece = y[first - window + 1 : min(first + ROWS, n)]
        size, length = len(piece), 1
        m[:size], s[:size] = piece - piece, 0.0  # a missing value has a missing mean
        for digit in range(digits - 1, -1, -1):
            for single in (False, True):
                if single and (window >> digit) & 1 == 0:
                    continue
                join_means(piece, m[:size], length, single, step, m2)
                join_products(s[:size], step, step, length, single, s2)
                m, m2, s, s2 = m2, m, s2, s
                length += 1 if single else length
        means[first : first + size - window + 1] = m[window - 1 : size]
        squares[first : first + size - window + 1] = s[window - 1 : size]
    return means, squares


@jit
def joined_products(x: Floats, y: Floats, window: int) -> tuple[Floats, Floats, Floats]:
    """Sums of (x - mean)^2, (x - mean)(y - mean), (y - mean)^2 of each window."""
    n = len(x)
    xx, xy, yy = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    room, digits = ROWS + window, digits_below(window)
    now, after = np.zeros((5, room)), np.zeros((5, room))  # means of x and y, sums of xx, xy, yy
    step_x, step_y = np.zeros(room), np.zeros(room)
    for first in range(window - 1, n, ROWS):
        px, py = x[first - window + 1 : min(first + ROWS, n)], y[first - window + 1 : min(first + ROWS, n)]
        size, length = len(px), 1
        now[0, :size], now[1, :size], now[2:, :size] = px - px, py - py, 0.0
        for digit in range(digits - 1, -1, -1):
            for single in (False, True):
                if single and (window >> digit) & 1 == 0:
                    continue
                join_means(px, now[0, :size], length, single, step_x, after[0])
                join_means(py, now[1, :size], length, single, step_y, after[1])
                join_products(now[2, :size], step_x, step_x, length, single, after[2])
                join_products(now[3, :size], step_x, step_y, length, single, after[3])
                join_products(now[4, :size], step_y, step_y, length, single, after[4])
                now, after = after, now
                length += 1 if single else length
        xx[first : first + size - window + 1] = now[2, window - 1 : size]
        xy[first : first + size - window + 1] = now[3, window - 1 : size]
        yy[first : first + size - window + 1] = now[4, window - 1 : size]
    return xx, xy, yy
