"""The spread features against the formulas of their definition, with quotes and with the proxy."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fxloom.families.spread_features import FAMILY
from fxloom.features.domain import RATE, WINDOWS
from tests.families.naive import (
    NAMES,
    Formula,
    Market,
    Number,
    Reference,
    check_against,
    market,
    percentile_rank,
    quotient,
    slope,
    std,
)


def references(w: int) -> dict[str, Reference]:
    def on_spread(formula: Formula) -> Reference:
        def reference(m: Market, t: int) -> Number:
            s = m.window(m.s, t, w)
            return math.nan if np.isnan(s).any() else formula(s)

        return reference

    def to_vol(m: Market, t: int) -> float:
        return min(quotient(m.window(m.s, t, w).mean(), 1e4 * std(m.window(m.r, t, w))), 1000.0)

    found: dict[str, Reference] = {
        "mean": on_spread(np.mean),
        "std": on_spread(std),
        "z": on_spread(lambda s: quotient(s[-1] - s.mean(), std(s))),
        "slope": on_spread(slope),
        "max_ratio": on_spread(lambda s: quotient(s.max(), s.mean())),
        "pctrank": on_spread(lambda s: percentile_rank(s, s[-1])),
        "to_vol": to_vol,
    }
    return {f"spread_{name}_{w}": reference for name, reference in found.items()}


@pytest.mark.parametrize("name", NAMES)
def test_columns_are_as_defined(name: str) -> None:
    # bidask's own rounding in EDGE is about 1e-13 of a bp, the slope of 75 of them some times that
    check_against(FAMILY, market(name, RATE), {k: f for w in WINDOWS for k, f in references(w).items()}, 1e-8)


def test_quoted_spreads_start_at_once_and_the_proxy_after_an_hour() -> None:
    quoted, proxy = (market(n, RATE).view for n in ("synthetic", "synthetic without volume and quotes"))
    first = [int(np.flatnonzero(np.isfinite(FAMILY.compute(v)["spread_mean_15"]))[0]) for v in (quoted, proxy)]
    assert first == [14, 59 + 14]
    assert max(c.lookback for c in FAMILY.columns(RATE)) == 59 + 74


def test_a_still_price_has_a_spread_rank_and_no_ratio_to_volatility() -> None:
    got = FAMILY.compute(market("synthetic", RATE).view)
    m = market("synthetic", RATE)
    at = 1_800 + 60 + 50  # within the standstill, on the clock
    assert std(m.window(m.r, at, 15)) == 0.0
    assert np.isnan(got["spread_to_vol_15"][at])
    assert np.isfinite(got["spread_pctrank_15"][at])
