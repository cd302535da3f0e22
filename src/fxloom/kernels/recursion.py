"""Recursive averages as TA-Lib starts and steps them: EMA, Wilder's, Kaufman's.

Each starts at the first value of its input that is not missing; from then on the input must be complete. How a
recursion started fades at the pace of its smoothing.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit
from fxloom.kernels.moments import rolling_sum

FADED = 1e-280  # an average below this is 0: subnormal numbers have fewer digits and are slow


@jit
def first_present(x: Floats) -> int:
    """The position of the first value that is not missing; len(x) if none is."""
    for t in range(len(x)):
        if x[t] == x[t]:
            return t
    return len(x)


@jit
def seed(x: Floats, start: int, period: int) -> float:
    """The mean of x[start..start+period-1], exactly x[start] where all are equal."""
    total = 0.0
    for t in range(start, start + period):
        total += x[t] - x[start]
    return x[start] + total / period  # type: ignore[no-any-return]


@jit
def ema(x: Floats, period: int, skip: int) -> Floats:
    """EMA with alpha = 2 / (period + 1) (n), seeded with the mean of ``period`` values after the first ``skip``.

    It begins at the last value of its seed; ``skip`` lets two averages begin at the same bar, as in MACD.
    """
    out = np.full(len(x), np.nan)
    start = first_present(x) + skip
    if start + period > len(x):
        return out
    alpha, average = 2.0 / (period + 1.0), seed(x, start, period)
    out[start + period - 1] = average
    for t in range(start + period, len(x)):
        average += (x[t] - average) * alpha
        out[t] = average
    return out


@jit
def wilder(x: Floats, period: int) -> Floats:
    """Wilder's average of values >= 0: (previous (period - 1) + x) / period, seeded with the mean of the first ones."""
    out = np.full(len(x), np.nan)
    start = first_present(x)
    if start + period > len(x):
        return out
    average = seed(x, start, period)
    out[start + period - 1] = average
    for t in range(start + period, len(x)):
        average = (average * (period - 1.0) + x[t]) / period
        if average < FADED:
            average = 0.0
        out[t] = average
    return out


@jit
def efficiency(x: Floats, period: int) -> Floats:
    """Kaufman's ratio of the net move over ``period`` bars to the path travelled; 1 where there is no path."""
    out = np.full(len(x), np.nan)
    steps = np.full(len(x), np.nan)
    for t in range(1, len(x)):
        steps[t] = abs(x[t] - x[t - 1])
    path = rolling_sum(steps, period)
    for t in range(period, len(x)):
        move = x[t] - x[t - period]
        if path[t] == path[t]:
            out[t] = 1.0 if path[t] <= move else abs(move / path[t])
    return out


@jit
def kama(x: Floats, period: int) -> Floats:
    """Kaufman's adaptive average: an EMA between the paces of 2 and 30 bars, chosen by the efficiency ratio.

    It is seeded with the value before its first, ``period`` bars after the first value of ``x``.
    """
    ratio = efficiency(x, period)
    out = np.full(len(x), np.nan)
    start = first_present(ratio)
    slow, fast = 2.0 / 31.0, 2.0 / 3.0
    average = x[start - 1] if start < len(x) else np.nan
    for t in range(start, len(x)):
        pace = ratio[t] * (fast - slow) + slow
        average += (x[t] - average) * (pace * pace)
        out[t] = average
    return out
