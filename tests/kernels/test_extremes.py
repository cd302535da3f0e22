"""Highest and lowest values and their ages, against loops over the window."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.kernels.extremes import bars_since_max, bars_since_min, rolling_max, rolling_min

RNG = np.random.default_rng(4)
TICKS = np.round(np.cumsum(RNG.normal(0.0, 1.0, 500))).astype(np.float64)  # many ties
WALK = np.cumsum(RNG.normal(0.0, 1.0, 500))
WITH_GAPS = np.where(RNG.random(500) < 0.02, np.nan, TICKS)


def windows(y: np.ndarray, w: int) -> list[np.ndarray]:
    return [y[t - w + 1 : t + 1] for t in range(w - 1, len(y))]


@pytest.mark.parametrize("y", [TICKS, WALK, WITH_GAPS], ids=["ticks", "walk", "gaps"])
@pytest.mark.parametrize("w", [1, 2, 7, 120])
def test_extremes(y: np.ndarray, w: int) -> None:
    for got, slow in ((rolling_max(y, w), np.max), (rolling_min(y, w), np.min)):
        np.testing.assert_array_equal(got[w - 1 :], [slow(v) for v in windows(y, w)])
    for got, where in ((bars_since_max(y, w), np.argmax), (bars_since_min(y, w), np.argmin)):
        expected = [np.nan if np.isnan(v).any() else float(where(v[::-1])) for v in windows(y, w)]
        np.testing.assert_array_equal(got[w - 1 :], expected)
