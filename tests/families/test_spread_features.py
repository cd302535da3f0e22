"""When spread features begin, and their values while the price is still."""

from __future__ import annotations

import numpy as np

from fxloom.families.spread_features import FAMILY
from fxloom.features.domain import RATE
from tests.families.walks import quoted_frame


def test_quoted_spreads_start_at_once_and_the_proxy_after_an_hour() -> None:
    quoted, proxy = (quoted_frame(volume_and_quotes=given).view(RATE) for given in (True, False))
    first = [int(np.flatnonzero(np.isfinite(FAMILY.compute(v)["spread_mean_15"]))[0]) for v in (quoted, proxy)]
    assert first == [14, 59 + 14]
    assert max(c.lookback for c in FAMILY.columns(RATE)) == 59 + 74


def test_a_still_price_has_a_spread_rank_and_no_ratio_to_volatility() -> None:
    view = quoted_frame().view(RATE)
    got = FAMILY.compute(view)
    at = 1_800 + 60 + 50  # within the still stretch, on the clock
    assert not view.r[at - 14 : at + 1].any()
    assert np.isnan(got["spread_to_vol_15"][at])
    assert np.isfinite(got["spread_pctrank_15"][at])
