"""Hurst exponents of known processes, changes and crossings by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.kernels.scaling import changes_over, crossings, hurst

RNG = np.random.default_rng(17)


def test_hurst_of_walks_and_waves() -> None:
    walk = 100.0 + np.cumsum(RNG.normal(0.0, 0.01, 60_000))
    assert np.nanmean(hurst(walk, 240, 6)) == pytest.approx(0.5, abs=0.05)
    noise = 100.0 + RNG.normal(0.0, 0.01, 60_000)
    assert np.nanmean(hurst(noise, 240, 6)) == pytest.approx(0.0, abs=0.02)
    assert np.isnan(hurst(np.full(500, 100.0), 240, 6)).all()


def test_changes_within_rounding_are_zero() -> None:
    x = np.array([100.0, 100.0 + 3e-11, 100.01])
    got = changes_over(x, 1)
    assert got[1] == 0.0
    assert got[2] == pytest.approx(0.01, rel=1e-6)


def test_crossings_need_both_sides() -> None:
    x = np.array([101.0, 99.0, 100.0, 101.0, 99.0, 98.0])
    assert crossings(x, np.full(6, 100.0))[1:].tolist() == [1.0, 0.0, 0.0, 1.0, 0.0]
