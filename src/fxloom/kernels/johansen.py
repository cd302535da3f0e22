"""Johansen's test of three series, one lagged difference and a constant, and what follows from its vectors."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats, Ints
from fxloom.kernels.jit import jit

SINGULAR = 1e-10  # pivot of a covariance, as a share of its variance, below which it counts as singular
LANES = 64  # partial sums of a long product
SWEEPS = 12  # of Jacobi's rotations; five to eight are enough for three rows
# Rows of a fit: three eigenvalues, the weights of the first and the second vector, means of the levels, and of each
# vector's error: its standard deviation, AR(1) coefficient and adjustment of the first series.
VALUES, FIRST, SECOND, MEANS, STD, PHI, ADJUSTMENT = 0, 3, 6, 9, 12, 13, 14
FITTED = 15


@jit
def johansen_fits(y: Floats, ends: Ints, window: int) -> Floats:
    """(fits, 15): Johansen's fit (det_order 0, k_ar_diff 1) of y[:, end - window : end] for every end.

    ``y`` (3, n). NaN where a window is not inside the series, has a missing value or is near-singular.

    Source: S. Johansen (1991), Estimation and hypothesis testing of cointegration vectors in Gaussian VAR models;
    the numbers are those of statsmodels' coint_johansen.
    """
    out = np.full((len(ends), FITTED), np.nan)
    for k in range(len(ends)):
        begin = ends[k] - window
        if begin >= 0:
            fit(y[:, begin : ends[k]], out[k])
    return out


@jit
def fit(y: Floats, out: Floats) -> None:
    """One fit into ``out``, which is left unchanged if there is none."""
    levels, means = deviations(y)
    if np.isnan(means.sum()):
        return
    values, vectors = vectors_of(moments(levels))
    if np.isnan(values[0]) or vectors[0, 0] == 0.0 or vectors[0, 1] == 0.0:
        return
    for i in range(3):
        out[VALUES + i], out[MEANS + i] = values[i], means[i]
        out[FIRST + i], out[SECOND + i] = vectors[i, 0], vectors[i, 1]
    describe(levels, vectors[:, 0].copy(), out)


@jit
def deviations(y: Floats) -> tuple[Floats, Floats]:
    """(n, 3) deviations of the three series from their means, and the means."""
    n = y.shape[1]
    out, means = np.empty((n, 3)), np.empty(3)
    for i in range(3):
        origin, total = y[i, n - 1], 0.0
        for t in range(n):
            total += y[i, t] - origin
        means[i] = origin + total / n
        for t in range(n):
            out[t, i] = (y[i, t] - origin) - total / n
    return out, means


@jit
def moments(levels: Floats) -> Floats:
    """(9, 9) covariances of changes, changes one bar before, and levels one bar before, each about its mean."""
    n = len(levels) - 2
    rows = np.zeros((9, (n + LANES - 1) // LANES * LANES))
    for i in range(3):
        for t in range(n):
            rows[i, t] = levels[t + 2, i] - levels[t + 1, i]
            rows[3 + i, t] = levels[t + 1, i] - levels[t, i]
            rows[6 + i, t] = levels[t + 1, i]
    for i in range(9):
        total = 0.0
        for t in range(n):
            total += rows[i, t]
        for t in range(n):
            rows[i, t] -= total / n
    out = np.empty((9, 9))
    for i in range(9):
        for j in range(i + 1):
            out[i, j] = out[j, i] = inner(rows[i], rows[j]) / n
    return out


@jit
def inner(x: Floats, y: Floats) -> float:
    """Sum of x y in independent lanes; the length is a multiple of their number."""
    lanes = np.zeros(LANES)
    for k in range(0, len(x), LANES):
        a, b = x[k : k + LANES], y[k : k + LANES]
        for i in range(LANES):
            lanes[i] += a[i] * b[i]
    total = 0.0
    for i in range(LANES):
        total += lanes[i]
    return total


@jit
def block(s: Floats, i: int, j: int) -> Floats:
    """The 3 x 3 block of ``s`` at (i, j)."""
    out = np.empty((3, 3))
    for k in range(3):
        for c in range(3):
            out[k, c] = s[i + k, j + c]
    return out


@jit
def cholesky(a: Floats) -> Floats:
    """Lower triangular factor of a 3 x 3 covariance; NaN if it is singular or nearly so."""
    factor = np.zeros((3, 3))
    for i in range(3):
        for j in range(i + 1):
            total = a[i, j]
            for k in range(j):
                total -= factor[i, k] * factor[j, k]
            if i > j:
                factor[i, j] = total / factor[j, j]
            elif total > SINGULAR * a[i, i]:
                factor[i, i] = np.sqrt(total)
            else:
                factor[i, i] = np.nan
    return factor


@jit
def forward(factor: Floats, b: Floats) -> Floats:
    """factor^-1 b for lower triangular 3 x 3 ``factor``."""
    out = np.empty((3, 3))
    for c in range(3):
        for i in range(3):
            total = b[i, c]
            for k in range(i):
                total -= factor[i, k] * out[k, c]
            out[i, c] = total / factor[i, i]
    return out


@jit
def less_product(a: Floats, x: Floats, y: Floats) -> Floats:
    """a - x' y of 3 x 3 matrices."""
    out = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            out[i, j] = a[i, j] - (x[0, i] * y[0, j] + x[1, i] * y[1, j] + x[2, i] * y[2, j])
    return out


@jit
def transposed(a: Floats) -> Floats:
    """The transpose of a 3 x 3 matrix."""
    out = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            out[i, j] = a[j, i]
    return out


@jit
def vectors_of(s: Floats) -> tuple[Floats, Floats]:
    """Squared canonical correlations of changes and levels given the previous changes, largest first, and the vectors.

    Vectors are columns, scaled to absolute weights of sum 1 and a positive first weight. NaN where a covariance is
    singular.
    """
    lz = cholesky(block(s, 3, 3))
    d, l = forward(lz, block(s, 3, 0)), forward(lz, block(s, 3, 6))
    l0, lk = cholesky(less_product(block(s, 0, 0), d, d)), cholesky(less_product(block(s, 6, 6), l, l))
    if np.isnan(lz[2, 2] + l0[2, 2] + lk[2, 2]):  # a NaN pivot makes all that follow NaN
        return np.full(3, np.nan), np.full((3, 3), np.nan)
    half = forward(l0, transposed(forward(lk, less_product(block(s, 6, 0), l, d))))  # l0^-1 S0k lk^-T
    values, rotated = eigenvectors(less_product(np.zeros((3, 3)), half, half))
    vectors = np.empty((3, 3))
    for c in range(3):
        values[c] = -values[c]
        for i in range(2, -1, -1):
            total = rotated[i, c]
            for k in range(i + 1, 3):
                total -= lk[k, i] * vectors[k, c]
            vectors[i, c] = total / lk[i, i]
        size = abs(vectors[0, c]) + abs(vectors[1, c]) + abs(vectors[2, c])
        size = -size if vectors[0, c] < 0.0 else size
        for i in range(3):
            vectors[i, c] = vectors[i, c] / size + 0.0
    return values, vectors


@jit
def eigenvectors(matrix: Floats) -> tuple[Floats, Floats]:
    """Eigenvalues of a symmetric 3 x 3 matrix, smallest first, and eigenvectors in columns, by Jacobi's rotations."""
    a, v = block(matrix, 0, 0), np.zeros((3, 3))
    v[0, 0], v[1, 1], v[2, 2] = 1.0, 1.0, 1.0
    for _ in range(SWEEPS):
        for p in range(2):
            for q in range(p + 1, 3):
                if a[p, q] != 0.0:
                    rotate(a, v, p, q)
    values, vectors = np.empty(3), np.empty((3, 3))
    for c in range(3):
        place = 0
        for k in range(3):
            if a[k, k] < a[c, c] or (a[k, k] == a[c, c] and k < c):
                place += 1
        values[place] = a[c, c]
        for i in range(3):
            vectors[i, place] = v[i, c]
    return values, vectors


@jit
def rotate(a: Floats, v: Floats, p: int, q: int) -> None:
    """One Jacobi rotation that makes a[p, q] zero, in place; ``v`` accumulates the rotations."""
    theta = (a[q, q] - a[p, p]) / (2.0 * a[p, q])
    t = 1.0 / (abs(theta) + np.sqrt(theta * theta + 1.0))
    t = -t if theta < 0.0 else t
    c = 1.0 / np.sqrt(t * t + 1.0)
    s = t * c
    for k in range(3):
        a[k, p], a[k, q] = c * a[k, p] - s * a[k, q], s * a[k, p] + c * a[k, q]
    for k in range(3):
        a[p, k], a[q, k] = c * a[p, k] - s * a[q, k], s * a[p, k] + c * a[q, k]
        v[k, p], v[k, q] = c * v[k, p] - s * v[k, q], s * v[k, p] + c * v[k, q]
    a[p, q], a[q, p] = 0.0, 0.0


@jit
def describe(levels: Floats, weights: Floats, out: Floats) -> None:
    """The error of the first vector in the window: its deviation, its AR(1), the first series' adjustment to it."""
    n = len(levels)
    error = np.empty(n)
    for t in range(n):
        error[t] = weights[0] * levels[t, 0] + weights[1] * levels[t, 1] + weights[2] * levels[t, 2]
    total, before, change = 0.0, 0.0, 0.0
    for t in range(1, n):
        total += error[t]
        before += error[t - 1]
        change += levels[t, 0] - levels[t - 1, 0]
    mean, total, before, change = (total + error[0]) / n, total / (n - 1), before / (n - 1), change / (n - 1)
    ssd, see, sne, sce = (error[0] - mean) ** 2, 0.0, 0.0, 0.0
    for t in range(1, n):
        lagged = error[t - 1] - before
        ssd += (error[t] - mean) ** 2
        see += lagged * lagged
        sne += lagged * (error[t] - total)
        sce += lagged * (levels[t, 0] - levels[t - 1, 0] - change)
    out[STD], out[PHI], out[ADJUSTMENT] = np.sqrt(ssd / (n - 1)), sne / see, sce / see
