"""How much volume it takes to move the price, and what trading costs as liquidity changes.

A move of less than 0.02 bp does not count (sign 0); q = sign(r) V. Without volume in the source, V is 1 + range in
pips; without quotes, s is the magnitude of EDGE on 60 bars, which on mid prices measures bounce and not the quoted
spread: their correlation is 0.0 to 0.4.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.bars.clock import DAY
from fxloom.features.domain import BOTH, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.missing import FIXED_SPREAD, NO_SPREAD, NO_VOLUME, STILL_PRICE
from fxloom.features.pair_view import View
from fxloom.kernels.comoments import rolling_beta, rolling_corr
from fxloom.kernels.moments import rolling_std, zscore
from fxloom.kernels.order import rank_present
from fxloom.kernels.order_flow import tail_share
from fxloom.kernels.ratio import log, log1p, ratio
from fxloom.kernels.states import shift
from fxloom.kernels.tolerances import EQUAL, ZERO_CHANGE
from fxloom.kernels.tree import tree_sum, zscore_present
from fxloom.series.flow import STEP, amihud, kyle, mean_volume, signed_volume, turnover
from fxloom.series.pair import SPREAD_LOOKBACK, return_size, spread_bp, volatility

SHORT, HOUR, LONG, FOUR_HOURS = 15, 60, 120, 240
LEAST = 720  # values present for a percentile or a z score over a day
LAG = 5
TAIL = 3.0
NO_TRADE_OR_MOVE = f"{NO_VOLUME}, or {STILL_PRICE}"


class Metric(NamedTuple):
    """A column: how many bars are behind its first value, and how many reproduce one (None: as many)."""

    unit: str
    formula: str
    warmup: int
    lookback: int | None
    low: float
    high: float
    undefined: str
    source: str = ""
    may_be_constant: str | None = None


def columns(domain: Domain) -> Iterable[Column]:
    for name, m in (_of_impact(domain) | _of_elasticity(domain.r) | _of_flow(domain) | _of_memory(domain.r)).items():
        yield Column(
            f"liq_{name}",
            m.unit,
            m.formula,
            m.warmup,
            lookback=m.lookback,
            low=m.low,
            high=m.high,
            source=m.source,
            undefined=m.undefined,
            may_be_constant=m.may_be_constant,
        )


def _of_impact(domain: Domain) -> dict[str, Metric]:
    r, day = domain.r, DAY - 1
    bound = (DAY - 1) / math.sqrt(DAY)
    impact = "z over the values present in the last 1440 bars of the 15-bar mean of abs(r) / V over bars with V > 0"
    few = f"{NO_VOLUME}; fewer than 720 values present, or all are equal"
    trade = "ln(sum_60(V) / sum_60(abs(r)))"
    return {
        "amihud_z": Metric("std", impact, day, day + r + SHORT - 1, -bound, bound, few, "Amihud (2002)"),
        "turnover_60": Metric("log", trade, r + HOUR - 1, None, -math.inf, math.inf, NO_TRADE_OR_MOVE),
    }


def _of_elasticity(r: int) -> dict[str, Metric]:
    now, back = r + LONG - 1, max(r, SPREAD_LOOKBACK) + LONG - 1
    of_volume, of_spread = "slope_120 of ln(1 + V) on abs(r) / std_120(r)", "slope_120 of s on 10000 abs(r)"
    constant = "abs(r) is constant"
    return {
        "volume_elasticity_120": Metric("log/std", of_volume, now, None, -math.inf, math.inf, constant),
        "spread_elasticity_120": Metric(
            "bp/bp", of_spread, now, back, -math.inf, math.inf, f"{constant}; {NO_SPREAD}", "", FIXED_SPREAD
        ),
    }


def _of_flow(domain: Domain) -> dict[str, Metric]:
    first = max(domain.r + SHORT - 1, FOUR_HOURS - 1)
    pressure, depth_of = "sum_15(q) / mean_240(V), q = sign(r) V", "ln(sum_60(V) / sum_60((H - L) / x))"
    flat = f"{NO_VOLUME}, or all its bars are flat"
    return {
        "pressure_15": Metric("minutes", pressure, first, None, -FOUR_HOURS, FOUR_HOURS, NO_VOLUME),
        "depth_60": Metric("log", depth_of, domain.bars + HOUR - 1, None, -math.inf, math.inf, flat),
    }


def _of_memory(r: int) -> dict[str, Metric]:
    hour, four_hours, day = r + HOUR - 1, r + FOUR_HOURS - 1, DAY - 1
    bound = (FOUR_HOURS - 1) / math.sqrt(FOUR_HOURS)
    moved = "those abs(r) of them that are at least 0.02 bp"
    tails = f"share of the last 60 bars with abs(r) > 3 median of {moved}, by more than 1e-9 of it"
    unstable = f"micro_kyle_60 was missing in the window: {NO_TRADE_OR_MOVE}"
    scores = "mean of those of z_240(s), z_240(abs(r)), -z_240(V) that are defined"
    rank = "share of the liq_turnover_60 present in the last 1440 bars below it plus half of those equal"
    few = f"{NO_TRADE_OR_MOVE}; fewer than 720 values present"
    stress_back = max(r, SPREAD_LOOKBACK) + FOUR_HOURS - 1
    return {
        "memory_60": Metric("corr", "corr_60(abs(r[t]), abs(r[t-5]))", hour + LAG, None, -1, 1, "abs(r) is constant"),
        "tail_share_60": Metric("share", tails, hour, None, 0, 0.5, STILL_PRICE),
        "kyle_instability": Metric(
            "ratio",
            "std_60(k) / mean_60(abs(k)), k = micro_kyle_60",
            hour + HOUR - 1,
            None,
            0,
            math.sqrt(HOUR),
            unstable,
        ),
        "stress": Metric("std", scores, four_hours, stress_back, -bound, bound, "none of the three is defined"),
        "score": Metric("share", rank, day, day + hour, 0, 1, few),
    }


def compute(view: View) -> Columns:
    volume, size, s = view.volume, view.shared(return_size), view.shared_by_domains(spread_bp)
    trade = log(view.shared(turnover))
    pressure = tree_sum(view.shared(signed_volume), SHORT)
    return {
        "liq_amihud_z": zscore_present(view.shared(amihud, SHORT), DAY, LEAST),
        "liq_turnover_60": trade,
        "liq_volume_elasticity_120": rolling_beta(log1p(volume), size, LONG) * view.shared(volatility, LONG),
        "liq_spread_elasticity_120": rolling_beta(s, 10_000.0 * size, LONG),
        "liq_pressure_15": ratio(pressure, view.shared_by_domains(mean_volume, FOUR_HOURS)),
        "liq_depth_60": depth(view),
        "liq_memory_60": rolling_corr(size, shift(size, LAG), HOUR),
        "liq_tail_share_60": tail_share(size, HOUR, STEP, TAIL),
        "liq_kyle_instability": instability(view.shared(kyle)),
        "liq_stress": stress(s, size, volume),
        "liq_score": rank_present(trade, DAY, LEAST, EQUAL),
    }


def depth(view: View) -> Floats:
    """ln of the hour's volume over the sum of its bars' relative ranges."""
    _, high, low, _ = view.ohlc
    reach = (high - low) / view.x
    return log(ratio(tree_sum(view.volume, HOUR), tree_sum(np.where(reach < ZERO_CHANGE, 0.0, reach), HOUR)))


def instability(slope: Floats) -> Floats:
    """The standard deviation of Kyle's lambda over an hour, relative to its mean size."""
    return ratio(rolling_std(slope, HOUR), tree_sum(np.abs(slope), HOUR) / HOUR)


def stress(s: Floats, size: Floats, volume: Floats) -> Floats:
    """The mean of the defined z-scores of spread, move size and lack of volume, after four hours of moves."""
    scores = zscore(s, FOUR_HOURS), zscore(size, FOUR_HOURS), -zscore(volume, FOUR_HOURS)
    total, count = np.zeros(len(s)), np.zeros(len(s))
    for score in scores:
        known = np.isfinite(score)
        total += np.where(known, score, 0.0)
        count += known
    return np.where(np.isnan(tree_sum(size, FOUR_HOURS)), np.nan, ratio(total, count))


FAMILY = Family("liquidity_metrics", columns, compute, domains=BOTH, uses=("volume", "spread"))
