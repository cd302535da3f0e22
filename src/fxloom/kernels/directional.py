"""Wilder's directional movement system, as TA-Lib computes it."""

from __future__ import annotations

import numpy as np

from fxloom.bars import Floats
from fxloom.kernels.jit import jit
from fxloom.kernels.recursion import NOTHING, first_present


@jit
def true_range(high: Floats, low: Floats, close: Floats, t: int) -> float:
    """The largest of high - low and the distances of high and low from the previous close."""
    reach = high[t] - low[t]
    reach = max(reach, abs(high[t] - close[t - 1]))
    return max(reach, abs(low[t] - close[t - 1]))  # type: ignore[no-any-return]


@jit
def true_ranges(high: Floats, low: Floats, close: Floats) -> Floats:
    """The true range of every bar; missing at the first, which has no previous close."""
    out = np.full(len(close), np.nan)
    for t in range(1, len(close)):
        if close[t - 1] == close[t - 1]:
            out[t] = true_range(high, low, close, t)
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
def indicators(plus: float, minus: float, reach: float, before: float) -> tuple[float, float, float, bool]:
    """PLUS_DI, MINUS_DI, DX (``before`` where it is 0/0) and whether DX is defined."""
    if abs(reach) < NOTHING:
        return 0.0, 0.0, before, False
    up, down = 100.0 * (plus / reach), 100.0 * (minus / reach)
    if up + down < NOTHING:
        return up, down, before, False
    return up, down, 100.0 * (abs(down - up) / (up + down)), True


@jit
def directional(high: Floats, low: Floats, close: Floats, period: int) -> tuple[Floats, Floats, Floats, Floats]:
    """PLUS_DI, MINUS_DI, DX, ADX of ``period`` bars, in percent.

    Movements and true ranges of the first period - 1 bars are summed, then each sum loses 1/period and gains the
    new bar's. ADX is Wilder's average of DX, seeded with ``period`` of them; where DX is 0/0 both keep their
    value. (DX is 0 there before its first value, and adds nothing to the seed of ADX.)
    """
    n = len(close)
    plus_di, minus_di = np.full(n, np.nan), np.full(n, np.nan)
    dx, adx = np.full(n, np.nan), np.full(n, np.nan)
    start = first_present(close)
    plus, minus, reach, latest, average = 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(start + 1, n):
        age = t - start
        if age >= period:
            plus, minus, reach = plus - plus / period, minus - minus / period, reach - reach / period
        up, down = movement(high, low, t)
        plus, minus, reach = plus + up, minus + down, reach + true_range(high, low, close, t)
        if age < period:
            continue
        plus_di[t], minus_di[t], latest, defined = indicators(plus, minus, reach, latest)
        dx[t] = latest
        if defined and age < 2 * period:
            average += latest
        elif defined:
            average = (average * (period - 1.0) + latest) / period
        if age == 2 * period - 1:
            average /= period
        if age >= 2 * period - 1:
            adx[t] = average
    return plus_di, minus_di, dx, adx
