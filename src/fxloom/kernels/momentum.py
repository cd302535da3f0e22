"""Changes of a series: backward momentum, log changes, trailing five-minute bars."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit
from fxloom.kernels.moments import BLOCK, LAGS, add_deviations
from fxloom.kernels.tolerances import ZERO_CHANGE


@jit
def backward_momentum(close: Floats, window: int) -> Floats:
    """m_W[t] = sum over i = 1..W of (C[t-i] - C[t]) / C[t] (n); exactly 0 below 1e-12; NaN in the first W rows.

    >>> backward_momentum(np.array([2.0, 1.0, 1.0]), 2)
    array([nan, nan,  1.])
    """
    n, whole = len(close), window - window % LAGS
    out, total = np.full(n, np.nan), np.empty(BLOCK)
    for begin in range(window, n, BLOCK):
        end = min(begin + BLOCK, n)
        now = close[begin:end]
        total[:] = 0.0
        for lag in range(1, whole + 1, LAGS):
            add_deviations(close[begin - lag - LAGS + 1 : end - lag], now, total, LAGS)
        for lag in range(whole + 1, window + 1):
            add_deviations(close[begin - lag : end - lag], now, total, 1)
        for i in range(end - begin):
            value = total[i] / now[i]
            out[begin + i] = 0.0 if abs(value) < ZERO_CHANGE else value
    return out


@jit
def log_changes(x: Floats) -> Floats:
    """ln(x[t] / x[t-1]) (n); below 1e-12 exactly 0; NaN in the first row."""
    out = np.full(len(x), np.nan)
    for t in range(1, len(x)):
        change = np.log(x[t] / x[t - 1])
        out[t] = 0.0 if abs(change) < ZERO_CHANGE else change
    return out


@jit
def five_minute_bars(x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Trailing bars of five values: open x[t-4], high and low of x[t-4..t], close x[t], each (n).

    All four are NaN in the first four rows; high and low also where the five values hold a NaN.
    """
    n = len(x)
    opened, high, low = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    close = np.full(n, np.nan)
    for t in range(4, n):
        opened[t], close[t] = x[t - 4], x[t]
        highest = lowest = x[t]
        for lag in range(1, 5):
            value = x[t - lag]
            if value > highest or np.isnan(value):
                highest = value
            if value < lowest or np.isnan(value):
                lowest = value
        high[t], low[t] = highest, lowest
    return opened, high, low, close
