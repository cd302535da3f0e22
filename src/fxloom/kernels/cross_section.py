"""Ranks, deviations and rank correlations across the pairs present at each bar."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Flags, Floats, Ints
from fxloom.kernels.jit import jit
from fxloom.kernels.order import insert, median
from fxloom.kernels.tolerances import EQUAL, FLAT_RANGE

LEAST = 3  # pairs that a cross-sectional value requires
MAD_SCALE = 1.4826  # standard deviation of a normal distribution over its median absolute deviation


@jit
def twice_below(value: float, others: Floats, held: Ints, count: int, relative: float, absolute: float) -> int:
    """Twice the number of the first ``count`` of ``others`` below ``value``, ties half.

    ``held`` is 1 for those that count, else 0. Equal: within ``relative`` of the larger magnitude or within
    ``absolute``. Integers and no branches, so that the loop vectorises.
    """
    twice, size = 0, abs(value)
    for j in range(count):
        gap, other = value - others[j], abs(others[j])
        near = relative * (size if size > other else other)
        near = near if near > absolute else absolute
        twice += held[j] * ((1 if gap > near else 0) + (1 if gap >= -near else 0))
    return twice


@jit
def share_below(values: Floats, known: Flags, group: Flags, least: int, relative: float, absolute: float) -> Floats:
    """Share of the other rows of ``group`` whose value is below each row's own, ties half: (rows, n).

    ``values`` and ``known`` (rows, n), ``group`` (rows). Values are equal within ``relative`` of the larger one or
    within ``absolute``. Missing where the row's own value is, and with fewer than ``least`` others.
    """
    rows, n = values.shape
    out = np.full((rows, n), np.nan)
    column, there, held = np.empty(rows), np.empty(rows, np.int64), np.empty(rows, np.int64)
    for t in range(n):
        members = 0
        for i in range(rows):
            there[i] = 1 if known[i, t] and values[i, t] == values[i, t] else 0
            column[i] = values[i, t] if there[i] else 0.0
            held[i] = there[i] if group[i] else 0
            members += held[i]
        for i in range(rows):
            others = members - held[i]
            if there[i] and others >= least:
                twice = twice_below(column[i], column, held, rows, relative, absolute)
                out[i, t] = 0.5 * (twice - held[i]) / others  # without itself, which is its own equal
    return out


@jit
def robust_scores(values: Floats, known: Flags) -> Floats:
    """(value - median) / (1.4826 MAD) across the rows of each bar (rows, n).

    NaN where the MAD is 0 (at most 1e-13 of the largest value), and with fewer than three values.
    """
    rows, n = values.shape
    out = np.full((rows, n), np.nan)
    column, gaps = np.empty(rows), np.empty(rows)
    for t in range(n):
        count = 0
        for i in range(rows):
            if known[i, t] and values[i, t] == values[i, t]:
                insert(column, count, values[i, t])
                count += 1
        if count < LEAST:
            continue
        centre = median(column, count)
        for k in range(count):
            insert(gaps, k, abs(column[k] - centre))
        mad = median(gaps, count)
        if mad > FLAT_RANGE * max(abs(column[0]), abs(column[count - 1])):
            for i in range(rows):
                if known[i, t]:
                    out[i, t] = (values[i, t] - centre) / (MAD_SCALE * mad)
    return out


@jit
def ranks_of(values: Floats, held: Ints, out: Floats, count: int) -> None:
    """Ranks of the first ``count`` values from 0 on, ties averaged; ``held`` is 1 for each of them."""
    for i in range(count):
        out[i] = 0.5 * twice_below(values[i], values, held, count, EQUAL, 0.0) - 0.5  # without itself


@jit
def spearman(x: Floats, y: Floats, known: Flags) -> Floats:
    """Spearman's correlation at each bar (n) across the rows with both values.

    NaN with fewer than three such rows, and where all values of one are equal.
    """
    rows, n = x.shape
    out = np.full(n, np.nan)
    a, b, rank_a, rank_b = np.empty(rows), np.empty(rows), np.empty(rows), np.empty(rows)
    held = np.ones(rows, np.int64)
    for t in range(n):
        count = 0
        for i in range(rows):
            if known[i, t] and x[i, t] == x[i, t] and y[i, t] == y[i, t]:
                a[count], b[count] = x[i, t], y[i, t]
                count += 1
        if count < LEAST:
            continue
        ranks_of(a, held, rank_a, count)
        ranks_of(b, held, rank_b, count)
        middle = 0.5 * (count - 1)
        aa, ab, bb = 0.0, 0.0, 0.0
        for k in range(count):
            da, db = rank_a[k] - middle, rank_b[k] - middle
            aa, ab, bb = aa + da * da, ab + da * db, bb + db * db
        if aa > 0.0 and bb > 0.0:
            out[t] = min(max(ab / np.sqrt(aa * bb), -1.0), 1.0) + 0.0
    return out
