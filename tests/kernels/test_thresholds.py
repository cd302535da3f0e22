"""Flags above a quantile against numpy's quantile of every window."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.kernels.thresholds import above_quantile

RNG = np.random.default_rng(9)
SMOOTH = np.convolve(np.abs(RNG.normal(size=1500)), np.ones(20) / 20.0, "valid")
TIES = RNG.integers(0, 5, 1500).astype(np.float64)
HOLES = np.where(RNG.random(1500) < 0.01, np.nan, TIES)


@pytest.mark.parametrize("y", [SMOOTH, TIES, HOLES], ids=["smooth", "ties", "holes"])
@pytest.mark.parametrize("window", [1, 2, 48, 49, 241])
@pytest.mark.parametrize("q", [0.0, 1.0 / 3.0, 0.5, 0.8, 1.0])
def test_flags_are_those_of_numpy(y: np.ndarray, window: int, q: float) -> None:
    flags = above_quantile(y, window, q, 1e-9)
    for t in range(0, len(y), 7):
        past = y[max(t - window + 1, 0) : t + 1]
        if len(past) < window or np.isnan(past).any():
            assert np.isnan(flags[t])
        else:
            quantile = np.quantile(past, q)
            assert flags[t] == float(y[t] - quantile > 1e-9 * quantile), t


def test_what_is_equal_within_the_tolerance_is_not_above() -> None:
    y = np.array([1.0, 1.0, 1.0, 1.0 + 1e-10, 1.0 + 1e-8])
    assert above_quantile(y, 3, 0.5, 1e-9)[2:].tolist() == [0.0, 0.0, 1.0]


def test_a_window_of_zeros_has_nothing_above() -> None:
    assert above_quantile(np.zeros(5), 3, 0.5, 1e-9)[2:].tolist() == [0.0, 0.0, 0.0]
