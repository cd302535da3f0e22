"""The cache of work that tables share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.features.shared_work import SharedWork


class Line(NamedTuple):
    slope: Floats
    fits: tuple[Floats, Floats]


def test_a_longer_history_replaces_a_shorter_one() -> None:
    work, begun = SharedWork(), []

    def from_(start: int) -> Floats:
        def make() -> Floats:
            begun.append(start)
            return np.arange(start, 10.0)

        return work.arrays("series", start, make)

    assert from_(5).tolist() == [5, 6, 7, 8, 9]
    assert from_(7).tolist() == [7, 8, 9]
    assert from_(2).tolist() == [2, 3, 4, 5, 6, 7, 8, 9]
    assert from_(5).tolist() == [5, 6, 7, 8, 9]
    assert begun == [5, 2]


def test_named_and_nested_tuples_keep_their_shape() -> None:
    work, y = SharedWork(), np.arange(12.0).reshape(2, 6)
    work.arrays("line", 0, lambda: Line(y, (y[0], y[1])))
    later = work.arrays("line", 4, lambda: Line(y, (y, y)))
    assert isinstance(later, Line)
    assert later.slope.tolist() == [[4, 5], [10, 11]]
    assert later.fits[1].tolist() == [10, 11]
    assert np.shares_memory(later.slope, y)


def test_single_results_ignore_the_start_and_none_is_cached() -> None:
    work, calls = SharedWork(), []

    def none() -> None:
        calls.append(1)

    assert work.result("nothing", none) is None
    assert work.result("nothing", none) is None
    assert calls == [1]
    work.clear()
    work.result("nothing", none)
    assert calls == [1, 1]


def test_arrays_and_single_results_with_one_key_are_separate() -> None:
    work = SharedWork()
    work.arrays("key", 0, lambda: np.zeros(3))
    assert work.result("key", lambda: "text") == "text"
