"""Volatility from ranges on simulations, variances of bars that do not overlap against NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fxloom.kernels.range_volatility import bar_variances, strided_variance
from tests.markets import roll_prices

RNG = np.random.default_rng(17)


def test_range_estimators_agree_on_a_random_walk_without_drift() -> None:
    bars = roll_prices(4_000, 0.0, ticks=400, seed=9)
    for variance in bar_variances(*bars):
        assert np.sqrt(variance.mean()) == pytest.approx(1e-4 * math.sqrt(400), rel=0.08)  # few ticks see less range


def test_strided_variance_takes_every_fifth_value() -> None:
    y = RNG.normal(5.0, 1.0, 300)
    variance = strided_variance(y, 7, 5)
    assert np.isnan(variance[:30]).all()
    for t in (30, 100, 299):
        assert variance[t] == pytest.approx(y[t - 30 : t + 1 : 5].var(ddof=1), rel=1e-12)
