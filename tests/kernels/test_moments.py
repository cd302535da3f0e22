"""Moments against exact rational arithmetic, pandas and scipy."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fxloom.kernels.comoments import rolling_beta, rolling_corr, rolling_cov
from fxloom.kernels.moments import rolling_mean, rolling_moments, rolling_std, rolling_sum, zscore

RNG = np.random.default_rng(3)
WALK = 100.0 + np.cumsum(RNG.normal(0.0, 0.01, 400))
OTHER = 100.0 + np.cumsum(RNG.normal(0.0, 0.01, 400))
HARD = 100.0 + RNG.normal(0.0, 0.01, 400)  # mean 100, deviation 0.01
TINY = RNG.normal(0.0, 1e-5, 400)


def exact_moments(values: np.ndarray) -> tuple[float, float, float, float]:
    """Mean, std, skewness and excess kurtosis from rationals: only the last step rounds."""
    n = len(values)
    v = [Fraction(float(x)) for x in values]
    mean = sum(v) / n
    m2, m3, m4 = (sum((x - mean) ** k for x in v) for k in (2, 3, 4))
    skew = n * sqrt(n - 1) / (n - 2) * float(m3) / sqrt(m2) ** 3
    first = Fraction(n * (n + 1) * (n - 1), (n - 2) * (n - 3)) * m4 / m2**2
    return float(mean), sqrt(m2 / (n - 1)), skew, float(first - Fraction(3 * (n - 1) ** 2, (n - 2) * (n - 3)))


@pytest.mark.parametrize("window", [5, 15, 90])
@pytest.mark.parametrize("y", [WALK, HARD, TINY], ids=["walk", "mean 100 deviation 0.01", "tiny"])
def test_moments_keep_nine_digits(y: np.ndarray, window: int) -> None:
    got = np.array(rolling_moments(y, window))
    for t in (window - 1, 200, 399):
        mean, std, skew, kurt = exact_moments(y[t - window + 1 : t + 1])
        assert got[0, t] == pytest.approx(mean, rel=1e-14, abs=1e-20)
        assert got[1, t] == pytest.approx(std, rel=1e-11)
        assert got[2, t] == pytest.approx(skew, rel=1e-10, abs=1e-12)
        assert got[3, t] == pytest.approx(kurt, rel=1e-10, abs=1e-12)


def test_moments_are_those_of_scipy_and_pandas() -> None:
    got = np.array(rolling_moments(WALK, 45))
    for t in (44, 99, 399):
        window = WALK[t - 44 : t + 1]
        assert got[2, t] == pytest.approx(stats.skew(window, bias=False), rel=1e-10)
        assert got[3, t] == pytest.approx(stats.kurtosis(window, bias=False), rel=1e-10)
        assert got[2, t] == pytest.approx(pd.Series(window).skew(), rel=1e-10)
        assert got[3, t] == pytest.approx(pd.Series(window).kurt(), rel=1e-10)


def test_sum_mean_std_zscore_are_those_of_numpy() -> None:
    w = 15
    windows = np.lib.stride_tricks.sliding_window_view(WALK, w)
    std = windows.std(axis=1, ddof=1)
    np.testing.assert_allclose(rolling_sum(WALK, w)[w - 1 :], windows.sum(axis=1), rtol=1e-14)
    np.testing.assert_allclose(rolling_mean(WALK, w)[w - 1 :], windows.mean(axis=1), rtol=1e-14)
    np.testing.assert_allclose(rolling_std(WALK, w)[w - 1 :], std, rtol=1e-10)
    np.testing.assert_allclose(zscore(WALK, w)[w - 1 :], (WALK[w - 1 :] - windows.mean(axis=1)) / std, atol=1e-9)


def test_the_deviation_of_the_moments_is_that_of_std() -> None:
    for w in (5, 60):
        np.testing.assert_allclose(rolling_std(WALK, w), rolling_moments(WALK, w)[1], rtol=1e-11)


@pytest.mark.parametrize("level", [100.0, 0.1, -3.3, 0.0, 1e-9])
def test_a_flat_window_has_no_deviation_and_no_shape(level: float) -> None:
    y = np.full(40, level)
    y[20:] *= 1.0 + 4e-14  # rounding noise is no move
    mean, std, skew, kurt = (a[9:] for a in rolling_moments(y, 10))
    np.testing.assert_allclose(mean, level, rtol=1e-13)
    assert (std == 0.0).all()
    assert (rolling_std(y, 10)[9:] == 0.0).all()
    for undefined in (skew, kurt, zscore(y, 10), rolling_corr(y, WALK[:40], 10), rolling_beta(WALK[:40], y, 10)):
        assert np.isnan(undefined).all()
    for zero in (rolling_cov(y, WALK[:40], 10), rolling_cov(WALK[:40], y, 10), rolling_beta(y, WALK[:40], 10)):
        assert (zero[9:] == 0.0).all()


def test_the_smallest_move_is_not_flat() -> None:
    y = np.full(30, 100.0)
    y[15] += 1e-10  # 1e-12 relative
    assert (rolling_std(y, 10)[15:25] > 0.0).all()
    assert (rolling_std(y, 10)[9:15] == 0.0).all()


@pytest.mark.parametrize("w", [1, 2, 3, 7, 60, 63, 64, 240])
def test_windows_of_every_make_are_joined_right(w: int) -> None:
    t = 300
    x, y = ([Fraction(float(v)) for v in s[t - w + 1 : t + 1]] for s in (HARD, OTHER))
    mx, my = sum(x) / w, sum(y) / w
    assert rolling_mean(HARD, w)[t] == pytest.approx(float(mx), rel=1e-15)
    assert np.isnan(rolling_mean(HARD, w)[w - 2]) or w == 1
    if w > 1:
        squares, products = sum((a - mx) ** 2 for a in x), sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
        assert rolling_std(HARD, w)[t] == pytest.approx(sqrt(squares / (w - 1)), rel=1e-11)
        assert rolling_cov(HARD, OTHER, w)[t] == pytest.approx(float(products / (w - 1)), rel=1e-9)


def test_tiny_moves_far_from_zero_keep_their_digits() -> None:
    y = 100.0 + 1e-9 * np.round(RNG.normal(0.0, 100.0, 400)) * 1e-2
    for w in (15, 240):
        exact = exact_moments(y[400 - w :])
        assert rolling_std(y, w)[399] == pytest.approx(exact[1], rel=1e-13)
        assert zscore(y, w)[399] == pytest.approx((y[399] - exact[0]) / exact[1], abs=1e-3)


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


def test_comoments_are_those_of_numpy_and_scipy() -> None:
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
