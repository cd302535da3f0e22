"""Means, squares and products of rolling windows that hold all their values: see ``window_parts`` for the method.

Means are held relative to their part's newest value. A missing value makes the windows that hold it missing.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit
from fxloom.kernels.window_parts import BLOCK, joins_of


@jit
def merge_means(y: Floats, mean: Floats, length: int, single: bool, step: Floats, out: Floats) -> None:
    """Means of joined parts relative to their newest value, and the difference of means, older minus newer.

    Row i joins the part of ``length`` bars that ends there with the one that ends ``length`` bars before, or with the
    ``single`` bar there. Rows of ``step`` and ``out`` before ``length`` are left as they are.
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
def merge_products(product: Floats, step_x: Floats, step_y: Floats, length: int, single: bool, out: Floats) -> None:
    """Sums of products about the means of joined parts."""
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
def complete_means(y: Floats, window: int) -> Floats:
    """The mean of each window relative to its newest value (n), in units of ``y``."""
    n, joins = len(y), joins_of(window)
    means = np.full(n, np.nan)
    room = BLOCK + window
    m, m2, step = np.zeros(room), np.zeros(room), np.zeros(room)
    for first in range(window - 1, n, BLOCK):
        values = y[first - window + 1 : min(first + BLOCK, n)]
        size = len(values)
        m[:size] = values - values  # a missing value has a missing mean
        for k in range(len(joins)):
            merge_means(values, m[:size], joins[k, 0], joins[k, 0] > joins[k, 1], step, m2)
            m, m2 = m2, m
        means[first : first + size - window + 1] = m[window - 1 : size]
    return means


@jit
def complete_squares(y: Floats, window: int) -> tuple[Floats, Floats]:
    """The mean of each window relative to its newest value (n), and the sum of squares about it (n)."""
    n, joins = len(y), joins_of(window)
    means, squares = np.full(n, np.nan), np.full(n, np.nan)
    room = BLOCK + window
    m, m2, s, s2, step = np.zeros(room), np.zeros(room), np.zeros(room), np.zeros(room), np.zeros(room)
    for first in range(window - 1, n, BLOCK):
        values = y[first - window + 1 : min(first + BLOCK, n)]
        size = len(values)
        m[:size], s[:size] = values - values, 0.0  # a missing value has a missing mean
        for k in range(len(joins)):
            length, single = joins[k, 0], joins[k, 0] > joins[k, 1]
            merge_means(values, m[:size], length, single, step, m2)
            merge_products(s[:size], step, step, length, single, s2)
            m, m2, s, s2 = m2, m, s2, s
        means[first : first + size - window + 1] = m[window - 1 : size]
        squares[first : first + size - window + 1] = s[window - 1 : size]
    return means, squares


@jit
def complete_products(x: Floats, y: Floats, window: int) -> tuple[Floats, Floats, Floats]:
    """Sums of (x - mean)^2, (x - mean)(y - mean) and (y - mean)^2 of each window, each (n)."""
    n, joins = len(x), joins_of(window)
    xx, xy, yy = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    room = BLOCK + window
    now, after = np.zeros((5, room)), np.zeros((5, room))  # means of x and y, sums of xx, xy, yy
    step_x, step_y = np.zeros(room), np.zeros(room)
    for first in range(window - 1, n, BLOCK):
        values_x, values_y = (
            x[first - window + 1 : min(first + BLOCK, n)],
            y[first - window + 1 : min(first + BLOCK, n)],
        )
        size = len(values_x)
        now[0, :size], now[1, :size], now[2:, :size] = values_x - values_x, values_y - values_y, 0.0
        for k in range(len(joins)):
            length, single = joins[k, 0], joins[k, 0] > joins[k, 1]
            merge_means(values_x, now[0, :size], length, single, step_x, after[0])
            merge_means(values_y, now[1, :size], length, single, step_y, after[1])
            merge_products(now[2, :size], step_x, step_x, length, single, after[2])
            merge_products(now[3, :size], step_x, step_y, length, single, after[3])
            merge_products(now[4, :size], step_y, step_y, length, single, after[4])
            now, after = after, now
        xx[first : first + size - window + 1] = now[2, window - 1 : size]
        xy[first : first + size - window + 1] = now[3, window - 1 : size]
        yy[first : first + size - window + 1] = now[4, window - 1 : size]
    return xx, xy, yy
