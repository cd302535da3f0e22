"""The parabolic stop against TA-Lib and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import talib

from fxloom.kernels.sar import sar
from tests.markets import tied_walk


@pytest.mark.parametrize("seed", range(20))
def test_stop_matches_talib_for_any_first_bars(seed: int) -> None:
    bars = tied_walk(60, seed, step=2, reach=3, gaps=False)
    np.testing.assert_allclose(
        sar(bars.high, bars.low, 0.02, 0.2), talib.SAR(bars.high, bars.low, 0.02, 0.2), rtol=1e-14
    )


def test_the_stop_worked_by_hand() -> None:
    high = np.array([2.0, 3.0, 4.0, 4.0, 1.5])
    low = np.array([1.0, 2.0, 3.0, 3.0, 0.5])
    stop = sar(high, low, 0.02, 0.2)
    # long from the second bar with the first low as stop; then 2 % and 4 % of the way to the extreme
    assert np.isnan(stop[0])
    assert stop[1] == 1.0
    assert stop[2] == 1.0 + 0.02 * 2.0
    assert stop[3] == pytest.approx(1.04 + 0.04 * (4.0 - 1.04))
    assert stop[4] == 4.0  # the low breaks the stop: short from the extreme


@pytest.mark.parametrize("still", [(0, 0), (1000, 1400)])
def test_a_long_history_matches_talib(still: tuple[int, int]) -> None:
    bars = tied_walk(3000, 2, still, step=2, reach=3, gaps=False)
    np.testing.assert_allclose(
        sar(bars.high, bars.low, 0.02, 0.2), talib.SAR(bars.high, bars.low, 0.02, 0.2), rtol=1e-14
    )


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_too_few_bars_have_no_stop_at_the_first(n: int) -> None:
    stop = sar(np.arange(1.0, n + 1.0), np.arange(0.0, n), 0.02, 0.2)
    assert len(stop) == n
    assert np.isnan(stop[:1]).all()
