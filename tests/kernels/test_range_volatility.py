"""Volatility from ranges on simulations, strided sums against NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fxloom.kernels.range_volatility import bar_variances, strided_sum, strided_variance, true_range
from tests.markets import roll_prices

RNG = np.random.default_rng(17)


def test_range_estimators_agree_on_a_random_walk_without_drift() -> None:
    bars = roll_prices(4_000, 0.0, ticks=400, seed=9)
    for variance in bar_variances(*bars):
        assert np.sqrt(variance.mean()) == pytest.approx(1e-4 * math.sqrt(400), rel=0.08)  # few ticks see less range


def test_true_range_reaches_to_the_close_before() -> None:
    h, l, c = np.array([2.0, 5.0, 5.0]), np.array([1.0, 4.0, 3.0]), np.array([1.5, 4.5, 4.0])
    assert true_range(h, l, c, 1)[1:].tolist() == [3.5, 2.0]
    assert np.isnan(true_range(h, l, np.array([np.nan, 4.5, 4.0]), 1)[1])


def test_strided_sums() -> None:
    y = RNG.normal(5.0, 1.0, 300)
    total, variance = strided_sum(y, 7, 5), strided_variance(y, 7, 5)
    assert np.isnan(total[:30]).all()
    for t in (30, 100, 299):
        rows = t - 5 * np.arange(7)
        assert total[t] == pytest.approx(y[rows].sum(), rel=1e-14)
        assert variance[t] == pytest.approx(y[rows].var(ddof=1), rel=1e-12)
