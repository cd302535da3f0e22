"""Moments of the values present in a window against exact sums, and their invariants."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from fxloom.kernels.present_moments import (
    present_beta,
    present_corr,
    present_moments,
    present_residual,
    present_std,
    present_zscore,
)

WINDOWS = (15, 60, 120, 240)


def series(n: int = 2_600, level: float = 100.0, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = level + 0.01 * rng.standard_normal(n).cumsum()
    y = level + 0.01 * rng.standard_normal(n)
    x[rng.random(n) < 0.2] = np.nan
    y[1_000:1_400] = np.nan
    return x, y


def exact(values: np.ndarray) -> tuple[Fraction, Fraction]:
    fractions = [Fraction(float(v)) for v in values]
    mean = sum(fractions, Fraction(0)) / len(fractions)
    return mean, sum(((f - mean) ** 2 for f in fractions), Fraction(0))


@pytest.mark.parametrize("window", WINDOWS)
def test_moments_keep_fourteen_digits_at_level_100(window: int) -> None:
    x, _ = series()
    count, mean, ssd = present_moments(x, window)
    for t in range(0, len(x), 37):
        held = x[max(0, t - window + 1) : t + 1]
        known = held[~np.isnan(held)]
        if t < window - 1 or np.isnan(x[t]) or 4 * len(known) < window:
            assert count[t] == 0
            assert np.isnan(mean[t])
        else:
            want_mean, want_ssd = exact(known)
            assert count[t] == len(known)
            assert mean[t] == pytest.approx(float(want_mean), rel=1e-15)
            assert ssd[t] == pytest.approx(float(want_ssd), rel=1e-11)


@pytest.mark.parametrize("window", WINDOWS)
def test_full_windows_agree_with_pandas(window: int) -> None:
    x, y = np.random.default_rng(5).standard_normal((2, 3_000))
    a, b = pd.Series(x).rolling(window), pd.Series(y)
    assert np.allclose(present_std(x, window), a.std(), rtol=1e-9, equal_nan=True)
    assert np.allclose(present_corr(x, y, window), a.corr(b), atol=1e-9, equal_nan=True)
    assert np.allclose(present_beta(y, x, window), a.cov(b) / a.var(), atol=1e-9, equal_nan=True)
    z = (x - a.mean()) / a.std()
    assert np.allclose(present_zscore(x, window), z, atol=1e-9, equal_nan=True)


@pytest.mark.parametrize("cumulated", [False, True])
def test_residuals_agree_with_least_squares(cumulated: bool) -> None:
    x, y = series(level=0.0)
    got = present_residual(y, x, 240, cumulated)
    for t in range(239, len(x), 53):
        rows = slice(t - 239, t + 1)
        known = ~np.isnan(x[rows] + y[rows])
        if not known[-1] or known.sum() < 60:
            assert np.isnan(got[t])
            continue
        a, b = x[rows][known], y[rows][known]
        a, b = (np.cumsum(a), np.cumsum(b)) if cumulated else (a, b)
        error = b - np.polyval(np.polyfit(a, b, 1), a)
        assert got[t] == pytest.approx(error[-1] / error.std(ddof=1), rel=1e-7)


def test_a_constant_has_no_deviation_and_no_correlation() -> None:
    rng = np.random.default_rng(0)
    x, y = np.full(100, 0.1), rng.standard_normal(100)
    x[50] = np.nan
    assert set(present_std(x, 15)[14:50]) == {0.0}
    assert np.isnan(present_zscore(x, 15)).all()
    assert np.isnan(present_corr(x, y, 15)).all()
    assert np.isnan(present_beta(y, x, 15)).all()
    assert np.isnan(present_residual(y, x, 15, False)).all()
    assert present_beta(x, y, 15)[30] == 0.0


def test_an_exact_fit_has_no_residual() -> None:
    x = np.random.default_rng(1).standard_normal(400)
    assert np.isnan(present_residual(3 * x + 1, x, 240, False)).all()


def test_values_do_not_depend_on_position_or_later_bars() -> None:
    x, y = series()
    for kernel, settings in ((present_corr, ()), (present_beta, ()), (present_residual, (True,))):
        whole = kernel(x, y, 120, *settings)
        assert np.isfinite(whole).sum() > 1_000
        for begin, end in ((1, 900), (613, 2_599), (1_024, 2_300)):
            part = kernel(x[begin:end].copy(), y[begin:end].copy(), 120, *settings)
            assert np.array_equal(part[119:], whole[begin + 119 : end], equal_nan=True)


def test_a_spike_leaves_no_trace_after_its_window() -> None:
    x, _ = series()
    spiked = x.copy()
    spiked[500] = 1e12
    for window in WINDOWS:
        clean, after = present_moments(x, window), present_moments(spiked, window)
        for a, b in zip(clean, after, strict=True):
            assert np.array_equal(a[500 + window :], b[500 + window :], equal_nan=True)
