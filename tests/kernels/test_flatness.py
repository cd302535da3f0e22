"""Constant windows at and beside the tolerance of 1e-13."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.kernels.flatness import is_constant, is_flat, may_be_flat, rounding_size


@pytest.mark.parametrize("level", [100.0, -100.0, 1e-5])
def test_values_within_the_tolerance_are_constant(level: float) -> None:
    size = abs(level)
    assert is_constant(level + 0.9e-13 * size, level)
    assert not is_constant(level + 1.2e-13 * size, level)


def test_zero_is_constant_and_any_move_from_it_is_not() -> None:
    assert is_constant(0.0, 0.0)
    assert not is_constant(1e-300, 0.0)


def test_flat_windows_ignore_missing_values() -> None:
    y = np.array([7.0, 1.0, 1.0, np.nan, 1.0, 2.0])
    assert [is_flat(y, t, 3) for t in range(2, 6)] == [False, True, True, False]


def test_the_quick_test_never_rejects_a_constant_window() -> None:
    newest, window = 100.0, 60
    largest = newest * 1e-13  # deviation of every value from the mean, at most
    assert may_be_flat(window * largest**2, newest, window)
    assert not may_be_flat(window * (10.0 * largest) ** 2, newest, window)


def test_rounding_size_by_hand() -> None:
    y = np.array([1.0, 1.0, 1.0, -4.0, 2.0, np.nan, 2.0, 3.0])
    np.testing.assert_allclose(
        rounding_size(y, 2, 0.0), [np.nan, np.nan, np.nan, 4e-13, 4e-13, np.nan, np.nan, 3e-13], rtol=1e-15
    )
    np.testing.assert_allclose(rounding_size(y, 2, 1e-9)[[3, 4, 7]], 1e-9, rtol=1e-15)
