"""Quantile classes against numpy's quantiles of every window."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.kernels.quantile_class import quantile_class

RNG = np.random.default_rng(9)
MEDIAN = np.array([0.5])
SMOOTH = np.convolve(np.abs(RNG.normal(size=1500)), np.ones(20) / 20.0, "valid")
TIES = RNG.integers(0, 5, 1500).astype(np.float64)
WITH_GAPS = np.where(RNG.random(1500) < 0.01, np.nan, TIES)


@pytest.mark.parametrize("y", [SMOOTH, TIES, WITH_GAPS], ids=["smooth", "ties", "gaps"])
@pytest.mark.parametrize("window", [1, 2, 48, 49, 241])
@pytest.mark.parametrize("q", [0.0, 1.0 / 3.0, 0.5, 0.8, 1.0])
def test_above_a_quantile_matches_numpy(y: np.ndarray, window: int, q: float) -> None:
    flags = quantile_class(y, window, np.array([q]), 1e-9)
    for t in range(0, len(y), 7):
        past = y[max(t - window + 1, 0) : t + 1]
        if len(past) < window or np.isnan(past).any():
            assert np.isnan(flags[t])
        else:
            quantile = np.quantile(past, q)
            assert flags[t] == float(y[t] - quantile > 1e-9 * quantile), t


def test_values_within_the_tolerance_are_not_above() -> None:
    y = np.array([1.0, 1.0, 1.0, 1.0 + 1e-10, 1.0 + 1e-8])
    assert quantile_class(y, 3, MEDIAN, 1e-9)[2:].tolist() == [0.0, 0.0, 1.0]


def test_a_window_of_zeros_has_nothing_above() -> None:
    assert quantile_class(np.zeros(5), 3, MEDIAN, 1e-9)[2:].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("decimals", [1, 8])
def test_classes_match_numpy_quantiles(decimals: int) -> None:
    y = np.round(np.abs(np.convolve(RNG.normal(size=900), np.ones(5) / 5, "same")), decimals).astype(np.float64)
    y[400] = np.nan
    quantiles = np.array([1 / 3, 2 / 3, 0.8])
    got = quantile_class(y, 100, quantiles, 1e-9)
    for t in range(900):
        w = y[max(t - 99, 0) : t + 1]
        if t < 99 or np.isnan(w).any():
            assert np.isnan(got[t])
        else:
            assert got[t] == np.sum(y[t] > np.quantile(w, quantiles) * (1 + 1e-9))
