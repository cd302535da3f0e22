"""Variance estimators from the open, high, low and close of bars that may be some rows apart."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit
from fxloom.kernels.tolerances import ZERO_CHANGE

BLOCK = 512


@jit
def log_ratio(a: float, b: float) -> float:
    """ln(a / b); below 1e-12 exactly 0."""
    value = np.log(a / b)
    return 0.0 if abs(value) < ZERO_CHANGE else value


@jit
def bar_variances(opened: Floats, high: Floats, low: Floats, close: Floats) -> tuple[Floats, Floats, Floats]:
    """Variance estimates from each bar alone, each (n): Parkinson 1980, Garman & Klass 1980, Rogers & Satchell 1991."""
    n = len(close)
    parkinson, garman_klass, rogers_satchell = np.empty(n), np.empty(n), np.empty(n)
    for t in range(n):
        width, body = log_ratio(high[t], low[t]), log_ratio(close[t], opened[t])
        parkinson[t] = width * width / (4.0 * np.log(2.0))
        garman_klass[t] = 0.5 * width * width - (2.0 * np.log(2.0) - 1.0) * body * body
        up = log_ratio(high[t], close[t]) * log_ratio(high[t], opened[t])
        rogers_satchell[t] = up + log_ratio(low[t], close[t]) * log_ratio(low[t], opened[t])
    return parkinson, garman_klass, rogers_satchell


@jit
def gaps_and_bodies(opened: Floats, close: Floats, stride: int) -> tuple[Floats, Floats]:
    """ln(open / close of the bar ``stride`` rows before) and ln(close / open), each (n)."""
    n = len(close)
    gap, body = np.full(n, np.nan), np.empty(n)
    for t in range(n):
        body[t] = log_ratio(close[t], opened[t])
        if t >= stride:
            gap[t] = log_ratio(opened[t], close[t - stride])
    return gap, body


@jit
def strided_variance(y: Floats, count: int, stride: int) -> Floats:
    """The variance (ddof 1) of ``count`` values ``stride`` rows apart that end at each row (n).

    Values are centred on the newest; NaN where one is missing.
    """
    n = len(y)
    out, mean = np.full(n, np.nan), np.empty(BLOCK)
    for begin in range((count - 1) * stride, n, BLOCK):
        end = min(begin + BLOCK, n)
        newest, total = y[begin:end], out[begin:end]
        mean[:], total[:] = 0.0, 0.0
        for k in range(1, count):
            past = y[begin - k * stride : end - k * stride]
            for i in range(end - begin):
                mean[i] += (past[i] - newest[i]) / count
        for k in range(count):
            past = y[begin - k * stride : end - k * stride]
            for i in range(end - begin):
                e = past[i] - newest[i] - mean[i]
                total[i] += e * e / (count - 1.0)
    return out
