"""Volume features of a window worked by hand, and the volume proxy."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from fxloom.families.volume_features import FAMILY
from fxloom.features.domain import RATE
from fxloom.features.pair_view import PairFrame
from tests.families.walks import quoted_frame


def test_a_window_worked_by_hand() -> None:
    """Three bars of volume in fifteen minutes: shares 1/2, 1/4, 1/4."""
    whole = quoted_frame(2_100)
    volume = np.zeros(len(whole.bars))
    volume[20:23] = 8.0, 4.0, 4.0
    frame = PairFrame("eurusd", replace(whole.bars, volume=volume), whole.info)
    got = FAMILY.compute(frame.view(RATE))
    assert got["volume_entropy_15"][24] == pytest.approx(1.5 * math.log(2) / math.log(15), rel=1e-14)
    assert got["volume_concentration_15"][24] == 0.5
    assert got["volume_mean_15"][24] == 16 / 15
    assert np.isnan(got["volume_entropy_15"][17])


def test_the_proxy_counts_pips() -> None:
    frame = quoted_frame(volume_and_quotes=False)
    bars, volume = frame.bars, frame.view(RATE).volume
    at = bars.observed[500]
    pips = (bars.high[at] - bars.low[at]) * 1e4
    assert volume[at] == pytest.approx(1 + pips, rel=1e-12)
    filled = np.setdiff1d(np.arange(len(bars)), bars.observed)
    assert len(filled) > 0
    assert (volume[filled] == 0.0).all()
