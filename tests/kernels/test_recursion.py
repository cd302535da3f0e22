"""Recursive averages against their definitions and TA-Lib, and values that must not affect them."""

from __future__ import annotations

import numpy as np
import pytest
import talib

from fxloom.kernels.recursion import efficiency, ema, first_present, kama, wilder

RNG = np.random.default_rng(5)
WALK = 100.0 + np.cumsum(RNG.integers(-3, 4, 900)).astype(np.float64) * 0.01
WALK[300:360] = WALK[299]  # a still market
LED = np.r_[np.full(19, np.nan), WALK]


def slow_average(x: np.ndarray, period: int, alpha: float, skip: int = 0) -> np.ndarray:
    """The recursion by its definition, with explicit weights instead of steps."""
    out = np.full(len(x), np.nan)
    start = int(np.flatnonzero(~np.isnan(x))[0]) + skip
    first = start + period - 1
    for t in range(first, len(x)):
        weights = alpha * (1.0 - alpha) ** np.arange(t - first)
        newest = x[first + 1 : t + 1][::-1]
        out[t] = (weights * newest).sum() + (1.0 - alpha) ** (t - first) * x[start : first + 1].mean()
    return out


@pytest.mark.parametrize("x", [WALK, LED], ids=["complete", "missing at the start"])
@pytest.mark.parametrize("period", [2, 9, 26])
def test_averages_match_explicit_weights(x: np.ndarray, period: int) -> None:
    np.testing.assert_allclose(ema(x, period, 0), slow_average(x, period, 2.0 / (period + 1)), rtol=1e-13)
    np.testing.assert_allclose(ema(x, period, 5), slow_average(x, period, 2.0 / (period + 1), 5), rtol=1e-13)
    np.testing.assert_allclose(wilder(x, period), slow_average(x, period, 1.0 / period), rtol=1e-13)


def test_averages_match_talib() -> None:
    np.testing.assert_allclose(ema(WALK, 26, 0), talib.EMA(WALK, 26), rtol=1e-14)
    np.testing.assert_allclose(kama(WALK, 30), talib.KAMA(WALK, 30), rtol=1e-13)


def test_average_worked_by_hand() -> None:
    x = np.array([np.nan, 1.0, 2.0, 3.0, 7.0])
    assert list(ema(x, 3, 0)[3:]) == [2.0, 4.5]  # mean of 1, 2, 3; then half the way to 7
    assert list(ema(x, 2, 1)[3:]) == [2.5, 2.5 + 4.5 * 2.0 / 3.0]
    assert list(wilder(x, 3)[3:]) == [2.0, 11.0 / 3.0]


def test_efficiency_is_the_net_move_over_the_path() -> None:
    ratio = efficiency(np.array([1.0, 2.0, 1.0, 2.0, 3.0, 3.0, 3.0, 3.0, 1.0]), 3)
    np.testing.assert_allclose(ratio[3:], [1 / 3, 1 / 3, 1.0, 1.0, 1.0, 1.0])


def slow_kama(x: np.ndarray, period: int) -> np.ndarray:
    out = np.full(len(x), np.nan)
    first = int(np.flatnonzero(~np.isnan(x))[0]) + period
    average = x[first - 1]
    for t in range(first, len(x)):
        path = np.abs(np.diff(x[t - period : t + 1])).sum()
        ratio = abs(x[t] - x[t - period]) / path if path > 0.0 else 1.0
        average += (x[t] - average) * (ratio * (2 / 3 - 2 / 31) + 2 / 31) ** 2
        out[t] = average
    return out


@pytest.mark.parametrize("x", [WALK, LED], ids=["complete", "missing at the start"])
def test_kama_matches_its_definition(x: np.ndarray) -> None:
    np.testing.assert_allclose(kama(x, 30), slow_kama(x, 30), rtol=1e-13)


@pytest.mark.parametrize("x", [WALK[:0], WALK[:5], np.full(40, np.nan), LED[:21]], ids=["none", "few", "nan", "late"])
def test_short_histories_have_no_values(x: np.ndarray) -> None:
    for values in (ema(x, 9, 0), wilder(x, 9), kama(x, 9), efficiency(x, 9)):
        assert len(values) == len(x)
        assert np.isnan(values).all()


def test_first_present() -> None:
    assert [first_present(x) for x in (LED, WALK, np.full(3, np.nan))] == [19, 0, 3]


def test_a_missing_head_shifts_the_values_and_nothing_else() -> None:
    averages = (
        (ema(WALK, 9, 2), ema(LED, 9, 2)),
        (wilder(WALK, 9), wilder(LED, 9)),
        (kama(WALK, 9), kama(LED, 9)),
    )
    for plain, led in averages:
        np.testing.assert_array_equal(led, np.r_[np.full(19, np.nan), plain])
