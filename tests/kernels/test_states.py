"""Shifts and changes of states against loops over the window."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.kernels.states import bars_since_change, change_share, shift

RNG = np.random.default_rng(4)


def test_shift() -> None:
    np.testing.assert_array_equal(shift(np.arange(5.0), 2), [np.nan, np.nan, 0.0, 1.0, 2.0])
    np.testing.assert_array_equal(shift(np.arange(2.0), 3), [np.nan, np.nan])


def test_bars_since_change_by_hand() -> None:
    nan = np.nan
    state = np.array([0, 0, 1, 1, 1, 1, 1, 0, nan, 0, 0, 0, 0, 1.0])
    np.testing.assert_array_equal(bars_since_change(state, 3), [nan, nan, nan, 1, 2, 3, 3, 0, nan, nan, nan, nan, 3, 0])


@pytest.mark.parametrize("cap", [1, 5, 40])
def test_states_match_their_windows(cap: int) -> None:
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
