"""Correlations of every pair with every other over nested windows, summed over sets of siblings as they are found."""

from __future__ import annotations

import numpy as np

from fxloom.bars import Flags, Floats, Ints
from fxloom.kernels.jit import jit
from fxloom.kernels.present_moments import (
    COUNT,
    KEPT,
    ROWS,
    SSD,
    STEP,
    WEIGHT,
    join_pieces,
    join_products,
    joins_of,
    lay_leaves,
    settle,
)

NESTED = (15, 30, 60, 120)  # each the last one doubled: the pieces of one are the halves of the next
JOINS = 9  # joins that build the longest
ABSOLUTE = 2  # the window whose absolute correlations are summed over all other pairs
CROSS = 2  # the relation of pairs that share no currency: their correlations count by magnitude


@jit
def correlation_sums(r: Floats, present: Flags, relation: Ints, sign: Floats) -> tuple[Floats, Floats, Floats]:
    """Sums of rho_W over the sets of each pair, how many were defined, and the sums of all abs(rho_60).

    ``r`` and ``present`` (pairs, n); ``relation[p, q]``: the set of p that q is in (0 base, 1 quote, 2 cross);
    ``sign[p, q]`` makes q signed. Sums and counts (sets, windows, pairs, n), magnitudes (pairs, n). Only the product
    sums of two series are built a pair of pairs: the rest of a join depends on each series alone, unless a value is
    missing within the block, where both series are taken anew over the bars that they share.
    """
    pairs, n = r.shape
    sums, counts = np.zeros((3, 4, pairs, n)), np.zeros((3, 4, pairs, n))
    magnitudes = np.zeros((pairs, n))
    joins = joins_of(NESTED[3])
    for block in range(0, n, ROWS):
        begin, end = max(block - NESTED[3] + 1, 0), min(block + ROWS, n)
        width, rows = end - begin, end - block
        steps, weights = np.zeros((pairs, JOINS, width)), np.zeros((pairs, JOINS, width))
        roots, full = np.empty((pairs, 4, rows)), np.zeros(pairs, np.int64)
        one_x, one_y = np.zeros((2, JOINS, width)), np.zeros((2, JOINS, width))
        root_x, root_y = np.empty((4, rows)), np.empty((4, rows))
        for p in range(pairs):
            full[p] = build(r[p, begin:end], begin, rows, joins, steps[p], weights[p], roots[p])
        products = np.empty((4, rows))
        for p in range(pairs):
            for q in range(p + 1, pairs):
                if full[p] == 0 or full[q] == 0:
                    continue
                if full[p] == 2 and full[q] == 2:
                    multiply(steps[p], steps[q], weights[p], joins, products)
                    divide(products, roots[p], roots[q])
                else:
                    x = np.where(np.isnan(r[q, begin:end]), np.nan, r[p, begin:end])
                    y = np.where(np.isnan(r[p, begin:end]), np.nan, r[q, begin:end])
                    build(x, begin, rows, joins, one_x[0], one_x[1], root_x)
                    build(y, begin, rows, joins, one_y[0], one_y[1], root_y)
                    multiply(one_x[0], one_y[0], one_x[1], joins, products)
                    divide(products, root_x, root_y)
                both = present[p, block:end] & present[q, block:end]
                for w in range(4):
                    a, b = relation[p, q], relation[q, p]
                    gather(products[w], both, a, sign[p, q], sums[a, w, p, block:end], counts[a, w, p, block:end])
                    gather(products[w], both, b, sign[q, p], sums[b, w, q, block:end], counts[b, w, q, block:end])
                add_magnitudes(products[ABSOLUTE], both, magnitudes[p, block:end], magnitudes[q, block:end])
    return sums, counts, magnitudes


@jit
def build(y: Floats, begin: int, rows: int, joins: Ints, steps: Floats, weights: Floats, roots: Floats) -> int:
    """Steps and weights of every join of ``y``, and the roots of its squared deviations over the last ``rows`` bars.

    Roots are NaN where a window holds too little or is constant. Returns 2 if every value is there, 0 if none.
    """
    leaves = np.zeros((KEPT, len(y)))
    lay_leaves(y, False, leaves)
    now, after = leaves.copy(), np.zeros_like(leaves)
    for k in range(len(joins)):
        join_pieces(now, leaves if joins[k, 1] == 1 else now, joins[k, 0], after)
        now, after = after, now
        steps[k], weights[k] = now[STEP], now[WEIGHT]
        w = k - (JOINS - 4)
        if w >= 0:
            window = joins[k, 0] + joins[k, 1]
            settled = now.copy()
            settle(settled, y, begin, window)
            for i in range(rows):
                ssd = settled[SSD, len(y) - rows + i]
                roots[w, i] = np.sqrt(ssd) if ssd > 0.0 else np.nan
    held = leaves[COUNT].sum()
    return 2 if held == len(y) else 1 if held > 0.0 else 0


@jit
def multiply(step_x: Floats, step_y: Floats, weight: Floats, joins: Ints, products: Floats) -> None:
    """Sums of dx dy over the nested windows, of the last rows."""
    width, rows = step_x.shape[1], products.shape[1]
    now, after = np.zeros(width), np.zeros(width)
    for k in range(len(joins)):
        join_products(now, joins[k, 1] == 1, step_x[k], step_y[k], weight[k], joins[k, 0], after)
        now, after = after, now
        if k >= JOINS - 4:
            products[k - (JOINS - 4)] = now[width - rows :]


@jit
def divide(products: Floats, root_x: Floats, root_y: Floats) -> None:
    """Product sums to correlations, in place."""
    for w in range(4):
        for i in range(products.shape[1]):
            rho = products[w, i] / (root_x[w, i] * root_y[w, i])
            products[w, i] = 1.0 if rho > 1.0 else -1.0 if rho < -1.0 else rho


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
