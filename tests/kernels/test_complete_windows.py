"""Windows without missing values against exact rational arithmetic, and the joins by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from fxloom.kernels.complete_windows import (
    complete_means,
    complete_products,
    complete_squares,
    merge_means,
    merge_products,
)

RNG = np.random.default_rng(6)
X = 100.0 + 1e-3 * np.cumsum(RNG.standard_normal(1_200))
Y = 5.0 + 1e-2 * np.cumsum(RNG.standard_normal(1_200))
ROWS = (1_023, 1_024, 1_100, 1_199)  # both sides of a block's edge, and the last


def mean_of(values: list[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def test_a_join_of_two_parts_by_hand() -> None:
    """Parts (1, 3) and (5, 9): means -1 and -2 below their newest values, squares 2 and 8; together 4.5 and 35."""
    y, mean = np.array([1.0, 3.0, 5.0, 9.0]), np.array([0.0, -1.0, -1.0, -2.0])
    step, means = np.zeros(4), np.zeros(4)
    merge_means(y, mean, 2, False, step, means)
    assert step[3] == 2.0 - 7.0
    assert means[3] == 4.5 - 9.0
    squares = np.zeros(4)
    merge_products(np.array([0.0, 2.0, 2.0, 8.0]), step, step, 2, False, squares)
    assert squares[3] == 3.5**2 + 1.5**2 + 0.5**2 + 4.5**2


def test_a_join_with_a_single_bar_by_hand() -> None:
    """The part (3, 5) and the bar 1 before it: mean 3, squares 8."""
    y, mean = np.array([1.0, 3.0, 5.0]), np.array([0.0, -1.0, -1.0])
    step, means, squares = np.zeros(3), np.zeros(3), np.zeros(3)
    merge_means(y, mean, 2, True, step, means)
    merge_products(np.array([0.0, 2.0, 2.0]), step, step, 2, True, squares)
    assert (step[2], means[2], squares[2]) == (1.0 - 4.0, 3.0 - 5.0, 8.0)


@pytest.mark.parametrize("window", [2, 3, 7, 60, 75])
def test_sums_are_exact(window: int) -> None:
    means, squares = complete_squares(X, window)
    xx, xy, yy = complete_products(X, Y, window)
    np.testing.assert_array_equal(means, complete_means(X, window))
    for t in (window - 1, *ROWS):
        x, y = ([Fraction(v) for v in s[t - window + 1 : t + 1].tolist()] for s in (X, Y))
        mx, my = mean_of(x), mean_of(y)
        exact = [
            sum(a * b for a, b in zip(one, other, strict=True))
            for one, other in (
                ([v - mx for v in x], [v - mx for v in x]),
                ([v - mx for v in x], [v - my for v in y]),
                ([v - my for v in y], [v - my for v in y]),
            )
        ]
        assert means[t] == pytest.approx(float(mx - x[-1]), rel=1e-11)
        assert squares[t] == pytest.approx(float(exact[0]), rel=1e-11)
        size = float(exact[0] * exact[2]) ** 0.5
        assert (xx[t], xy[t], yy[t]) == pytest.approx(tuple(map(float, exact)), rel=1e-11, abs=1e-11 * size)


def test_windows_with_a_missing_value_are_missing() -> None:
    y = X.copy()
    y[500] = np.nan
    outputs = (complete_means(y, 7), *complete_squares(y, 7), *complete_products(y, Y, 7)[:2])
    for values in outputs:
        assert np.flatnonzero(np.isnan(values)).tolist() == [*range(6), *range(500, 507)]
