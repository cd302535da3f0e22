"""The cost of trading: windows of the quoted spread in bp of the close.

Without quotes in the source, s is the magnitude of the EDGE estimate from the last 60 bars, filled ones included. On
mid prices EDGE measures bounce, not the quoted spread: their correlation is 0.0 to 0.4.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from fxloom.features.domain import RATE, WINDOWS, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.missing import FIXED_SPREAD, NO_SPREAD, STILL_PRICE
from fxloom.features.pair_view import View
from fxloom.kernels.extremes import rolling_max
from fxloom.kernels.moments import rolling_mean, rolling_std
from fxloom.kernels.order import rolling_rank
from fxloom.kernels.ratio import ratio
from fxloom.kernels.regression import rolling_slope
from fxloom.kernels.tolerances import EQUAL
from fxloom.series.pair import SPREAD_LOOKBACK, spread_bp, volatility

CAP = 1000.0
SOURCE = "s = 10000 spread / close; without quotes EDGE over 60 bars: Ardia, Guidotti & Kroencke (2024)"


def columns(domain: Domain) -> Iterable[Column]:
    for w in WINDOWS:
        yield from _columns_of(w, w - 1 + domain.r)


def _columns_of(w: int, to_vol_warmup: int) -> Iterable[Column]:
    edge = (w - 1) / math.sqrt(w)

    def column(
        name: str, unit: str, formula: str, low: float, high: float, undefined: str = NO_SPREAD, warmup: int = w - 1
    ) -> Column:
        return Column(
            f"spread_{name}_{w}",
            unit,
            formula,
            warmup,
            lookback=w - 1 + SPREAD_LOOKBACK,
            low=low,
            high=high,
            source=SOURCE,
            undefined=undefined,
            may_be_constant=FIXED_SPREAD,
        )

    yield column("mean", "bp", f"mean_{w}(s)", 0, math.inf)
    yield column("std", "bp", f"std_{w}(s)", 0, math.inf)
    constant = f"{NO_SPREAD}; the window's spread is constant"
    yield column("z", "std", f"(s - mean_{w}(s)) / std_{w}(s)", -edge, edge, constant)
    yield column("slope", "bp/minute", f"slope(s, {w})", -math.inf, math.inf)
    zero = f"{NO_SPREAD}; the window's spread is 0"
    yield column("max_ratio", "ratio", f"max_{w}(s) / mean_{w}(s)", 1, w, zero)
    formula = f"share of the last {w} s below s[t] plus half of those within 1e-9 of it"
    yield column("pctrank", "share", formula, 0.5 / w, 1 - 0.5 / w)
    still = f"{NO_SPREAD}; {STILL_PRICE}"
    formula = f"mean_{w}(s) / (10000 std_{w}(r)), at most {CAP:.0f}"
    yield column("to_vol", "ratio", formula, 0, CAP, still, to_vol_warmup)


def compute(view: View) -> Columns:
    s = view.shared_by_domains(spread_bp)
    found: Columns = {}
    for w in WINDOWS:
        mean, std = rolling_mean(s, w), rolling_std(s, w)
        sigma = 10_000.0 * view.shared(volatility, w)
        found |= {
            f"spread_mean_{w}": mean,
            f"spread_std_{w}": std,
            f"spread_z_{w}": ratio(s - mean, std),
            f"spread_slope_{w}": rolling_slope(s, w),
            f"spread_max_ratio_{w}": np.maximum(ratio(rolling_max(s, w), mean), 1.0),
            f"spread_pctrank_{w}": rolling_rank(s, w, EQUAL),
            f"spread_to_vol_{w}": np.minimum(ratio(mean, sigma), CAP),
        }
    return found


FAMILY = Family("spread_features", columns, compute, domains=(RATE,), dual=False, uses=("spread",))
