"""Covariance, correlation and regression slope of two series over rolling windows, each window computed anew."""

from __future__ import annotations

import numpy as np

from fxloom.bars import Floats
from fxloom.kernels.jit import jit
from fxloom.kernels.moments import BLOCK, LAGS, is_flat, may_be_flat, sum_deviations


@jit
def add_products(
    past_x: Floats,
    past_y: Floats,
    x: Floats,
    y: Floats,
    mx: Floats,
    my: Floats,
    xx: Floats,
    xy: Floats,
    yy: Floats,
    lags: int,
) -> None:
    """Add the squares and products of ``lags`` lags to each row's sums; row i's oldest values are past[i]."""
    for i in range(len(x)):
        sxx, sxy, syy = xx[i], xy[i], yy[i]
        for k in range(lags - 1, -1, -1):
            dx = past_x[i + k] - x[i] - mx[i]
            dy = past_y[i + k] - y[i] - my[i]
            sxx += dx * dx
            sxy += dx * dy
            syy += dy * dy
        xx[i], xy[i], yy[i] = sxx, sxy, syy


@jit
def sum_products(
    x: Floats, y: Floats, begin: int, end: int, window: int, mx: Floats, my: Floats, xx: Floats, xy: Floats, yy: Floats
) -> None:
    """Sums of squares and products about the means ``mx``, ``my``, which are relative to x[t] and y[t]."""
    whole, now_x, now_y = window - window % LAGS, x[begin:end], y[begin:end]
    xx[:], xy[:], yy[:] = 0.0, 0.0, 0.0
    for lag in range(0, whole, LAGS):
        past_x, past_y = x[begin - lag - LAGS + 1 : end - lag], y[begin - lag - LAGS + 1 : end - lag]
        add_products(past_x, past_y, now_x, now_y, mx, my, xx, xy, yy, LAGS)
    for lag in range(whole, window):
        past_x, past_y = x[begin - lag : end - lag], y[begin - lag : end - lag]
        add_products(past_x, past_y, now_x, now_y, mx, my, xx, xy, yy, 1)


@jit
def centred_products(x: Floats, y: Floats, window: int) -> tuple[Floats, Floats, Floats]:
    """Sums of (x - mean)^2, (x - mean)(y - mean), (y - mean)^2 of each window; exactly 0 for a flat series.

    A NaN in either series makes all three NaN.
    """
    n = len(x)
    xx, xy, yy = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    mx, my = np.empty(BLOCK), np.empty(BLOCK)
    for begin in range(window - 1, n, BLOCK):
        end = min(begin + BLOCK, n)
        sum_deviations(x, begin, end, window, mx)
        sum_deviations(y, begin, end, window, my)
        for i in range(end - begin):
            mx[i] /= window
            my[i] /= window
        sum_products(x, y, begin, end, window, mx, my, xx[begin:end], xy[begin:end], yy[begin:end])
        for t in range(begin, end):
            settle(x, y, t, window, xx, xy, yy)
    return xx, xy, yy


@jit
def settle(x: Floats, y: Floats, t: int, window: int, xx: Floats, xy: Floats, yy: Floats) -> None:
    """Make the sums at t missing where a value is, and exactly 0 where a series is flat."""
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
    out = np.full(len(xx), np.nan)
    for t in range(len(xx)):
        if xx[t] > 0.0 and yy[t] > 0.0:
            out[t] = min(max(xy[t] / (np.sqrt(xx[t]) * np.sqrt(yy[t])), -1.0), 1.0)
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
    out = np.full(len(x), np.nan)
    for t in range(window - 1, len(x)):
        if xx[t] > 0.0:
            out[t] = xy[t] / xx[t]
    return out
