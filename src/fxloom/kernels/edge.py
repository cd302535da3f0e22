"""Spread estimators from open, high, low and close: EDGE, Abdi & Ranaldo, Corwin & Schultz.

Bars are taken ``stride`` rows apart: t, t - stride, ... Every estimator is built from pairs of neighbouring bars.
Logs are subtracted in the same order as in the authors' own package: where EDGE's two expectations cancel, the spread
is the root of rounding noise, and only the same steps give the same noise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit
from fxloom.kernels.moments import sum_strided
from fxloom.kernels.tolerances import ZERO_CHANGE

BLOCK = 256
CORWIN = 3.0 - 2.0 * np.sqrt(2.0)


class BarPairs(NamedTuple):
    """Each bar with the bar before it, in logs; m is the mean of log high and log low."""

    middle_open: Floats  # m - open
    open_middle: Floats  # open - previous m
    middle_close: Floats  # m - previous close
    close_middle: Floats  # previous close - previous m
    open_close: Floats  # open - previous close
    moved: Floats  # 1 where high, low and previous close are not all one price
    open_inside: Floats  # moved x (number of this bar's extremes that the open is not)
    close_inside: Floats  # moved x (number of the previous bar's extremes that the previous close is not)


@jit
def differ(a: float, b: float, tolerance: float) -> float:
    """1 where two prices differ by more than ``tolerance`` relative, else 0."""
    return 1.0 if abs(a - b) > tolerance * max(abs(a), abs(b)) else 0.0


@jit
def bar_pairs(opened: Floats, high: Floats, low: Floats, close: Floats, stride: int, tolerance: float) -> BarPairs:
    """``BarPairs`` of bars ``stride`` rows apart; missing in the first ``stride`` rows."""
    n = len(close)
    terms = np.full((8, n), np.nan)
    o, h, l, c = np.log(opened), np.log(high), np.log(low), np.log(close)
    for t in range(stride, n):
        p = t - stride
        middle, before = (h[t] + l[t]) / 2.0, (h[p] + l[p]) / 2.0
        terms[0, t], terms[1, t] = middle - o[t], o[t] - before
        terms[2, t], terms[3, t], terms[4, t] = middle - c[p], c[p] - before, o[t] - c[p]
        moved = max(differ(high[t], low[t], tolerance), differ(low[t], close[p], tolerance))
        terms[5, t] = moved
        terms[6, t] = moved * (differ(opened[t], high[t], tolerance) + differ(opened[t], low[t], tolerance))
        terms[7, t] = moved * (differ(close[p], high[p], tolerance) + differ(close[p], low[p], tolerance))
    return BarPairs(terms[0], terms[1], terms[2], terms[3], terms[4], terms[5], terms[6], terms[7])


@jit
def edge(
    r1: Floats, r2: Floats, r3: Floats, r4: Floats, r5: Floats, tau: Floats, po: Floats, pc: Floats, n: int, stride: int
) -> Floats:
    """The EDGE spread (a share of the price) over windows of ``n`` bars, from their ``bar_pairs``, one per row.

    The root of the absolute value in Ardia, Guidotti & Kroencke (2024), with means over the n - 1 pairs inside the
    window. NaN where fewer than two pairs moved, or where all opens or all closes lie at both extremes of their bars.
    """
    rows, pairs = len(r1), n - 1
    out = np.full(rows, np.nan)
    sums, input_sums = np.empty((6, BLOCK)), np.empty((4, BLOCK))
    for begin in range(pairs * stride, rows, BLOCK):
        end = min(begin + BLOCK, rows)
        for k, term in enumerate((r1, r3, r5, tau, po, pc)):
            sum_strided(term, begin, end, pairs, stride, sums[k])
        for i in range(end - begin):
            for k in range(3):
                sums[k, i] /= sums[3, i]  # means of the pairs that moved
            sums[4, i] = -4.0 * pairs / sums[4, i]
            sums[5, i] = -4.0 * pairs / sums[5, i]
        sum_inputs(r1, r2, r3, r4, r5, tau, begin, end, pairs, stride, sums, input_sums)
        for i in range(end - begin):
            if sums[3, i] >= 2.0 and not np.isinf(sums[4, i]) and not np.isinf(sums[5, i]):
                out[begin + i] = spread_of(input_sums[:, i] / pairs)
    return out


@jit
def sum_inputs(
    r1: Floats,
    r2: Floats,
    r3: Floats,
    r4: Floats,
    r5: Floats,
    tau: Floats,
    begin: int,
    end: int,
    pairs: int,
    stride: int,
    sums: Floats,
    total: Floats,
) -> None:
    """Sums of EDGE's input vectors x1, x2 and of their squares."""
    total[:] = 0.0
    mean1, mean3, mean5, by_open, by_close = sums[0], sums[1], sums[2], sums[4], sums[5]
    first, second, first_squares, second_squares = total[0], total[1], total[2], total[3]
    for pair in range(pairs):
        a, b = begin - pair * stride, end - pair * stride
        p1, p2, p3, p4, p5, moved = r1[a:b], r2[a:b], r3[a:b], r4[a:b], r5[a:b], tau[a:b]
        for i in range(end - begin):
            d1 = (p1[i] - mean1[i] * moved[i]) * by_open[i]
            d3 = (p3[i] - mean3[i] * moved[i]) * by_close[i]
            d5 = (p5[i] - mean5[i] * moved[i]) * by_close[i]
            x1 = d1 * p2[i] + d3 * p4[i]
            x2 = d1 * p5[i] + d5 * p4[i]
            first[i] += x1
            second[i] += x2
            first_squares[i] += x1 * x1
            second_squares[i] += x2 * x2


@jit
def spread_of(means: Floats) -> float:
    """The absolute root of the two expectations, weighted by the other's variance."""
    e1, e2 = means[0], means[1]
    v1, v2 = means[2] - e1 * e1, means[3] - e2 * e2
    total = v1 + v2
    square = (v2 * e1 + v1 * e2) / total if total > 0.0 else (e1 + e2) / 2.0
    return np.sqrt(abs(square))  # type: ignore[no-any-return]


@jit
def corwin_schultz(high: Floats, low: Floats, stride: int) -> Floats:
    """The two-bar spread estimate of Corwin & Schultz (2012), a share of the price (n).

    Without gap adjustment; negative estimates are 0.
    """
    n = len(high)
    out, squares = np.full(n, np.nan), np.empty(n)
    for t in range(n):
        width = np.log(high[t] / low[t])
        squares[t] = width * width if width >= ZERO_CHANGE else width * 0.0
    for t in range(stride, n):
        beta = squares[t] + squares[t - stride]
        both = np.log(max(high[t], high[t - stride]) / min(low[t], low[t - stride]))
        alpha = ((np.sqrt(2.0) - 1.0) * np.sqrt(beta) - both * np.sqrt(CORWIN)) / CORWIN
        if beta == beta:
            out[t] = 2.0 * np.tanh(alpha / 2.0) if alpha > 0.0 else 0.0
    return out
