"""Momentum, log changes and five-minute bars by hand and against loops over the window."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from fxloom.kernels.momentum import backward_momentum, five_minute_bars, log_changes

NAN = np.nan


def test_momentum_worked_by_hand() -> None:
    # (2 + 4 - 2 * 1) / 1, (4 + 1 - 2 * 5) / 5
    np.testing.assert_array_equal(backward_momentum(np.array([2.0, 4.0, 1.0, 5.0]), 2), [NAN, NAN, 4.0, -1.0])


@pytest.mark.parametrize("window", [1, 7, 15, 90])
def test_momentum_is_exact(window: int) -> None:
    close = 100.0 + 1e-3 * np.cumsum(np.random.default_rng(1).standard_normal(1_500))
    got = backward_momentum(close, window)
    assert np.isnan(got[:window]).all()
    exact = [Fraction(c) for c in close.tolist()]
    for t in (window, 1_023 + window, 1_024 + window, 1_499):
        now = exact[t]
        want = float(sum(past - now for past in exact[t - window : t]) / now)
        assert got[t] == pytest.approx(want, rel=1e-12, abs=1e-16)


def test_rounding_noise_is_not_a_change() -> None:
    close = np.array([100.0, 100.0 * (1.0 - 5e-13), 100.0])
    np.testing.assert_array_equal(backward_momentum(close, 1), [NAN, 0.0, 0.0])
    np.testing.assert_array_equal(log_changes(close), [NAN, 0.0, 0.0])


def test_log_changes_worked_by_hand() -> None:
    got = log_changes(np.exp([0.0, 0.25, 0.25, -0.5]))
    np.testing.assert_allclose(got, [NAN, 0.25, 0.0, -0.75], rtol=1e-14)


def test_five_minute_bars_worked_by_hand() -> None:
    opened, high, low, close = five_minute_bars(np.array([3.0, 1.0, 4.0, 1.5, 9.0, 2.0]))
    np.testing.assert_array_equal(opened[4:], [3.0, 1.0])
    np.testing.assert_array_equal(high[4:], [9.0, 9.0])
    np.testing.assert_array_equal(low[4:], [1.0, 1.0])
    np.testing.assert_array_equal(close[4:], [9.0, 2.0])
    assert all(np.isnan(column[:4]).all() for column in (opened, high, low, close))


def test_five_minute_bars_with_a_missing_value_have_no_range() -> None:
    opened, high, low, close = five_minute_bars(np.array([1.0, 2.0, NAN, 4.0, 5.0, 6.0, 7.0, 8.0]))
    np.testing.assert_array_equal(high[4:], [NAN, NAN, NAN, 8.0])
    np.testing.assert_array_equal(low[4:], [NAN, NAN, NAN, 4.0])
    np.testing.assert_array_equal(opened[4:], [1.0, 2.0, NAN, 4.0])
    np.testing.assert_array_equal(close[4:], [5.0, 6.0, 7.0, 8.0])
