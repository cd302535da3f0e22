"""The recursive ratio of realized volatility from different starts."""

from __future__ import annotations

import pytest

from fxloom.families.realized_volatility import FAMILY
from fxloom.features.domain import RATE
from tests.families.walks import quoted_frame


def test_the_ewma_ratio_does_not_depend_on_its_start() -> None:
    """After its declared lookback the recursion no longer depends on its seed."""
    frame = quoted_frame()
    back = {c.name: c.lookback for c in FAMILY.columns(RATE)}["rv_ewma_ratio_5_20"]
    whole = FAMILY.compute(frame.view(RATE))["rv_ewma_ratio_5_20"]
    for t in (back, 1_234, 2_050, 2_200, len(frame.bars) - 1):
        part = FAMILY.compute(frame.view(RATE, start=t - back))["rv_ewma_ratio_5_20"][back]
        assert part == pytest.approx(whole[t], rel=1e-12)
