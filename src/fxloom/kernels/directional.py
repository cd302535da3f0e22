"""Wilder's directional movement system, as TA-Lib computes it."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit
from fxloom.kernels.recursion import FADED, first_present


@jit
def true_range(high: float, low: float, before: float) -> float:
    """The range of a bar, extended to the close of the bar before it."""
    return max(high, before) - min(low, before)


@jit
def true_ranges(high: Floats, low: Floats, close: Floats, stride: int) -> Floats:
    """The true range of every bar (n), ``stride`` rows after the bar before it; NaN where that has no close."""
    out = np.full(len(close), np.nan)
    for t in range(stride, len(close)):
        before = close[t - stride]
        if before == before:  # max and min would ignore a missing close
            out[t] = true_range(high[t], low[t], before)
    return out


@jit
def movement(high: Floats, low: Floats, t: int) -> tuple[float, float]:
    """Plus and minus directional movement: the larger of the moves of high up and of low down, 0 on a tie."""
    up, down = high[t] - high[t - 1], low[t - 1] - low[t]
    if down > 0.0 and up < down:
        return 0.0, down
    if up > 0.0 and up > down:
        return up, 0.0
    return 0.0, 0.0


@jit
def faded(total: float, period: int) -> float:
    """A Wilder sum after one bar: it loses 1/period, and becomes 0 once it is too small to matter."""
    left = total - total / period
    return left if left > FADED else 0.0


@jit
def indicators(plus: float, minus: float, reach: float) -> tuple[float, float, float]:
    """PLUS_DI, MINUS_DI and DX; 0 where nothing moved."""
    if plus + minus == 0.0:
        return 0.0, 0.0, 0.0
    up, down = 100.0 * (plus / reach), 100.0 * (minus / reach)
    return up, down, 100.0 * (abs(down - up) / (up + down))


@jit
def directional(
    high: Floats, low: Floats, close: Floats, period: int, patience: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """PLUS_DI, MINUS_DI, DX, ADX of ``period`` bars, in percent, each (n).

    Movements and true ranges of the first period - 1 bars are summed, then each sum loses 1/period and gains the
    new bar's. ADX is Wilder's average of DX, seeded with ``period`` of them. After ``patience`` bars without any
    movement the first three are 0: TA-Lib keeps their ratios forever, but a computation that begins within the
    standstill could not know them.
    """
    n = len(close)
    plus_di, minus_di = np.full(n, np.nan), np.full(n, np.nan)
    dx, adx = np.full(n, np.nan), np.full(n, np.nan)
    start = first_present(close)
    plus, minus, reach, average, still = 0.0, 0.0, 0.0, 0.0, 0
    for t in range(start + 1, n):
        age = t - start
        if age >= period:
            plus, minus, reach = faded(plus, period), faded(minus, period), faded(reach, period)
        up, down = movement(high, low, t)
        plus, minus, reach = plus + up, minus + down, reach + true_range(high[t], low[t], close[t - 1])
        still = still + 1 if up + down == 0.0 else 0
        if age < period:
            continue
        if still < patience:
            plus_di[t], minus_di[t], dx[t] = indicators(plus, minus, reach)
        else:
            plus_di[t], minus_di[t], dx[t] = 0.0, 0.0, 0.0
        if age < 2 * period:
            average += dx[t] / period
        else:
            average = (average * (period - 1.0) + dx[t]) / period
        if age >= 2 * period - 1:
            adx[t] = average
    return plus_di, minus_di, dx, adx
