"""Correlations of every pair with every other over nested windows, summed over sets of siblings as they are found."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.kernels.flatness import is_constant
from fxloom.kernels.jit import jit
from fxloom.kernels.partial_windows import (
    ROW,
    fill_single,
    holds_enough,
    join_parts,
    join_products,
    join_two,
    new_room,
)
from fxloom.kernels.window_parts import BLOCK, joins_of

NESTED = (15, 30, 60, 120)  # each the last one doubled: the parts of one are the halves of the next
JOINS = 9  # that build the longest window
ABSOLUTE = 2  # the window whose absolute correlations are summed over all other pairs
CROSS = 2  # the relation of pairs that share no currency: their correlations count by magnitude


@jit
def correlation_sums(r: Floats, present: Flags, relation: Ints, sign: Floats) -> tuple[Floats, Floats, Floats]:
    """Sums of rho_W over the sets of each pair, how many were defined, and the sums of all abs(rho_60).

    ``r`` and ``present`` (pairs, n); ``relation[p, q]`` is the set of p that q is in (0 base, 1 quote, 2 cross), and
    ``sign[p, q]`` makes q signed. Sums and counts are (sets, windows, pairs, n), magnitudes (pairs, n). Only the
    sums of products are built for each pair of pairs: the rest of a join depends on one series alone, unless a value
    is missing within the block; then both series are joined again over the bars that they share.
    """
    pairs, n = r.shape
    sums, counts = np.zeros((3, 4, pairs, n)), np.zeros((3, 4, pairs, n))
    magnitudes = np.zeros((pairs, n))
    joins = joins_of(NESTED[3])
    for block in range(0, n, BLOCK):
        begin, end = max(block - NESTED[3] + 1, 0), min(block + BLOCK, n)
        width, rows = end - begin, end - block
        steps, weights = np.zeros((pairs, JOINS, width)), np.zeros((pairs, JOINS, width))
        roots, full = np.empty((pairs, 4, rows)), np.zeros(pairs, np.int64)
        room_x, room_y = new_room(width), new_room(width)
        for p in range(pairs):
            full[p] = build(r[p, begin:end], begin, joins, room_x, steps[p], weights[p], roots[p])
        products = np.empty((4, rows))
        for p in range(pairs):
            for q in range(p + 1, pairs):
                if full[p] == 0 or full[q] == 0:
                    continue
                if full[p] == 2 and full[q] == 2:
                    multiply(steps[p], steps[q], weights[p], joins, products)
                    for w in range(4):
                        divide(products[w], roots[p, w], roots[q, w])
                else:
                    correlate(r[p, begin:end], r[q, begin:end], begin, joins, room_x, room_y, products)
                both = present[p, block:end] & present[q, block:end]
                for w in range(4):
                    a, b = relation[p, q], relation[q, p]
                    gather(products[w], both, a, sign[p, q], sums[a, w, p, block:end], counts[a, w, p, block:end])
                    gather(products[w], both, b, sign[q, p], sums[b, w, q, block:end], counts[b, w, q, block:end])
                add_magnitudes(products[ABSOLUTE], both, magnitudes[p, block:end], magnitudes[q, block:end])
    return sums, counts, magnitudes


@jit
def build(y: Floats, begin: int, joins: Ints, room: Floats, steps: Floats, weights: Floats, roots: Floats) -> int:
    """Steps and weights of every join of ``y``, and the roots of its squared deviations over the last bars.

    Returns 2 if every value is there, 0 if none.
    """
    single, now, after = room[0], room[1], room[2]
    fill_single(y, False, single)
    held = single[ROW.number].sum()
    now[:] = single
    for k in range(JOINS):
        join_parts(now, now if joins[k, 0] == joins[k, 1] else single, joins[k, 0], False, after)
        now, after = after, now
        steps[k], weights[k] = now[ROW.step], now[ROW.weight]
        if k >= JOINS - 4:
            root(now, now[ROW.number], y, begin, joins[k, 0] + joins[k, 1], roots[k - (JOINS - 4)])
    return 2 if held == len(y) else 1 if held > 0.0 else 0


@jit
def root(parts: Floats, count: Floats, y: Floats, begin: int, window: int, out: Floats) -> None:
    """Roots of the squared deviations over the last bars; NaN where a window holds too little or is constant."""
    first = len(y) - len(out)
    for i in range(len(out)):
        t = first + i
        moves = parts[ROW.ssd, t] > 0.0 and not is_constant(parts[ROW.high, t], parts[ROW.low, t])
        enough = holds_enough(count[t], y[t], begin + t, window)
        out[i] = np.sqrt(parts[ROW.ssd, t]) if enough and moves else np.nan


@jit
def correlate(one: Floats, other: Floats, begin: int, joins: Ints, room_x: Floats, room_y: Floats, rho: Floats) -> None:
    """Correlations of two series over the bars that they share, over the nested windows of the last rows (4, rows)."""
    x, y = np.where(np.isnan(other), np.nan, one), np.where(np.isnan(one), np.nan, other)
    single_x, now_x, after_x = room_x[0], room_x[1], room_x[2]
    single_y, now_y, after_y = room_y[0], room_y[1], room_y[2]
    fill_single(x, False, single_x)
    fill_single(y, False, single_y)
    now_x[:] = single_x
    now_y[:] = single_y
    rows = rho.shape[1]
    roots = np.empty((2, rows))
    for k in range(JOINS):
        double = joins[k, 0] == joins[k, 1]
        older_x, older_y = now_x if double else single_x, now_y if double else single_y
        join_two(now_x, older_x, now_y, older_y, joins[k], False, after_x, after_y)
        now_x, after_x, now_y, after_y = after_x, now_x, after_y, now_y
        if k >= JOINS - 4:
            w, window = k - (JOINS - 4), joins[k, 0] + joins[k, 1]
            root(now_x, now_x[ROW.number], x, begin, window, roots[0])
            root(now_y, now_x[ROW.number], y, begin, window, roots[1])
            rho[w] = now_x[ROW.product, len(x) - rows :]
            divide(rho[w], roots[0], roots[1])


@jit
def multiply(step_x: Floats, step_y: Floats, weight: Floats, joins: Ints, products: Floats) -> None:
    """Sums of dx dy over the nested windows, of the last rows."""
    width, rows = step_x.shape[1], products.shape[1]
    now, after = np.zeros(width), np.zeros(width)
    for k in range(len(joins)):
        lag, single = joins[k, 0], joins[k, 0] > joins[k, 1]
        older, steps_x, steps_y = now[: width - lag], step_x[k, lag:], step_y[k, lag:]
        join_products(now[lag:], older, single, steps_x, steps_y, weight[k, lag:], after[lag:])
        now, after = after, now
        if k >= JOINS - 4:
            products[k - (JOINS - 4)] = now[width - rows :]


@jit
def divide(products: Floats, root_x: Floats, root_y: Floats) -> None:
    """Product sums to correlations, in place."""
    for i in range(len(products)):
        rho = products[i] / (root_x[i] * root_y[i])
        products[i] = 1.0 if rho > 1.0 else -1.0 if rho < -1.0 else rho


@jit
def gather(rho: Floats, both: Flags, relation: int, sign: float, total: Floats, count: Floats) -> None:
    """Add the defined correlations, signed, or for the cross set their magnitudes."""
    for i in range(len(rho)):
        value = abs(rho[i]) if relation == CROSS else sign * rho[i]
        known = both[i] and value == value
        total[i] += value if known else 0.0
        count[i] += 1.0 if known else 0.0


@jit
def add_magnitudes(rho: Floats, both: Flags, one: Floats, other: Floats) -> None:
    """Add the magnitudes of the defined correlations to both pairs' sums."""
    for i in range(len(rho)):
        value = abs(rho[i]) if both[i] and rho[i] == rho[i] else 0.0
        one[i] += value
        other[i] += value
