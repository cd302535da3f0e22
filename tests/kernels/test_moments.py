"""Moments against exact rational arithmetic, pandas and scipy."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fxloom.kernels.moments import rolling_mean, rolling_moments, rolling_std, rolling_sum, strided_sum, zscore

RNG = np.random.default_rng(3)
WALK = 100.0 + np.cumsum(RNG.normal(0.0, 0.01, 400))
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


def test_moments_match_scipy_and_pandas() -> None:
    got = np.array(rolling_moments(WALK, 45))
    for t in (44, 99, 399):
        window = WALK[t - 44 : t + 1]
        assert got[2, t] == pytest.approx(stats.skew(window, bias=False), rel=1e-10)
        assert got[3, t] == pytest.approx(stats.kurtosis(window, bias=False), rel=1e-10)
        assert got[2, t] == pytest.approx(pd.Series(window).skew(), rel=1e-10)
        assert got[3, t] == pytest.approx(pd.Series(window).kurt(), rel=1e-10)


def test_sum_mean_std_zscore_match_numpy() -> None:
    w = 15
    windows = np.lib.stride_tricks.sliding_window_view(WALK, w)
    std = windows.std(axis=1, ddof=1)
    np.testing.assert_allclose(rolling_sum(WALK, w)[w - 1 :], windows.sum(axis=1), rtol=1e-14)
    np.testing.assert_allclose(rolling_mean(WALK, w)[w - 1 :], windows.mean(axis=1), rtol=1e-14)
    np.testing.assert_allclose(rolling_std(WALK, w)[w - 1 :], std, rtol=1e-10)
    np.testing.assert_allclose(zscore(WALK, w)[w - 1 :], (WALK[w - 1 :] - windows.mean(axis=1)) / std, atol=1e-9)


def test_the_moments_and_std_kernels_agree() -> None:
    for w in (5, 60):
        np.testing.assert_allclose(rolling_std(WALK, w), rolling_moments(WALK, w)[1], rtol=1e-11)


@pytest.mark.parametrize("level", [100.0, 0.1, -3.3, 0.0, 1e-9])
def test_a_flat_window_has_no_deviation_and_no_shape(level: float) -> None:
    y = np.full(40, level)
    y[20:] *= 1.0 + 4e-14  # rounding noise is not a move
    mean, std, skew, kurt = (a[9:] for a in rolling_moments(y, 10))
    np.testing.assert_allclose(mean, level, rtol=1e-13)
    assert (std == 0.0).all()
    assert (rolling_std(y, 10)[9:] == 0.0).all()
    for undefined in (skew, kurt, zscore(y, 10)):
        assert np.isnan(undefined).all()


def test_the_smallest_move_is_not_flat() -> None:
    y = np.full(30, 100.0)
    y[15] += 1e-10  # 1e-12 relative
    assert (rolling_std(y, 10)[15:25] > 0.0).all()
    assert (rolling_std(y, 10)[9:15] == 0.0).all()


@pytest.mark.parametrize("w", [1, 2, 3, 7, 60, 63, 64, 240])
def test_windows_of_every_length_are_joined_correctly(w: int) -> None:
    t = 300
    x = [Fraction(float(v)) for v in HARD[t - w + 1 : t + 1]]
    mx = sum(x) / w
    assert rolling_mean(HARD, w)[t] == pytest.approx(float(mx), rel=1e-15)
    assert np.isnan(rolling_mean(HARD, w)[w - 2]) or w == 1
    if w > 1:
        squares = sum((a - mx) ** 2 for a in x)
        assert rolling_std(HARD, w)[t] == pytest.approx(sqrt(squares / (w - 1)), rel=1e-11)


def test_tiny_moves_far_from_zero_keep_their_digits() -> None:
    y = 100.0 + 1e-9 * np.round(RNG.normal(0.0, 100.0, 400)) * 1e-2
    for w in (15, 240):
        exact = exact_moments(y[400 - w :])
        assert rolling_std(y, w)[399] == pytest.approx(exact[1], rel=1e-13)
        assert zscore(y, w)[399] == pytest.approx((y[399] - exact[0]) / exact[1], abs=1e-3)


def test_strided_sums_take_every_fifth_value() -> None:
    y = RNG.normal(5.0, 1.0, 300)
    total = strided_sum(y, 7, 5)
    assert np.isnan(total[:30]).all()
    for t in (30, 100, 299):
        assert total[t] == pytest.approx(y[t - 30 : t + 1 : 5].sum(), rel=1e-14)
