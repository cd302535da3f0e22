"""True ranges and directional movement against TA-Lib, through a still price, and in a market that never moves."""

from __future__ import annotations

import numpy as np
import pytest
import talib

from fxloom.bars.bars import Bars
from fxloom.kernels.directional import directional, true_ranges
from tests.markets import tied_walk

STILL = tied_walk(3000, 2, (1000, 1400), step=2, reach=3, gaps=False)


@pytest.mark.parametrize("bars", [tied_walk(3000, 1, step=2, reach=3, gaps=False), STILL], ids=["plain", "standstill"])
@pytest.mark.parametrize("late", [0, 19])
def test_directional_system_matches_talib(bars: Bars, late: int) -> None:
    before = np.full(late, np.nan)
    high, low, close = (np.r_[before, np.round(1e5 * column)] for column in (bars.high, bars.low, bars.close))
    wanted = [f(high, low, close, 14) for f in (talib.PLUS_DI, talib.MINUS_DI, talib.DX, talib.ADX)]
    for got, want in zip(directional(high, low, close, 14, 700), wanted, strict=True):
        assert np.flatnonzero(~np.isnan(got))[0] >= late + 14
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-11)
    np.testing.assert_array_equal(true_ranges(high, low, close, 1), talib.TRANGE(high, low, close))


def test_true_range_includes_the_previous_close() -> None:
    h, l, c = np.array([2.0, 5.0, 5.0]), np.array([1.0, 4.0, 3.0]), np.array([1.5, 4.5, 4.0])
    assert true_ranges(h, l, c, 1)[1:].tolist() == [3.5, 2.0]
    assert np.isnan(true_ranges(h, l, np.array([np.nan, 4.5, 4.0]), 1)[1])


def test_a_true_range_looks_back_over_bars_that_overlap() -> None:
    h, l, c = np.array([2.0, 9.0, 5.0]), np.array([1.0, 8.0, 4.0]), np.array([1.5, 8.5, 4.5])
    assert true_ranges(h, l, c, 2)[2] == 3.5
    assert np.isnan(true_ranges(h, l, c, 2)[:2]).all()


def test_a_market_that_never_moves_has_no_values() -> None:
    still = np.full(90, 100.0)
    for values in directional(still, still, still, 14, 700):
        assert np.nan_to_num(values).tolist() == [0.0] * 90


def test_ratios_expire_after_a_standstill_longer_than_the_patience() -> None:
    plus, minus, dx, _ = directional(STILL.high, STILL.low, STILL.close, 14, 100)
    assert np.ptp(dx[1002:1090]) < 1e-9
    assert np.abs([found[1110:1400] for found in (plus, minus, dx)]).max() == 0.0


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_too_few_bars_have_no_movement(n: int) -> None:
    for values in directional(STILL.high[:n], STILL.low[:n], STILL.close[:n], 14, 700):
        assert len(values) == n
        assert np.isnan(values).all()
