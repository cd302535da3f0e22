"""Power variations of returns and the statistics of jumps made of them."""

from __future__ import annotations

import math

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit
from fxloom.kernels.ratio import ratio
from fxloom.kernels.tree import tree_sum

HALF_PI = math.pi / 2.0  # 1 / (E abs(z))^2
MU_FOUR_THIRDS = 2.0 ** (2.0 / 3.0) * math.gamma(7.0 / 6.0) / math.gamma(0.5)  # E abs(z)^(4/3)
RATIO_VARIANCE = HALF_PI**2 + math.pi - 5.0


@jit
def neighbour_products(size: Floats) -> Floats:
    """abs(r[t] r[t-1]) from ``size`` = abs(r) (n); NaN in the first row."""
    out = np.full(len(size), np.nan)
    out[1:] = size[1:] * size[:-1]
    return out


@jit
def bipower_variance(size: Floats, window: int) -> Floats:
    """pi/2 times the mean of the window - 1 products of neighbours inside each window (n); ``size`` = abs(r)."""
    return HALF_PI / (window - 1) * tree_sum(neighbour_products(size), window - 1)


@jit
def jump_z(size: Floats, window: int) -> Floats:
    """The ratio jump statistic of Huang & Tauchen (2005), equations 13 to 16, of each window (n); ``size`` = abs(r).

    NaN where the bipower variance is 0.
    """
    n = float(window)
    roots = np.cbrt(size) * size
    triples = np.full(len(size), np.nan)
    triples[2:] = roots[2:] * roots[1:-1] * roots[:-2]
    realized = tree_sum(size * size, window)
    bipower = HALF_PI * n / (n - 1.0) * tree_sum(neighbour_products(size), window - 1)
    tripower = n * n / (n - 2.0) / MU_FOUR_THIRDS**3 * tree_sum(triples, window - 2)
    out = np.full(len(size), np.nan)
    for t in range(window - 1, len(size)):
        if bipower[t] > 0.0:
            noise = RATIO_VARIANCE / n * max(1.0, tripower[t] / (bipower[t] * bipower[t]))
            out[t] = (1.0 - bipower[t] / realized[t]) / np.sqrt(noise)
    return out


@jit
def ewma(y: Floats, span: int) -> Floats:
    """The exponential mean with alpha = 2 / (span + 1) (n), seeded with the first value; NaN before it."""
    out, alpha = np.full(len(y), np.nan), 2.0 / (span + 1.0)
    mean = np.nan
    for t in range(len(y)):
        mean = y[t] if np.isnan(mean) else mean + alpha * (y[t] - mean)
        out[t] = mean
    return out


@jit
def ewma_ratio(size: Floats, fast: int, slow: int, patience: int) -> Floats:
    """sqrt(EMA_fast(r^2) / EMA_slow(r^2)); NaN once more than ``patience`` bars in a row did not move."""
    squares = size * size
    out = np.sqrt(ratio(ewma(squares, fast), ewma(squares, slow)))
    still = 0
    for t in range(len(size)):
        still = still + 1 if size[t] == 0.0 else 0
        if still > patience:
            out[t] = np.nan
    return out
