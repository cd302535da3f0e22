"""Jump statistics on simulations, exponential means by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.kernels.jumps import bipower_variance, ewma, ewma_ratio, jump_z

RNG = np.random.default_rng(17)


def test_jump_statistic_is_standard_normal_without_jumps_and_large_with_one() -> None:
    r = np.abs(RNG.normal(0.0, 1e-4, 40_000))
    z = jump_z(r, 200)[199::200]
    assert abs(z.mean()) < 0.25
    assert z.std() == pytest.approx(1.0, abs=0.15)
    r[39_900] = 20e-4
    assert jump_z(r, 200)[-1] > 5.0
    assert np.isnan(jump_z(np.zeros(100), 60)).all()


def test_bipower_variance_ignores_a_jump() -> None:
    r = np.abs(RNG.normal(0.0, 1.0, 5_000))
    r[2_500] = 100.0
    assert bipower_variance(r, 5_000)[-1] == pytest.approx(1.0, rel=0.12)


def test_exponential_means() -> None:
    got = ewma(np.array([np.nan, 4.0, 1.0, 1.0]), 5)
    assert np.isnan(got[0])
    assert got[1:] == pytest.approx([4.0, 3.0, 7 / 3], rel=1e-14)
    size = np.concatenate([[1.0, 2.0], np.zeros(100), [1.0]])
    ratio = ewma_ratio(size, 5, 20, 50)
    assert np.isfinite(ratio[:52]).all()
    assert np.isnan(ratio[52:102]).all()
    assert np.isfinite(ratio[102])
