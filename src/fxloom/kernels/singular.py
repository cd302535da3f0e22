"""Singular spectrum analysis of sliding windows of 60 values: Golyandina, Nekrutkin and Zhigljavsky (2001).

Windows are standardised and embedded with length 15; the first three eigenpairs of S = X X' / 46, its trace and its
norm are all that is needed. Rows of a block lie in the inner loops, so that they fill vector lanes.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit
from fxloom.kernels.tridiagonal import largest_eigenvalues, largest_eigenvectors, restore, tridiagonalise

WINDOW = 60
LENGTH = 15  # of the embedding
COLUMNS = WINDOW - LENGTH + 1
PAIRS = 3  # trend, and two of the oscillation
BLOCK = 96  # matrices of 15 x 15 x 96 stay in the second-level cache, and rows do not compete for cache sets
COINCIDE = 1e-9  # relative to the largest eigenvalue: closer ones have no vectors of their own
FORECAST_LIMIT = 10.0
VERTICAL = 1e-12  # 1 - nu^2 below this: the vectors span the last axis, and there is no recurrence
RESULTS = 8


@jit
def standardise(values: Floats, rounding: Floats, width: int, z: Floats) -> None:
    """z[i, s] = value i of the window that begins at values[s], standardised (ddof 1); 0 where ``rounding`` is NaN."""
    mean, square = np.zeros(width), np.zeros(width)
    newest = values[WINDOW - 1 :]
    for i in range(WINDOW - 1):
        for s in range(width):
            mean[s] += (values[s + i] - newest[s]) / WINDOW
    for i in range(WINDOW):
        for s in range(width):
            z[i, s] = values[s + i] - newest[s] - mean[s]
            square[s] += z[i, s] * z[i, s]
    for s in range(width):
        square[s] = np.sqrt((WINDOW - 1.0) / square[s])
    for i in range(WINDOW):
        for s in range(width):
            z[i, s] = 0.0 if np.isnan(rounding[s]) else z[i, s] * square[s]


@jit
def lag_covariance(z: Floats, width: int, out: Floats) -> None:
    """The lower triangle of S: out[i + lag, i] = mean of z[n] z[n + lag], n = i ... i + 45.

    The elements of one lag share the middle of their sums; only what differs at either end is added for each.
    """
    middle, end = np.zeros(width), np.zeros(width)
    for lag in range(LENGTH):
        last = LENGTH - 1 - lag
        for s in range(width):
            middle[s] = end[s] = 0.0
        for n in range(last, COLUMNS):
            for s in range(width):
                middle[s] += z[n, s] * z[n + lag, s]
        for s in range(width):
            out[last + lag, last, s] = middle[s]
        for i in range(last - 1, -1, -1):
            for s in range(width):
                end[s] += z[i, s] * z[i + lag, s]
                out[i + lag, i, s] = middle[s] + end[s]
        for s in range(width):
            end[s] = 0.0
        for i in range(1, last + 1):
            for s in range(width):
                end[s] += z[COLUMNS - 1 + i, s] * z[COLUMNS - 1 + i + lag, s]
                out[i + lag, i, s] += end[s]
        for i in range(last + 1):
            for s in range(width):
                out[i + lag, i, s] /= COLUMNS


@jit
def trace_and_norm(matrix: Floats, width: int, sums: Floats) -> None:
    """sums[0, 1] = the sum of the eigenvalues of S, and of their squares."""
    for s in range(width):
        sums[0, s] = sums[1, s] = 0.0
    for i in range(LENGTH):
        for s in range(width):
            sums[0, s] += matrix[i, i, s]
            sums[1, s] += matrix[i, i, s] * matrix[i, i, s]
        for j in range(i):
            for s in range(width):
                sums[1, s] += 2.0 * matrix[i, j, s] * matrix[i, j, s]


@jit
def end_values(z: Floats, vectors: Floats, width: int, out: Floats) -> None:
    """out[0 ... 2]: trend, oscillation and noise at the window's last value, which is one element of X alone."""
    projection = np.zeros((PAIRS, width))
    for j in range(PAIRS):
        for i in range(LENGTH):
            for s in range(width):
                projection[j, s] += vectors[j, i, s] * z[COLUMNS - 1 + i, s]
    for s in range(width):
        trend = vectors[0, LENGTH - 1, s] * projection[0, s]
        second, third = vectors[1, LENGTH - 1, s] * projection[1, s], vectors[2, LENGTH - 1, s] * projection[2, s]
        out[0, s] = trend
        out[1, s] = second + third
        out[2, s] = z[WINDOW - 1, s] - trend - (second + third)


@jit
def reconstruction(z: Floats, vectors: Floats, width: int, out: Floats) -> None:
    """out[m] = trend + oscillation at value 46 + m of the window, m = 0 ... 13, by averaging the antidiagonals."""
    projection = np.zeros(width)
    for m in range(LENGTH - 1):
        for s in range(width):
            out[m, s] = 0.0
    for column in range(COLUMNS - LENGTH + 1, COLUMNS):
        for j in range(PAIRS):
            for s in range(width):
                projection[s] = 0.0
            for i in range(LENGTH):
                for s in range(width):
                    projection[s] += vectors[j, i, s] * z[column + i, s]
            for i in range(COLUMNS - column, LENGTH):
                for s in range(width):
                    out[column + i - COLUMNS, s] += vectors[j, i, s] * projection[s]
    for m in range(LENGTH - 1):
        for s in range(width):
            out[m, s] /= LENGTH - 1.0 - m


@jit
def forecast(z: Floats, vectors: Floats, recent: Floats, width: int, out: Floats) -> None:
    """out[7]: the recurrent forecast of the next value minus the last one, within 10; NaN if there is no recurrence.

    ``recent`` is the result of ``reconstruction``.
    """
    total, vertical = np.zeros(width), np.zeros(width)
    for j in range(PAIRS):
        for s in range(width):
            vertical[s] += vectors[j, LENGTH - 1, s] * vectors[j, LENGTH - 1, s]
        for i in range(LENGTH - 1):
            for s in range(width):
                total[s] += vectors[j, LENGTH - 1, s] * vectors[j, i, s] * recent[i, s]
    for s in range(width):
        ahead = total[s] / (1.0 - vertical[s]) - z[WINDOW - 1, s]
        ahead = min(max(ahead, -FORECAST_LIMIT), FORECAST_LIMIT)
        out[7, s] = ahead if 1.0 - vertical[s] > VERTICAL else np.nan


@jit
def shares(values: Floats, sums: Floats, width: int, out: Floats) -> None:
    """out[3 ... 6]: shares of trend and oscillation, effective rank, pairing; NaN where eigenvalues coincide."""
    for s in range(width):
        first, second, third = values[0, s], values[1, s], values[2, s]
        near = COINCIDE * first
        out[3, s] = min(first / sums[0, s], 1.0)
        out[4, s] = min(max((second + third) / sums[0, s], 0.0), 1.0)
        out[5, s] = min(max(sums[0, s] * sums[0, s] / sums[1, s], 1.0), float(LENGTH))
        out[6, s] = min(max(third / second, 0.0), 1.0) if second >= near else np.nan
        if first - second < near:
            out[0, s] = out[1, s] = np.nan
        if third - values[3, s] < near:
            out[1, s] = out[2, s] = out[7, s] = np.nan


def singular_spectra(y: Floats, rounding: Floats, first: int) -> Floats:
    """Features of each window of 60 bars, shape (8, len(y)), for rows from ``first`` on.

    Trend, oscillation and noise at the current bar (in standard deviations of the window); shares of the first
    eigenvalue and of the two next; effective rank; third over second eigenvalue; forecast minus current value.
    NaN before ``first``, where ``rounding`` is NaN (a flat window), and where eigenvalues coincide.

    The loop over blocks is Python, at a microsecond per call: a compiled loop would compile every stage again.
    """
    n = len(y)
    out = np.full((RESULTS, n), np.nan)
    z, recent, part = np.zeros((WINDOW, BLOCK)), np.zeros((LENGTH - 1, BLOCK)), np.zeros((RESULTS, BLOCK))
    matrix, beta = np.zeros((LENGTH, LENGTH, BLOCK)), np.zeros((LENGTH, BLOCK))
    sums, diagonal, off = np.zeros((2, BLOCK)), np.zeros((LENGTH, BLOCK)), np.zeros((LENGTH, BLOCK))
    values, vectors = np.zeros((PAIRS + 1, BLOCK)), np.zeros((PAIRS, LENGTH, BLOCK))
    for begin in range(max(first, WINDOW - 1), n, BLOCK):
        width = min(BLOCK, n - begin)
        known = rounding[begin : begin + width]
        standardise(y[begin - WINDOW + 1 : begin + width], known, width, z)
        lag_covariance(z, width, matrix)
        trace_and_norm(matrix, width, sums)
        tridiagonalise(matrix, width, diagonal, off, beta)
        largest_eigenvalues(diagonal, off, width, values)
        largest_eigenvectors(diagonal, off, values, width, vectors)
        restore(matrix, beta, width, vectors)
        end_values(z, vectors, width, part)
        reconstruction(z, vectors, width, recent)
        forecast(z, vectors, recent, width, part)
        shares(values, sums, width, part)
        out[:, begin : begin + width] = part[:, :width]
    out[:, np.isnan(rounding)] = np.nan
    return out + 0.0  # -0 and 0 are one value
