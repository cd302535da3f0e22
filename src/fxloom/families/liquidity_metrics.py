"""How much it takes to move the price, and what it costs when liquidity goes.

A move of less than 0.02 bp is none (sign 0); q = sign(r) V. Without volume in the source V is 1 + range in pips, and
without quotes s is the magnitude of EDGE on 60 bars, which on mid prices measures bounce and not the quoted spread: its
correlation with it is 0.0 to 0.4.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.bars.clock import DAY
from fxloom.features.domain import BOTH, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.pair_view import View
from fxloom.kernels.comoments import rolling_beta, rolling_corr
from fxloom.kernels.moments import rolling_std, zscore
from fxloom.kernels.momentum import STILL
from fxloom.kernels.order import rank_present
from fxloom.kernels.order_flow import tail_share
from fxloom.kernels.ratio import log, log1p, ratio
from fxloom.kernels.states import shift
from fxloom.kernels.tree import tree_sum, zscore_present
from fxloom.series.flow import STEP, amihud, kyle, mean_volume, signed_volume, turnover
from fxloom.series.pair import FIXED_SPREAD, SPREAD_LOOKBACK, return_size, spread_bp, volatility

SHORT, HOUR, LONG, FOUR_HOURS = 15, 60, 120, 240
LEAST = 720  # values present for a percentile or a z score over a day
LAG = 5
TAIL = 3.0
EQUAL = 1e-9
QUOTELESS = "without quotes: the proxy's first 59 bars, or EDGE has no value"
FLAT = "the price does not move in the window"
UNTRADED = "no volume in the window"


def columns(domain: Domain) -> Iterable[Column]:
    r, day = domain.r, DAY - 1
    formula = "z over the values present in the last 1440 bars of the 15-bar mean of abs(r) / V over bars with V > 0"
    few = f"{UNTRADED}; fewer than 720 values present, or all are equal"
    bound = (DAY - 1) / math.sqrt(DAY)
    yield Column(
        "liq_amihud_z", "std", formula, day, day + r + SHORT - 1, -bound, bound, "Amihud (2002)", undefined=few
    )
    neither = f"{UNTRADED}, or {FLAT}"
    yield Column("liq_turnover_60", "log", "ln(sum_60(V) / sum_60(abs(r)))", r + HOUR - 1, undefined=neither)
    yield from _elasticity_columns(r)
    formula = "sum_15(q) / mean_240(V), q = sign(r) V"
    warmup = max(r + SHORT - 1, FOUR_HOURS - 1)
    yield Column("liq_pressure_15", "minutes", formula, warmup, low=-240, high=240, undefined=UNTRADED)
    formula = "ln(sum_60(V) / sum_60((H - L) / x))"
    yield Column(
        "liq_depth_60", "log", formula, domain.bars + HOUR - 1, undefined=f"{UNTRADED}, or all its bars are flat"
    )
    yield from _memory_columns(r)
    yield from _composite_columns(r)


def _elasticity_columns(r: int) -> Iterable[Column]:
    formula = "slope_120 of ln(1 + V) on abs(r) / std_120(r)"
    yield Column("liq_volume_elasticity_120", "log/std", formula, r + LONG - 1, undefined="abs(r) is constant")
    formula = "slope_120 of s on 10000 abs(r)"
    back = max(r, SPREAD_LOOKBACK) + LONG - 1
    undefined = f"abs(r) is constant; {QUOTELESS}"
    name = "liq_spread_elasticity_120"
    yield Column(name, "bp/bp", formula, r + LONG - 1, back, undefined=undefined, may_be_constant=FIXED_SPREAD)


def _memory_columns(r: int) -> Iterable[Column]:
    formula = "corr_60(abs(r[t]), abs(r[t-5]))"
    yield Column("liq_memory_60", "corr", formula, r + HOUR - 1 + LAG, low=-1, high=1, undefined="abs(r) is constant")
    moved = "those abs(r) of them that are at least 0.02 bp"
    formula = f"share of the last 60 bars with abs(r) > 3 median of {moved}, by more than 1e-9 of it"
    yield Column("liq_tail_share_60", "share", formula, r + HOUR - 1, low=0, high=0.5, undefined=FLAT)
    formula = "std_60(k) / mean_60(abs(k)), k = micro_kyle_60"
    undefined = f"micro_kyle_60 was missing in the window: {UNTRADED}, or {FLAT}"
    warmup = r + 2 * (HOUR - 1)
    yield Column("liq_kyle_instability", "ratio", formula, warmup, low=0, high=math.sqrt(HOUR), undefined=undefined)


def _composite_columns(r: int) -> Iterable[Column]:
    formula = "mean of those of z_240(s), z_240(abs(r)), -z_240(V) that are defined"
    warmup, bound = r + FOUR_HOURS - 1, (FOUR_HOURS - 1) / math.sqrt(FOUR_HOURS)
    back = max(r, SPREAD_LOOKBACK) + FOUR_HOURS - 1
    yield Column("liq_stress", "std", formula, warmup, back, -bound, bound, undefined="none of the three is defined")
    formula = "share of the liq_turnover_60 present in the last 1440 bars below it plus half of those equal"
    few = f"{UNTRADED}, or {FLAT}; fewer than 720 values present"
    yield Column("liq_score", "share", formula, DAY - 1, DAY - 1 + r + HOUR - 1, 0, 1, undefined=few)


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
    """ln of the hour's volume for the way that its bars covered."""
    _, high, low, _ = view.ohlc
    reach = (high - low) / view.x
    return log(ratio(tree_sum(view.volume, HOUR), tree_sum(np.where(reach < STILL, 0.0, reach), HOUR)))


def instability(slope: Floats) -> Floats:
    """The deviation of Kyle's lambda over an hour, relative to its size."""
    return ratio(rolling_std(slope, HOUR), tree_sum(np.abs(slope), HOUR) / HOUR)


def stress(s: Floats, size: Floats, volume: Floats) -> Floats:
    """Mean of the z scores of spread, moves and lacking volume that are defined, once there are four hours of moves."""
    scores = zscore(s, FOUR_HOURS), zscore(size, FOUR_HOURS), -zscore(volume, FOUR_HOURS)
    total, count = np.zeros(len(s)), np.zeros(len(s))
    for score in scores:
        known = np.isfinite(score)
        total += np.where(known, score, 0.0)
        count += known
    return np.where(np.isnan(tree_sum(size, FOUR_HOURS)), np.nan, ratio(total, count))


FAMILY = Family("liquidity_metrics", columns, compute, domains=BOTH, uses=("volume", "spread"))
