"""Parts of windows with missing values, joined by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fxloom.kernels.partial_windows import (
    ROW,
    fill_single,
    holds_enough,
    join_parts,
    join_two,
    load,
    new_room,
    settle,
)

NAN = np.nan
JOIN = np.array([1, 1])  # a newer bar with the bar before it


def single(y: list[float], cumulated: bool = False) -> np.ndarray:
    room = new_room(len(y))
    fill_single(np.array(y), cumulated, room[0])
    return room[0]


def pairs_of(y: list[float], cumulated: bool = False) -> np.ndarray:
    """Parts of two bars."""
    bars, out = single(y, cumulated), new_room(len(y))[1]
    join_parts(bars, bars, 1, cumulated, out)
    return out


def column(parts: np.ndarray, i: int) -> tuple[float, ...]:
    """Count, mean, squared deviations, high and low of a part."""
    return tuple(parts[[ROW.number, ROW.mean, ROW.ssd, ROW.high, ROW.low], i].tolist())


def test_a_missing_bar_is_an_empty_part() -> None:
    parts = single([3.0, NAN])
    assert column(parts, 0) == (1.0, 3.0, 0.0, 3.0, 3.0)
    assert column(parts, 1) == (0.0, 0.0, 0.0, -np.inf, np.inf)


def test_joined_parts_hold_the_values_of_both() -> None:
    parts = pairs_of([3.0, 7.0, NAN, 5.0])
    assert column(parts, 1) == (2.0, 5.0, 8.0, 7.0, 3.0)
    assert column(parts, 2) == (1.0, 7.0, 0.0, 7.0, 7.0)
    assert column(parts, 3) == (1.0, 5.0, 0.0, 5.0, 5.0)


def test_cumulated_parts_start_at_their_first_bar() -> None:
    """Bars 2, 3 cumulate to 2, 5: mean 3.5, squares 4.5; the next part starts from 5."""
    parts = pairs_of([1.0, 2.0, 3.0], cumulated=True)
    assert column(parts, 2) == (2.0, 3.5, 4.5, 5.0, 2.0)
    assert parts[ROW.total, 2] == 5.0


def test_sums_of_products_of_two_series() -> None:
    """x = 1, 3 and y = 2, 8: deviations -1, 1 and -3, 3."""
    x, y = single([1.0, 3.0]), single([2.0, 8.0])
    out_x, out_y = new_room(2)[1], new_room(2)[1]
    join_two(x, x, y, y, JOIN, False, out_x, out_y)
    assert out_x[ROW.product, 1] == 6.0
    assert (out_x[ROW.ssd, 1], out_y[ROW.ssd, 1]) == (2.0, 18.0)


@pytest.mark.parametrize(
    ("count", "newest", "at", "enough"),
    [(15.0, 1.0, 59, True), (14.0, 1.0, 59, False), (60.0, NAN, 59, False), (60.0, 1.0, 58, False)],
)
def test_a_window_needs_its_newest_value_and_a_quarter_of_its_bars(
    count: float, newest: float, at: int, enough: bool
) -> None:
    assert holds_enough(count, newest, at, 60) == enough


def test_settling_empties_windows_that_hold_too_little() -> None:
    y = np.array([3.0, 7.0, NAN, 5.0])
    parts = pairs_of(y.tolist())
    settle(parts, y, 10, 2)
    assert parts[ROW.number].tolist()[1:] == [2.0, 0.0, 1.0]
    np.testing.assert_array_equal(parts[ROW.mean, 1:], [5.0, NAN, 5.0])
    np.testing.assert_array_equal(parts[ROW.ssd, 1:], [8.0, NAN, 0.0])


def test_settling_makes_the_deviation_of_a_constant_exactly_zero() -> None:
    y = np.array([0.1, np.nextafter(0.1, 1.0)])
    parts = pairs_of(y.tolist())
    parts[ROW.ssd, 1] = 1e-30
    settle(parts, y, 0, 2)
    assert parts[ROW.ssd, 1] == 0.0


def test_loading_takes_bars_at_which_both_series_have_values() -> None:
    y, other, out = np.array([1.0, 2.0, 3.0]), np.array([5.0, NAN, 5.0]), np.empty(6)
    load(y, other, -1, out)
    np.testing.assert_array_equal(out, [NAN, 1.0, NAN, 3.0, NAN, NAN])
