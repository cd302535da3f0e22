"""The sequence of joins that builds a window from shorter parts."""

from __future__ import annotations

import pytest

from fxloom.kernels.window_parts import joins_of


@pytest.mark.parametrize("window", [2, 3, 7, 15, 45, 60, 64, 75, 90, 120, 240, 1440])
def test_joins_build_the_window(window: int) -> None:
    length = 1
    for newer, older in joins_of(window):
        assert newer == length
        assert older in (length, 1)
        length += older
    assert length == window


def test_a_single_bar_needs_no_join_and_the_longest_windows_few() -> None:
    assert joins_of(1).shape == (0, 2)
    assert [len(joins_of(w)) for w in (60, 64, 240)] == [8, 6, 10]
