"""Quotients and logarithms where they are defined and where they are not."""

from __future__ import annotations

import math

import numpy as np

from fxloom.kernels.ratio import log, log1p, ratio

NAN = math.nan


def test_ratio_is_missing_unless_the_denominator_is_positive() -> None:
    a = np.array([3.0, 3.0, 3.0, NAN, 3.0, math.inf])
    b = np.array([4.0, 0.0, -4.0, 4.0, NAN, 2.0])
    np.testing.assert_array_equal(ratio(a, b), [0.75, NAN, NAN, NAN, NAN, math.inf])


def test_ratio_has_no_negative_zero() -> None:
    got = ratio(np.array([-0.0, 0.0]), np.array([1.0, 5.0]))
    assert got.tolist() == [0.0, 0.0]
    assert not np.signbit(got).any()


def test_log_is_missing_unless_positive() -> None:
    got = log(np.array([1.0, math.e, 0.0, -1.0, NAN]))
    np.testing.assert_allclose(got, [0.0, 1.0, NAN, NAN, NAN], rtol=1e-15)


def test_log1p_keeps_the_digits_of_small_values() -> None:
    got = log1p(np.array([0.0, 1e-12, math.e - 1.0, NAN]))
    np.testing.assert_allclose(got, [0.0, 1e-12 - 0.5e-24, 1.0, NAN], rtol=1e-15)
