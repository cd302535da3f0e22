"""Ranks within windows against scipy and counting."""

from __future__ import annotations

import numpy as np
from scipy import stats

from fxloom.kernels.order import rank_present, rolling_rank

RNG = np.random.default_rng(4)
TICKS = np.round(np.cumsum(RNG.normal(0.0, 1.0, 500))).astype(np.float64)  # many ties
WALK = np.cumsum(RNG.normal(0.0, 1.0, 500))
WITH_GAPS = np.where(RNG.random(500) < 0.02, np.nan, TICKS)


def windows(y: np.ndarray, w: int) -> list[np.ndarray]:
    return [y[t - w + 1 : t + 1] for t in range(w - 1, len(y))]


def test_rank_matches_scipy() -> None:
    for y in (TICKS, WALK):
        expected = [stats.percentileofscore(v, v[-1], kind="mean") / 100.0 for v in windows(y, 50)]
        np.testing.assert_allclose(rolling_rank(y, 50, 0.0)[49:], expected, rtol=1e-13)


def test_rank_among_present_values() -> None:
    got = rank_present(WITH_GAPS, 50, 49, 0.0)
    for t in range(500):
        values = WITH_GAPS[max(t - 49, 0) : t + 1]
        values = values[~np.isnan(values)]
        if t < 49 or np.isnan(WITH_GAPS[t]) or len(values) < 49:
            assert np.isnan(got[t])
        else:
            below, equal = (values < WITH_GAPS[t]).sum(), (values == WITH_GAPS[t]).sum()
            assert got[t] == (below + 0.5 * equal) / len(values)
    assert np.isfinite(got).sum() > 200


def test_rank_treats_values_within_the_tolerance_as_equal() -> None:
    y = 100.0 + np.array([0.0, 1e-8, -1e-8, 0.0])
    assert rolling_rank(y, 4, 1e-9)[3] == 0.5
    assert rolling_rank(y, 4, 0.0)[3] == (1 + 0.5 * 2) / 4
    assert rolling_rank(y - 100.0, 4, 1e-9)[3] == (1 + 0.5 * 2) / 4
