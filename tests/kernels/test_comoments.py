"""Covariance, correlation and slope of two series against exact fractions, NumPy and scipy."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt

import numpy as np
import pytest
from scipy import stats

from fxloom.kernels.comoments import rolling_beta, rolling_corr, rolling_cov

RNG = np.random.default_rng(3)
WALK = 100.0 + np.cumsum(RNG.normal(0.0, 0.01, 400))
OTHER = 100.0 + np.cumsum(RNG.normal(0.0, 0.01, 400))


def test_comoments_are_exact() -> None:
    w = 20
    for t in (19, 150, 399):
        x, y = ([Fraction(float(v)) for v in s[t - w + 1 : t + 1]] for s in (WALK, OTHER))
        mx, my = sum(x) / w, sum(y) / w
        sxy = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
        sxx, syy = sum((a - mx) ** 2 for a in x), sum((b - my) ** 2 for b in y)
        assert rolling_cov(WALK, OTHER, w)[t] == pytest.approx(float(sxy / (w - 1)), rel=1e-10)
        assert rolling_corr(WALK, OTHER, w)[t] == pytest.approx(float(sxy) / sqrt(sxx * syy), rel=1e-10)
        assert rolling_beta(OTHER, WALK, w)[t] == pytest.approx(float(sxy / sxx), rel=1e-10)


def test_comoments_match_numpy_and_scipy() -> None:
    for t in (19, 150, 399):
        x, y = WALK[t - 19 : t + 1], OTHER[t - 19 : t + 1]
        assert rolling_corr(WALK, OTHER, 20)[t] == pytest.approx(np.corrcoef(x, y)[0, 1], rel=1e-10)
        assert rolling_beta(OTHER, WALK, 20)[t] == pytest.approx(stats.linregress(x, y).slope, rel=1e-9)


def test_correlation_stays_within_one() -> None:
    for scale in (3.0, -0.1, 1e-6):
        corr = rolling_corr(WALK, scale * WALK, 15)[14:]
        assert (np.abs(corr) <= 1.0).all()
        np.testing.assert_allclose(corr, np.sign(scale), rtol=1e-12)


def test_a_value_missing_in_one_series_is_missing_even_beside_a_flat_one() -> None:
    y = np.full(40, 5.0)
    x = WALK[:40].copy()
    x[20] = np.nan
    for out in (rolling_cov(x, y, 10), rolling_cov(y, x, 10), rolling_beta(y, x, 10), rolling_corr(x, y, 10)):
        assert np.isnan(out[20:30]).all()


@pytest.mark.parametrize("level", [0.0, 5.0, -1e6])
def test_a_flat_series_has_covariance_and_slope_0_and_no_correlation(level: float) -> None:
    y, x = np.full(40, level), WALK[:40]
    for undefined in (rolling_corr(y, x, 10), rolling_beta(x, y, 10)):
        assert np.isnan(undefined).all()
    for zero in (rolling_cov(y, x, 10), rolling_cov(x, y, 10), rolling_beta(y, x, 10)):
        assert (zero[9:] == 0.0).all()


@pytest.mark.parametrize("w", [2, 3, 7, 15, 16, 31, 90, 240])
def test_products_of_windows_of_every_length_are_exact(w: int) -> None:
    t = 300
    x, y = ([Fraction(float(v)) for v in s[t - w + 1 : t + 1]] for s in (WALK, OTHER))
    mx, my = sum(x) / w, sum(y) / w
    products = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    assert rolling_cov(WALK, OTHER, w)[t] == pytest.approx(float(products / (w - 1)), rel=1e-9)
