"""Least-squares lines and parabolas through rolling windows, each window fitted on its own.

The abscissa is the bar: u = 0 now, u = -lag before. Deviations from the newest value are projected on the
orthogonal polynomials of the fixed design, v = u + (W-1)/2 and v^2 - (W^2-1)/12, whose sums of squares are known;
residuals come from a second pass, never from a difference of large sums.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.flatness import is_flat, may_be_flat
from fxloom.kernels.jit import jit
from fxloom.kernels.moments import BLOCK, LAGS

EXACT = 1e-20  # a fit is exact if SSE is at most this times SST


class Parabola(NamedTuple):
    """The fits y = b + a1 u + a2 u^2 of ``rolling_parabola``, one array each."""

    a2: Floats  # curvature, units of y per bar squared
    a1: Floats  # slope at the newest bar, units of y per bar
    b: Floats  # fitted value at the newest bar
    r2: Floats  # 1 - SSE / SST; NaN if flat
    rmse: Floats  # sqrt(SSE / (W - 3))
    resid: Floats  # y - b
    autocorr: Floats  # lag-1 autocorrelation of the residuals; NaN if flat or exact
    pred: Floats  # fitted value at u = 1, minus y
    tstat: Floats  # t statistic of a2, within [-100, 100]; NaN if flat or exact


@jit
def add_projections(
    past: Floats, newest: Floats, v: float, spread: float, mean: Floats, first: Floats, second: Floats, lags: int
) -> None:
    """Add d, v d and (v^2 - spread) d of ``lags`` lags, d = past - newest; ``v`` belongs to the newest of them."""
    for i in range(len(newest)):
        s0, s1, s2 = mean[i], first[i], second[i]
        for lag in range(lags):
            d = past[i + lags - 1 - lag] - newest[i]
            u = v - lag
            s0 += d
            s1 += u * d
            s2 += (u * u - spread) * d
        mean[i], first[i], second[i] = s0, s1, s2


@jit
def project(y: Floats, begin: int, end: int, window: int, mean: Floats, first: Floats, second: Floats) -> None:
    """Coefficients of 1, v, v^2 - (W^2-1)/12 of the fits to y[t-lag] - y[t], t = begin..end-1."""
    w, whole, newest = float(window), window - window % LAGS, y[begin:end]
    v, spread = (w - 1.0) / 2.0, (w * w - 1.0) / 12.0
    mean[:], first[:], second[:] = 0.0, 0.0, 0.0
    for lag in range(0, whole, LAGS):
        add_projections(y[begin - lag - LAGS + 1 : end - lag], newest, v - lag, spread, mean, first, second, LAGS)
    for lag in range(whole, window):
        add_projections(y[begin - lag : end - lag], newest, v - lag, spread, mean, first, second, 1)
    for i in range(end - begin):
        mean[i] /= w
        first[i] /= w * spread
        second[i] /= w * spread * (w * w - 4.0) / 15.0


@jit
def add_residuals(
    past: Floats,
    newest: Floats,
    v: float,
    spread: float,
    mean: Floats,
    first: Floats,
    second: Floats,
    sse: Floats,
    lagged: Floats,
    later: Floats,
    lags: int,
) -> None:
    """Add squared residuals and products of neighbours; ``later`` holds the residual one bar after these lags."""
    for i in range(len(newest)):
        squares, products, after = sse[i], lagged[i], later[i]
        for lag in range(lags):
            u = v - lag
            fit = mean[i] + u * first[i] + (u * u - spread) * second[i]
            e = past[i + lags - 1 - lag] - newest[i] - fit
            squares += e * e
            products += e * after
            after = e
        sse[i], lagged[i], later[i] = squares, products, after


@jit
def sum_residuals(
    y: Floats,
    begin: int,
    end: int,
    window: int,
    mean: Floats,
    first: Floats,
    second: Floats,
    sse: Floats,
    lagged: Floats,
) -> None:
    """Sums of e[t-lag]^2 and of e[t-lag] e[t-lag-1] over the residuals of each fit."""
    w, whole, newest, later = float(window), window - window % LAGS, y[begin:end], np.zeros(end - begin)
    v, spread = (w - 1.0) / 2.0, (w * w - 1.0) / 12.0
    sse[:], lagged[:] = 0.0, 0.0
    for lag in range(0, whole, LAGS):
        past = y[begin - lag - LAGS + 1 : end - lag]
        add_residuals(past, newest, v - lag, spread, mean, first, second, sse, lagged, later, LAGS)
    for lag in range(whole, window):
        past = y[begin - lag : end - lag]
        add_residuals(past, newest, v - lag, spread, mean, first, second, sse, lagged, later, 1)


@jit
def describe_fits(
    w: float, first: Floats, second: Floats, sse: Floats, lagged: Floats, now: Floats, fit: Parabola
) -> None:
    """Fill a block of ``fit`` as if every window were neither flat nor fitted exactly; ``now`` is b - y[t]."""
    spread = (w * w - 1.0) / 12.0
    s1, s2 = w * spread, w * spread * (w * w - 4.0) / 15.0
    root = np.sqrt(s2)
    for i in range(len(now)):
        fit.a2[i] = second[i]
        fit.a1[i] = first[i] + (w - 1.0) * second[i]
        fit.pred[i] = now[i] + (fit.a1[i] + fit.a2[i])
    for i in range(len(now)):
        explained = first[i] * first[i] * s1 + second[i] * second[i] * s2
        fit.r2[i] = explained / (sse[i] + explained)
        fit.rmse[i] = np.sqrt(sse[i] / (w - 3.0))
    for i in range(len(now)):
        fit.resid[i] = 0.0 - now[i]
        fit.autocorr[i] = lagged[i] / sse[i]
        ratio = second[i] * root / fit.rmse[i]
        ratio = 100.0 if ratio > 100.0 else ratio
        fit.tstat[i] = -100.0 if ratio < -100.0 else ratio


@jit
def settle_fits(
    y: Floats, begin: int, window: int, first: Floats, second: Floats, sse: Floats, now: Floats, fit: Parabola
) -> None:
    """Correct the rows of a block whose window is flat or fitted exactly, and fill b."""
    w = float(window)
    spread = (w * w - 1.0) / 12.0
    s1, s2 = w * spread, w * spread * (w * w - 4.0) / 15.0
    for i in range(len(fit.b)):
        t = begin + i
        fit.b[i] = y[t] + now[i]
        total = sse[i] + (first[i] * first[i] * s1 + second[i] * second[i] * s2)
        flat = may_be_flat(total, y[t], window) and is_flat(y, t, window)
        if flat or sse[i] <= EXACT * total:
            fit.b[i], fit.rmse[i], fit.resid[i] = y[t] + 0.0, 0.0, 0.0
            fit.autocorr[i], fit.tstat[i] = np.nan, np.nan
        if flat:
            fit.a2[i], fit.a1[i], fit.pred[i], fit.r2[i] = 0.0, 0.0, 0.0, np.nan


@jit
def rows_of(out: Floats, begin: int, end: int) -> Parabola:
    """Columns begin..end-1 of the rows of a (9, n) array as the fields of a ``Parabola``."""
    a2, a1, b = out[0][begin:end], out[1][begin:end], out[2][begin:end]
    r2, rmse, resid = out[3][begin:end], out[4][begin:end], out[5][begin:end]
    return Parabola(a2, a1, b, r2, rmse, resid, out[6][begin:end], out[7][begin:end], out[8][begin:end])


@jit
def rolling_parabola(y: Floats, window: int) -> Parabola:
    """The least-squares parabola through each window of W > 3 bars; see ``Parabola``.

    Flat window: a2, a1, rmse, resid, pred are 0, b is y, the ratios are NaN. SSE <= 1e-20 SST is an exact fit:
    rmse and resid are 0, autocorr and tstat NaN.
    """
    n, w = len(y), float(window)
    out = np.empty((9, n))
    out[:, : window - 1] = np.nan
    mean, first, second = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    sse, lagged, now = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    h, spread = (w - 1.0) / 2.0, (w * w - 1.0) / 12.0
    for begin in range(window - 1, n, BLOCK):
        end = min(begin + BLOCK, n)
        m = end - begin
        project(y, begin, end, window, mean, first, second)
        sum_residuals(y, begin, end, window, mean, first, second, sse, lagged)
        for i in range(m):
            now[i] = mean[i] + h * first[i] + (h * h - spread) * second[i]
        block = rows_of(out, begin, end)
        describe_fits(w, first, second, sse, lagged, now[:m], block)
        settle_fits(y, begin, window, first, second, sse, now, block)
    return rows_of(out, 0, n)


@jit
def vertices(a2: Floats, a1: Floats, window: int, least: float) -> tuple[Floats, Floats]:
    """Where each parabola turns, in bars from now within [-2W, 2W], and how far from b it is there.

    NaN where abs(a2) W^2 is below ``least``: such a curvature is rounding noise.
    """
    place, height = np.empty(len(a2)), np.empty(len(a2))
    bound, square = 2.0 * window, float(window * window)
    for t in range(len(a2)):
        u = (0.0 - a1[t]) / (2.0 * a2[t])
        u = bound if u > bound else u
        u = -bound if u < -bound else u
        u = u + 0.0 if abs(a2[t]) * square >= least else np.nan  # -0 becomes 0
        place[t] = u
        height[t] = u * (a1[t] + a2[t] * u)
    return place, height


@jit
def rolling_line(y: Floats, window: int) -> tuple[Floats, Floats, Floats]:
    """Slope per bar, its t statistic and r2 of the least-squares line through each window of W > 2 bars.

    Flat window: slope 0, the others NaN. Exact fit (SSE <= 1e-20 SST): no t statistic.
    """
    n, w = len(y), float(window)
    slope, tstat, r2 = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    mean, first, none = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    sse, lagged = np.empty(BLOCK), np.empty(BLOCK)
    s1 = w * (w * w - 1.0) / 12.0
    for begin in range(window - 1, n, BLOCK):
        end = min(begin + BLOCK, n)
        project(y, begin, end, window, mean, first, none)
        none[:] = 0.0
        sum_residuals(y, begin, end, window, mean, first, none, sse, lagged)
        for i in range(end - begin):
            t = begin + i
            explained = first[i] * first[i] * s1
            total = sse[i] + explained
            if may_be_flat(total, y[t], window) and is_flat(y, t, window):
                slope[t] = 0.0
                continue
            slope[t] = first[i]
            r2[t] = explained / total
            if sse[i] > EXACT * total:
                tstat[t] = first[i] * np.sqrt(s1 * (w - 2.0) / sse[i])
    return slope, tstat, r2


@jit
def rolling_slope(y: Floats, window: int) -> Floats:
    """The least-squares slope per bar of each window; exactly 0 in a flat one."""
    n, w = len(y), float(window)
    out = np.full(n, np.nan)
    centre, squares = (w - 1.0) / 2.0, w * (w * w - 1.0) / 12.0
    for begin in range(window - 1, n, BLOCK):
        end = min(begin + BLOCK, n)
        newest, total = y[begin:end], out[begin:end]
        total[:] = 0.0
        for lag in range(window):
            past = y[begin - lag : end - lag]
            v = centre - lag
            for i in range(end - begin):
                total[i] += v * (past[i] - newest[i])
        for i in range(end - begin):
            slope = total[i] / squares
            explained = slope * slope * squares
            flat = may_be_flat(explained, newest[i], window) and is_flat(y, begin + i, window)
            total[i] = 0.0 if flat else slope
    return out
