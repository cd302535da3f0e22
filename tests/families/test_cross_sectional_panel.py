"""The cross-section of pairs when some of them are absent."""

from __future__ import annotations

import numpy as np

from fxloom.families import cross_sectional_panel
from fxloom.features.domain import RATE
from tests.markets import START, flat_bars, panel_frame


def test_rank_stability_excludes_pairs_absent_an_hour_before() -> None:
    """Four pairs fall into the same order as an hour before; a fifth, absent then, would have had a momentum of 0."""
    n, moves = 200, {"audusd": 4e-5, "eurusd": 2e-5, "gbpusd": -2e-5, "nzdusd": -4e-5, "usdcad": 3e-5}
    ts = START + np.arange(n)
    close = {p: 1.2 * np.exp(step * np.arange(n)) for p, step in moves.items()}
    bars = {p: flat_bars(ts, c) for p, c in close.items()}
    bars["usdcad"] = bars["usdcad"].take((ts < START + 20) | (ts >= START + 140))  # its price moved in the meantime
    values = cross_sectional_panel.compute(panel_frame(bars, quotes=False).view(RATE))["panel_rank_stability"]
    assert values[0, 139] == 1.0
    np.testing.assert_array_equal(values[:, 141:199], np.ones((5, 58)))
