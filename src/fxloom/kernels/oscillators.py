"""Oscillators between rises and falls, and within the range of a window, as TA-Lib defines them."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.extremes import rolling_max, rolling_min
from fxloom.kernels.jit import jit
from fxloom.kernels.recursion import wilder
from fxloom.kernels.tolerances import FLAT_RANGE

BLOCK = 512
DEAD_ZONE = 1e-14  # typical prices are equal if they differ by at most this times their sum: TA-Lib's dead zone


@jit
def rises_and_falls(x: Floats, period: int) -> tuple[Floats, Floats]:
    """Wilder's averages of the rises and of the falls of ``x``, both >= 0."""
    up, down = np.full(len(x), np.nan), np.full(len(x), np.nan)
    for t in range(1, len(x)):
        change = x[t] - x[t - 1]
        if change == change:
            up[t], down[t] = max(change, 0.0), max(-change, 0.0)
    return wilder(up, period), wilder(down, period)


@jit
def share_of_rises(x: Floats, period: int, patience: int, neutral: float) -> Floats:
    """(rise - neutral fall) / (rise + fall) of Wilder's averages; 0 where neither is left.

    While ``x`` does not change both fade alike, and TA-Lib keeps their ratio forever. After ``patience`` such bars it
    is 0: a computation that begins within the standstill could not know the ratio.
    """
    rise, fall = rises_and_falls(x, period)
    still = 0
    for t in range(1, len(x)):
        still = still + 1 if x[t] == x[t - 1] else 0
        both = rise[t] + fall[t]
        rise[t] = 0.0 if both == 0.0 or still >= patience else (rise[t] - neutral * fall[t]) / both
    return rise


@jit
def rsi(x: Floats, period: int, patience: int) -> Floats:
    """RSI in percent (n): 100 rise / (rise + fall), 0 after ``patience`` bars without a change (``share_of_rises``)."""
    return 100.0 * share_of_rises(x, period, patience, 0.0)


@jit
def cmo(x: Floats, period: int, patience: int) -> Floats:
    """CMO in percent (n): 100 (rise - fall) / (rise + fall), 0 after ``patience`` bars without a change."""
    return 100.0 * share_of_rises(x, period, patience, 1.0)


@jit
def stochastic(high: Floats, low: Floats, close: Floats, window: int, least: float) -> Floats:
    """100 (close - lowest low) / (highest high - lowest low) (n); NaN where that range is not above ``least``."""
    top, bottom = rolling_max(high, window), rolling_min(low, window)
    for t in range(len(close)):
        reach = top[t] - bottom[t]
        top[t] = 100.0 * ((close[t] - bottom[t]) / reach) if reach > least else np.nan
    return top


@jit
def cci(typical: Floats, window: int) -> Floats:
    """Distance from the mean over 0.015 mean absolute deviations from it (n); NaN where all values are equal."""
    n = len(typical)
    out, mean, spread = np.full(n, np.nan), np.empty(BLOCK), np.empty(BLOCK)
    bound = window / 0.03  # where all values but the newest are equal
    for begin in range(window - 1, n, BLOCK):
        end = min(begin + BLOCK, n)
        newest, m = typical[begin:end], end - begin
        mean[:m], spread[:m] = 0.0, 0.0
        for lag in range(1, window):
            past = typical[begin - lag : end - lag]
            for i in range(m):
                mean[i] += past[i] - newest[i]
        for i in range(m):
            mean[i] /= window
        for lag in range(window):
            past = typical[begin - lag : end - lag]
            for i in range(m):
                spread[i] += abs(past[i] - newest[i] - mean[i])
        for i in range(m):
            if spread[i] > FLAT_RANGE * newest[i]:
                value = 0.0 - mean[i] / (0.015 * (spread[i] / window))
                out[begin + i] = min(max(value, -bound), bound)
    return out


@jit
def money_flow(typical: Floats, volume: Floats) -> tuple[Floats, Floats]:
    """Typical price times volume of bars that rose, and of bars that fell; 0 in both where it stayed."""
    up, down = np.full(len(typical), np.nan), np.full(len(typical), np.nan)
    for t in range(1, len(typical)):
        change, flow = typical[t] - typical[t - 1], typical[t] * volume[t]
        if change != change:
            continue
        moved = abs(change) > DEAD_ZONE * (typical[t] + typical[t - 1])
        up[t] = flow if moved and change > 0.0 else 0.0
        down[t] = flow if moved and change < 0.0 else 0.0
    return up, down


@jit
def buying_pressure(low: Floats, close: Floats) -> Floats:
    """Close minus the lower of the low and the previous close; missing at the first bar."""
    out = np.full(len(close), np.nan)
    for t in range(1, len(close)):
        if close[t - 1] == close[t - 1]:
            out[t] = close[t] - min(low[t], close[t - 1])
    return out
