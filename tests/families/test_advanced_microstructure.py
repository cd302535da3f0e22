"""Microstructure of a price that stands still."""

from __future__ import annotations

import numpy as np

from fxloom.families.advanced_microstructure import FAMILY
from fxloom.features.domain import RATE
from tests.families.walks import quoted_frame


def test_a_still_price_has_no_flow() -> None:
    view = quoted_frame().view(RATE)
    got = FAMILY.compute(view)
    still = [t for t in range(300, len(view.r)) if not view.r[t - 59 : t + 1].any()]
    assert len(still) > 100
    for name in ("micro_flow_60", "micro_roll_60", "micro_noise_60", "micro_adverse_60", "micro_corwin_schultz_60"):
        assert (got[name][still[5:]] == 0.0).all(), name
    for name in ("micro_kyle_60", "micro_edge_60", "micro_cost_move_60", "micro_variance_ratio_60"):
        assert np.isnan(got[name][still]).all(), name
    assert (got["micro_zero_share_60"][still] == 1.0).all()
