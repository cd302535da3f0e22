"""Oscillators against TA-Lib, their definitions and 0/0."""

from __future__ import annotations

import numpy as np
import pytest
import talib

from fxloom.kernels.oscillators import buying_pressure, cci, cmo, money_flow, rises_and_falls, rsi, stochastic
from tests.markets import tied_walk

Bars = tuple[np.ndarray, np.ndarray, np.ndarray]


def ticking_bars(n: int, seed: int, still: tuple[int, int] = (0, 0)) -> Bars:
    """High, low and close on a coarse grid with many ties; the price is still within ``still``."""
    bars = tied_walk(n, seed, still, step=2, reach=3, gaps=False)
    return bars.high, bars.low, bars.close


PLAIN = ticking_bars(3000, 1)
STILL = ticking_bars(3000, 2, (1000, 1400))
LATE = tuple(np.r_[np.full(19, np.nan), column] for column in PLAIN)


@pytest.mark.parametrize("bars", [PLAIN, STILL, LATE], ids=["plain", "with a standstill", "missing at the start"])
def test_recursive_oscillators_match_talib(bars: Bars) -> None:
    close = bars[2]
    for period in (9, 14, 21):
        np.testing.assert_allclose(rsi(close, period, 700), talib.RSI(close, period), rtol=1e-12, atol=1e-11)
        np.testing.assert_allclose(cmo(close, period, 700), talib.CMO(close, period), rtol=1e-12, atol=1e-11)


def slow_rsi(x: np.ndarray, period: int, t: int) -> float:
    """RSI at t with explicit weights of Wilder's averages; x has no missing values."""
    change = np.diff(x)
    keep = (period - 1) / period
    age = t - 1 - np.arange(t)
    weight = np.where(np.arange(t) < period, keep ** (t - period) / period, keep**age / period)
    up = (weight * np.maximum(change[:t], 0.0)).sum()
    down = (weight * np.maximum(-change[:t], 0.0)).sum()
    return 100.0 * up / (up + down)


def test_rsi_matches_its_definition() -> None:
    close = PLAIN[2]
    for t in (14, 15, 200):
        assert rsi(close, 14, 700)[t] == pytest.approx(slow_rsi(close, 14, t), rel=1e-11)


def test_a_market_that_never_moves_has_no_values() -> None:
    still = np.full(90, 100.0)
    assert rsi(still, 14, 700)[14:].tolist() == [0.0] * 76
    assert cmo(still, 14, 700)[14:].tolist() == [0.0] * 76


def test_ratios_expire_after_a_standstill_longer_than_the_patience() -> None:
    close = STILL[2]  # nothing moves at 1000..1399, the close of 999 included
    strength, balance = rsi(close, 14, 100), cmo(close, 14, 100)
    assert np.ptp(strength[999:1099]) < 1e-9
    assert strength[1098] > 0.0
    assert strength[1099:1400].tolist() == balance[1099:1400].tolist() == [0.0] * 301
    assert strength[1450] == pytest.approx(talib.RSI(close, 14)[1450], rel=1e-6)


def test_rises_and_falls_worked_by_hand() -> None:
    up, down = rises_and_falls(np.array([1.0, 3.0, 2.0, 2.0]), 2)
    assert up[2:].tolist() == [1.0, 0.5]
    assert down[2:].tolist() == [0.5, 0.25]


def test_window_oscillators_match_their_definitions() -> None:
    high, low, close = STILL
    typical = (high + low + close) / 3.0
    fast, distance = stochastic(high, low, close, 14, 1e-11), cci(typical, 20)
    for t in range(19, 1500):
        top, bottom = high[t - 13 : t + 1].max(), low[t - 13 : t + 1].min()
        window = typical[t - 19 : t + 1]
        mean = window.mean()
        spread = np.abs(window - mean).mean()
        if top == bottom:
            assert np.isnan(fast[t])
        else:
            assert fast[t] == pytest.approx(100.0 * (close[t] - bottom) / (top - bottom), rel=1e-12, abs=1e-10)
        if np.ptp(window) < 1e-9:
            assert np.isnan(distance[t])
        else:
            assert distance[t] == pytest.approx((typical[t] - mean) / (0.015 * spread), rel=1e-9, abs=1e-7)
    assert np.isnan(fast[1020:1400]).all()
    assert np.isnan(distance[1025:1400]).all()


def test_money_flow_needs_a_price_change() -> None:
    typical = np.array([np.nan, 100.0, 101.0, 101.0 * (1.0 + 2e-16), 99.0])
    up, down = money_flow(typical, np.full(5, 2.0))
    assert np.isnan(up[:2]).all()
    assert up[2:].tolist() == [202.0, 0.0, 0.0]
    assert down[2:].tolist() == [0.0, 0.0, 198.0]


def test_buying_pressure_is_measured_from_the_true_low() -> None:
    low, close = np.array([1.0, 2.0, 1.5]), np.array([1.5, 2.5, 2.0])
    assert buying_pressure(low, close)[1:].tolist() == [1.0, 0.5]


def test_short_histories_have_no_values() -> None:
    for n in (0, 1, 2, 5):
        close = PLAIN[2][:n]
        for values in (rsi(close, 14, 700), cmo(close, 9, 700), cci(close, 20)):
            assert len(values) == n
            assert np.isnan(values).all()
