"""Which windows stand still, told before anything is subtracted: what is left of them afterwards is rounding."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.extremes import rolling_max, rolling_min

FLAT = 1e-13  # relative: a window whose range is not above this share of its largest value is constant


def rounding_size(y: Floats, window: int, noise: float) -> Floats:
    """The size below which a deviation inside each window of ``y`` is rounding; NaN where the window is flat.

    It is 1e-13 of the window's largest absolute value, and at least ``noise`` (in units of ``y``). It is also NaN
    in the first window - 1 rows and where the window holds a missing value.
    """
    high, low = rolling_max(y, window), rolling_min(y, window)
    size = np.maximum(FLAT * np.maximum(np.abs(high), np.abs(low)), noise)
    return np.where(high - low > size, size, np.nan)
