"""Extremes, ranks and states against loops over the window, numpy and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fxloom.kernels.extremes import bars_since_max, bars_since_min, rolling_max, rolling_min
from fxloom.kernels.order import rank_present, rolling_rank
from fxloom.kernels.states import bars_since_change, change_share, shift

RNG = np.random.default_rng(4)
TICKS = np.round(np.cumsum(RNG.normal(0.0, 1.0, 500))).astype(np.float64)  # many ties
WALK = np.cumsum(RNG.normal(0.0, 1.0, 500))
HOLED = np.where(RNG.random(500) < 0.02, np.nan, TICKS)


def windows(y: np.ndarray, w: int) -> list[np.ndarray]:
    return [y[t - w + 1 : t + 1] for t in range(w - 1, len(y))]


@pytest.mark.parametrize("y", [TICKS, WALK, HOLED], ids=["ticks", "walk", "holed"])
@pytest.mark.parametrize("w", [1, 2, 7, 120])
def test_extremes(y: np.ndarray, w: int) -> None:
    for got, slow in ((rolling_max(y, w), np.max), (rolling_min(y, w), np.min)):
        np.testing.assert_array_equal(got[w - 1 :], [slow(v) for v in windows(y, w)])
    for got, where in ((bars_since_max(y, w), np.argmax), (bars_since_min(y, w), np.argmin)):
        expected = [np.nan if np.isnan(v).any() else float(where(v[::-1])) for v in windows(y, w)]
        np.testing.assert_array_equal(got[w - 1 :], expected)


def test_rank_is_that_of_scipy() -> None:
    for y in (TICKS, WALK):
        expected = [stats.percentileofscore(v, v[-1], kind="mean") / 100.0 for v in windows(y, 50)]
        np.testing.assert_allclose(rolling_rank(y, 50, 0.0)[49:], expected, rtol=1e-13)


def test_rank_of_values_present() -> None:
    got = rank_present(HOLED, 50, 49, 0.0)
    for t in range(500):
        values = HOLED[max(t - 49, 0) : t + 1]
        values = values[~np.isnan(values)]
        if t < 49 or np.isnan(HOLED[t]) or len(values) < 49:
            assert np.isnan(got[t])
        else:
            below, equal = (values < HOLED[t]).sum(), (values == HOLED[t]).sum()
            assert got[t] == (below + 0.5 * equal) / len(values)
    assert np.isfinite(got).sum() > 200


def test_rank_tells_values_equal_within_the_tolerance() -> None:
    y = 100.0 + np.array([0.0, 1e-8, -1e-8, 0.0])
    assert rolling_rank(y, 4, 1e-9)[3] == 0.5
    assert rolling_rank(y, 4, 0.0)[3] == (1 + 0.5 * 2) / 4
    assert rolling_rank(y - 100.0, 4, 1e-9)[3] == (1 + 0.5 * 2) / 4


def test_shift() -> None:
    np.testing.assert_array_equal(shift(np.arange(5.0), 2), [np.nan, np.nan, 0.0, 1.0, 2.0])
    np.testing.assert_array_equal(shift(np.arange(2.0), 3), [np.nan, np.nan])


def test_bars_since_change_by_hand() -> None:
    nan = np.nan
    state = np.array([0, 0, 1, 1, 1, 1, 1, 0, nan, 0, 0, 0, 0, 1.0])
    np.testing.assert_array_equal(bars_since_change(state, 3), [nan, nan, nan, 1, 2, 3, 3, 0, nan, nan, nan, nan, 3, 0])


@pytest.mark.parametrize("cap", [1, 5, 40])
def test_states_by_their_windows(cap: int) -> None:
    state = np.where(RNG.random(500) < 0.01, np.nan, (RNG.random(500) < 0.2).cumsum() % 3.0)
    since, share = bars_since_change(state, cap), change_share(state, cap)
    for t in range(500):
        known = state[max(t - cap, 0) : t + 1]
        if len(known) < cap + 1 or np.isnan(known).any():
            assert np.isnan(since[t])
            assert np.isnan(share[t])
        else:
            changes = np.flatnonzero(np.diff(known))
            assert since[t] == (cap - 1 - changes[-1] if len(changes) else cap)
            assert share[t] == len(changes) / cap
    assert np.isfinite(since).sum() > 100
