"""Which windows are constant, tested before anything is subtracted: afterwards, only rounding is left of them."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.extremes import rolling_max, rolling_min
from fxloom.kernels.jit import jit
from fxloom.kernels.tolerances import FLAT_RANGE


@jit
def is_constant(high: float, low: float) -> bool:
    """Whether values between these extremes are constant: high - low <= 1e-13 max(abs(high), abs(low)).

    >>> is_constant(100.0 + 9e-12, 100.0), is_constant(100.0 + 2e-11, 100.0)
    (True, False)
    """
    return high - low <= FLAT_RANGE * max(abs(high), abs(low))


@jit
def is_flat(y: Floats, t: int, window: int) -> bool:
    """Whether the values present in y[t-window+1..t] are constant."""
    high, low = -np.inf, np.inf
    for i in range(t - window + 1, t + 1):
        if y[i] > high:
            high = y[i]
        if y[i] < low:
            low = y[i]
    return is_constant(high, low)


@jit
def may_be_flat(squares: float, newest: float, window: int) -> bool:
    """Whether a window with this sum of squared deviations can be constant: spares most rows the exact test."""
    bound = 2.0 * FLAT_RANGE * newest
    return squares <= window * bound * bound


def rounding_size(y: Floats, window: int, noise: float) -> Floats:
    """The size below which a deviation inside each window of ``y`` is rounding (n), in units of ``y``.

    It is 1e-13 of the window's largest absolute value, and at least ``noise``. NaN where the window is constant, in
    the first window - 1 rows, and where the window holds a missing value.
    """
    high, low = rolling_max(y, window), rolling_min(y, window)
    size = np.maximum(FLAT_RANGE * np.maximum(np.abs(high), np.abs(low)), noise)
    return np.where(high - low > size, size, np.nan)
