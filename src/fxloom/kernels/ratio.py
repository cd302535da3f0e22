"""Quotients and logarithms of series, NaN where they are undefined."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit


@jit
def ratio(a: Floats, b: Floats) -> Floats:
    """a / b where b is above 0, else NaN (n); never a negative zero.

    >>> ratio(np.array([1.0, 0.0, -0.0]), np.array([2.0, 0.0, 1.0]))
    array([0.5, nan, 0. ])
    """
    out = np.full(len(a), np.nan)
    for t in range(len(a)):
        if b[t] > 0.0:
            out[t] = a[t] / b[t] + 0.0
    return out


@jit
def log(y: Floats) -> Floats:
    """ln(y) where y is above 0, else NaN."""
    out = np.full(len(y), np.nan)
    for t in range(len(y)):
        if y[t] > 0.0:
            out[t] = np.log(y[t])
    return out


@jit
def log1p(y: Floats) -> Floats:
    """ln(1 + y)."""
    out = np.empty(len(y))
    for t in range(len(y)):
        out[t] = np.log1p(y[t])
    return out
