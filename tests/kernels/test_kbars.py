"""K-minute bars against pandas' bins, and when a row may see them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fxloom.kernels.kbars import kbars, spread

RNG = np.random.default_rng(7)
STEPS = np.where(RNG.random(4000) < 0.01, RNG.integers(1, 3000, 4000), 1)  # short and long closures
TS = 25_000_003 + np.cumsum(STEPS)
X = 100.0 + np.cumsum(RNG.normal(0.0, 0.01, 4000))


@pytest.mark.parametrize("minutes", [30, 60])
def test_bars_match_pandas(minutes: int) -> None:
    bins = pd.Series(X).groupby(TS // minutes)
    high, low, close, _ = kbars(TS, X, minutes)
    np.testing.assert_array_equal(high, bins.max())
    np.testing.assert_array_equal(low, bins.min())
    np.testing.assert_array_equal(close, bins.last())


@pytest.mark.parametrize("minutes", [30, 60])
def test_a_row_sees_the_latest_finished_bar(minutes: int) -> None:
    seen = kbars(TS, X, minutes)[3]
    starts = np.unique(TS // minutes) * minutes
    for t in range(len(TS)):
        over = np.flatnonzero(starts + minutes - 1 <= TS[t])
        assert seen[t] == (over[-1] if len(over) else -1)


@pytest.mark.parametrize("minutes", [30, 60])
def test_later_minutes_change_no_bar_that_was_seen(minutes: int) -> None:
    high, low, close, seen = kbars(TS, X, minutes)
    for end in (1, 29, 500, 2345):
        sooner = kbars(TS[:end], X[:end], minutes)
        np.testing.assert_array_equal(sooner[3], seen[:end])
        for before, after in zip(sooner[:3], (high, low, close), strict=True):
            np.testing.assert_array_equal(spread(before, sooner[3]), spread(after, seen[:end]))


def test_bars_are_made_of_present_values_only() -> None:
    ts = np.arange(100, 220)
    x = np.r_[np.full(35, np.nan), X[:85]]
    high, _, close, seen = kbars(ts, x, 30)
    assert len(high) == 4  # minutes 135-149, 150-179, 180-209, 210-219
    assert close[0] == X[14]
    assert seen[:49].max() == -1
    assert seen[[49, 78, 79, 119]].tolist() == [0, 0, 1, 2]


def test_spread_is_missing_where_no_bar_is_seen() -> None:
    assert np.isnan(spread(np.array([1.0]), np.array([-1]))[0])
    assert spread(np.array([1.0, 2.0]), np.array([0, 1, 1])).tolist() == [1.0, 2.0, 2.0]
