"""Covariance, correlation and regression slope of two series over rolling windows, each window computed on its own."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.complete_windows import complete_products
from fxloom.kernels.flatness import is_flat, may_be_flat
from fxloom.kernels.jit import jit


@jit
def centred_products(x: Floats, y: Floats, window: int) -> tuple[Floats, Floats, Floats]:
    """Sums of (x - mean)^2, (x - mean)(y - mean), (y - mean)^2 of each window, each (n); exactly 0 for a flat series.

    A NaN in either series makes all three NaN.
    """
    xx, xy, yy = complete_products(x, y, window)
    for t in range(window - 1, len(x)):
        if np.isnan(xy[t]) or may_be_flat(xx[t], x[t], window) or may_be_flat(yy[t], y[t], window):
            settle(x, y, t, window, xx, xy, yy)
    return xx, xy, yy


@jit
def settle(x: Floats, y: Floats, t: int, window: int, xx: Floats, xy: Floats, yy: Floats) -> None:
    """Set the sums at t to NaN if a value is missing, and exactly to 0 if a series is flat."""
    if np.isnan(xy[t]):
        xx[t], yy[t] = np.nan, np.nan
        return
    if may_be_flat(xx[t], x[t], window) and is_flat(x, t, window):
        xx[t], xy[t] = 0.0, 0.0
    if may_be_flat(yy[t], y[t], window) and is_flat(y, t, window):
        yy[t], xy[t] = 0.0, 0.0


@jit
def rolling_cov(x: Floats, y: Floats, window: int) -> Floats:
    """The covariance (ddof 1) of x and y in each window; exactly 0 where either is flat."""
    return centred_products(x, y, window)[1] / (window - 1)


@jit
def corr_of(xx: Floats, xy: Floats, yy: Floats) -> Floats:
    """Correlations from centred sums of squares and products; NaN where either sum of squares is 0."""
    out = np.empty(len(xx))
    for t in range(len(xx)):  # 0 / 0 is NaN, and a comparison with NaN false
        corr = xy[t] / (np.sqrt(xx[t]) * np.sqrt(yy[t]))
        corr = 1.0 if corr > 1.0 else corr
        out[t] = -1.0 if corr < -1.0 else corr
    return out


@jit
def rolling_corr(x: Floats, y: Floats, window: int) -> Floats:
    """Pearson's correlation of x and y in each window, within [-1, 1]; NaN where either is flat."""
    xx, xy, yy = centred_products(x, y, window)
    return corr_of(xx, xy, yy)


@jit
def rolling_cov_corr(x: Floats, y: Floats, window: int) -> tuple[Floats, Floats]:
    """``rolling_cov`` and ``rolling_corr`` in one pass."""
    xx, xy, yy = centred_products(x, y, window)
    return xy / (window - 1), corr_of(xx, xy, yy)


@jit
def rolling_beta(y: Floats, x: Floats, window: int) -> Floats:
    """The least-squares slope of y on x (with intercept) in each window; NaN where x is flat."""
    xx, xy, _ = centred_products(x, y, window)
    return xy / xx  # 0 / 0 where x is flat
