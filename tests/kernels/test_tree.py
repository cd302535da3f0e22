"""Tree sums against exact sums, and z-scores of present values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fxloom.kernels.tree import tree_sum, zscore_present

RNG = np.random.default_rng(17)


@pytest.mark.parametrize("window", [1, 2, 3, 60, 119, 240, 1_440])
def test_tree_sums_are_exact_windows_wherever_history_begins(window: int) -> None:
    y = RNG.normal(3.0, 1.0, 5_000)
    got = tree_sum(y, window)
    assert np.isnan(got[: window - 1]).all()
    for t in (window - 1, 2_500, 4_999):
        assert got[t] == pytest.approx(math.fsum(y[t - window + 1 : t + 1]), rel=1e-14)
    for begin in (1, 77, 2_049):
        assert np.array_equal(tree_sum(y[begin:].copy(), window)[window - 1 :], got[begin + window - 1 :])
    y[3_000] = np.nan
    assert np.isnan(tree_sum(y, window)[3_000 : 3_000 + window]).all()
    assert np.isfinite(tree_sum(y, window)[3_000 + window :]).all()


@pytest.mark.parametrize("level", [0.0, 5.0, 1e4])
def test_zscores_of_present_values(level: float) -> None:
    y = level + RNG.normal(0.0, 0.01, 700)
    y[RNG.random(700) < 0.3] = np.nan
    got = zscore_present(y, 100, 50)
    for t in range(700):
        w = y[max(t - 99, 0) : t + 1]
        w = w[np.isfinite(w)]
        if t < 99 or len(w) < 50 or np.isnan(y[t]):
            assert np.isnan(got[t])
        else:
            assert got[t] == pytest.approx((y[t] - w.mean()) / w.std(ddof=1), rel=1e-8, abs=1e-8)
    assert np.isnan(zscore_present(np.full(200, level), 100, 50)).all()
