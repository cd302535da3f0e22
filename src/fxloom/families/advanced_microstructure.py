"""Price impact, spreads estimated from prices, order flow and its toxicity, noise and reversal.

A move of less than 0.02 bp does not count (sign 0); q = sign(r) V. Without volume in the source, V is 1 + range in
pips; without quotes, s is the magnitude of EDGE on 60 bars. On mid prices EDGE, like the other spreads estimated from
prices, measures bounce and not the quoted spread: their correlation is 0.0 to 0.4.

``micro_tick_run`` counts moves: a bar without one neither adds to the run nor ends it. ``micro_reversal_120`` divides
q by the mean V of the window's 120 bars, including t.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import NamedTuple

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.bars.clock import DAY, HOUR
from fxloom.features.domain import BOTH, BQX, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.missing import FIXED_SPREAD, NO_SPREAD, NO_VOLUME, STILL_PRICE
from fxloom.features.pair_view import View
from fxloom.kernels.comoments import rolling_beta, rolling_corr, rolling_cov
from fxloom.kernels.edge import bar_pairs, corwin_schultz, edge
from fxloom.kernels.moments import centred_squares, strided_sum
from fxloom.kernels.order import rank_present
from fxloom.kernels.order_flow import bulk_flow, move_run, second_slope
from fxloom.kernels.ratio import ratio
from fxloom.kernels.states import shift
from fxloom.kernels.tolerances import EQUAL, FLAT_RANGE
from fxloom.kernels.tree import tree_sum
from fxloom.series.flow import amihud, direction, kyle, mean_volume, signed_volume
from fxloom.series.pair import SPREAD_LOOKBACK, price_edge, return_size, spread_bp, volatility

BUCKETS, BUCKET = 50, 5  # of VPIN, minutes
SIGMA = 240  # bars of the deviation that classifies a minute's volume
LEAST = 720  # values present for a percentile
RUN = 30
PAIRS = 120  # pairs (t, t-1) of the reversal
HORIZON = 5  # bars of the longer moves
CONSTANT_SERIES = "one of the two series is constant in the window"
NO_TRADE_OR_MOVE = f"{NO_VOLUME}, or {STILL_PRICE}"


class Metric(NamedTuple):
    """A column: how many bars are behind its first value, and how many reproduce one (None: as many)."""

    unit: str
    formula: str
    warmup: int
    low: float = -inf
    high: float = inf
    source: str = ""
    undefined: str | None = None
    lookback: int | None = None
    may_be_constant: str | None = None


def columns(domain: Domain) -> Iterable[Column]:
    found = _of_impact(domain.r) | _of_spread(domain) | _of_toxicity(domain.r) | _of_flow(domain.r)
    for name, m in (found | _of_cost(domain.r) | _of_horizons(domain.r)).items():
        yield Column(
            f"micro_{name}",
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


def _of_impact(r: int) -> dict[str, Metric]:
    hour = r + HOUR - 1
    amihud_of = "10^6 mean_60(abs(r) / V over bars with V > 0)"
    kyle_of = "slope_60 of 10000 r on q / mean_60(V), q = sign(r) V"
    hasbrouck = "slope_60 of 10000 r on sign(r) sqrt(V / mean_60(V))"
    roll = "20000 sqrt(max(0, -cov_60(r[t], r[t-1])))"
    return {
        "amihud_60": Metric("1e-6/volume", amihud_of, hour, low=0, source="Amihud (2002)", undefined=NO_VOLUME),
        "kyle_60": Metric("bp", kyle_of, hour, source="Kyle (1985)", undefined=NO_TRADE_OR_MOVE),
        "hasbrouck_60": Metric("bp", hasbrouck, hour, source="Hasbrouck (2009)", undefined=NO_TRADE_OR_MOVE),
        "roll_60": Metric("bp", roll, r + HOUR, low=0, source="Roll (1984)"),
    }


def _of_spread(domain: Domain) -> dict[str, Metric]:
    step = domain.stride
    bars = "60 bars" if step == 1 else "the 60 five-minute bars at t, t-5, ..., t-295"
    first = domain.bars + (HOUR - 1) * step
    corwin = f"10000 mean of the 59 two-bar estimates of {bars}, negatives as 0, no gap adjustment"
    abdi = f"10000 sqrt(max(0, mean of 4 (c - m)(c - m next) over the 59 pairs of {bars})), logs, m = (h + l) / 2"
    ardia = "Ardia, Guidotti & Kroencke (2024)"
    still = "fewer than two bars move, or all opens or closes lie at the extremes of flat bars"
    return {
        "corwin_schultz_60": Metric("bp", corwin, first, 0, 20_000, "Corwin & Schultz (2012)"),
        "abdi_ranaldo_60": Metric("bp", abdi, first, 0, inf, "Abdi & Ranaldo (2017)", may_be_constant=FIXED_SPREAD),
        "edge_60": Metric(
            "bp", f"10000 sqrt(abs(EDGE)) over {bars}", first, 0, inf, ardia, still, may_be_constant=FIXED_SPREAD
        ),
    }


def _of_toxicity(r: int) -> dict[str, Metric]:
    first = r + SIGMA - 1 + BUCKETS * BUCKET - 1
    vpin = "sum over the 50 buckets t-4..t, t-9..t-5, ... of abs(sum V (2 Phi(r / std_240(r)) - 1)) / sum_250(V)"
    rank = "share of the micro_vpin_50 present in the last 1440 bars below it plus half of those equal"
    source = "Easley, Lopez de Prado & O'Hara (2012)"
    few = f"{NO_VOLUME}; fewer than 720 values present"
    return {
        "vpin_50": Metric("share", vpin, first, 0, 1, source, NO_VOLUME),
        "toxicity": Metric("share", rank, DAY - 1, 0, 1, source, few, DAY - 1 + first),
    }


def _of_flow(r: int) -> dict[str, Metric]:
    now, lagged = r + HOUR - 1, r + HOUR
    clustering, persistence = "corr_60(y[t], y[t-1]), y = V abs(r)", "corr_60(sign(r[t]), sign(r[t-1]))"
    run = "how many of the latest moves of 30 bars go one way, with its sign; bars without a move are passed over"
    still = "share of the last 60 bars with abs(r) < 0.02 bp"
    return {
        "clustering_60": Metric("corr", clustering, lagged, -1, 1, undefined=CONSTANT_SERIES),
        "flow_60": Metric("share", "sum_60(q) / sum_60(V)", now, -1, 1, undefined=NO_VOLUME),
        "flow_persistence_60": Metric("corr", persistence, lagged, -1, 1, undefined=CONSTANT_SERIES),
        "tick_run": Metric("count", run, r + RUN - 1, -RUN, RUN),
        "zero_share_60": Metric("share", still, now, 0, 1),
    }


def _of_cost(r: int) -> dict[str, Metric]:
    first, back = r + HOUR - 1, max(r, SPREAD_LOOKBACK) + HOUR
    cost, signal = "mean_60(s) / mean_60(10000 abs(r))", "corr_60(s[t-1], abs(r[t]))"
    still, constant = f"{STILL_PRICE}; {NO_SPREAD}", f"{CONSTANT_SERIES}; {NO_SPREAD}"
    return {
        "cost_move_60": Metric("ratio", cost, first, 0, inf, "", still, back, FIXED_SPREAD),
        "spread_signal_60": Metric("corr", signal, first, -1, 1, "", constant, back),
    }


def _of_horizons(r: int) -> dict[str, Metric]:
    now = r + HOUR - 1
    ratio_of = "var of the 56 five-bar moves inside 60 bars / (5 var_60(r))"
    highest = HORIZON * (HOUR - 1) / (HOUR - HORIZON)  # five times a move in every sum of five
    adverse = "mean_60(sign(r[i-5]) x 10000 (r[i-4] + ... + r[i]))"
    noise = "10000 sqrt(max(0, (RV1 - RV5) / 120)), RV1 = sum_60(r^2), RV5 = 60/56 sum of (five-bar moves)^2 / 5"
    gamma = "c of 10000 r[i+1] = a + b 10000 r[i] + c q[i] / mean_120(V) over the 120 pairs up to t, within +-100"
    collinear = f"{NO_VOLUME}; r and q are collinear or constant"
    return {
        "variance_ratio_60": Metric("ratio", ratio_of, now, 0, highest, "Lo & MacKinlay (1988)", STILL_PRICE),
        "adverse_60": Metric("bp", adverse, now + HORIZON),
        "noise_60": Metric("bp", noise, now, low=0, source="after Zhang, Mykland & Ait-Sahalia (2005)"),
        "reversal_120": Metric("bp", gamma, r + PAIRS, -100, 100, "Pastor & Stambaugh (2003)", collinear),
    }


def compute(view: View) -> Columns:
    vpin = toxic_flow(view)
    return {
        **_impacts(view),
        **_spreads(view),
        "micro_vpin_50": vpin,
        "micro_toxicity": rank_present(vpin, DAY, LEAST, EQUAL),
        **_flows(view),
        **_costs(view),
        **_horizons(view),
        "micro_reversal_120": reversal(view),
    }


def _impacts(view: View) -> Columns:
    r_bp, mean = 10_000.0 * view.r, view.shared_by_domains(mean_volume, HOUR)
    root = view.shared(direction) * np.sqrt(view.volume)
    return {
        "micro_amihud_60": 1e6 * view.shared(amihud, HOUR),
        "micro_kyle_60": view.shared(kyle),
        "micro_hasbrouck_60": rolling_beta(r_bp, root, HOUR) * np.sqrt(mean),
        "micro_roll_60": 2.0 * np.sqrt(np.maximum(0.0 - rolling_cov(r_bp, shift(r_bp, 1), HOUR), 0.0)),
    }


def _spreads(view: View) -> Columns:
    opened, high, low, close = view.ohlc
    step, pairs = view.domain.stride, HOUR - 1
    pairs_of = bar_pairs(opened, high, low, close, step, FLAT_RANGE)
    squares = strided_sum(-4.0 * pairs_of.middle_close * pairs_of.close_middle, pairs, step) / pairs
    share = edge(*pairs_of, HOUR, step) if view.domain is BQX else view.shared_by_domains(price_edge)
    return {
        "micro_corwin_schultz_60": 10_000.0 * strided_sum(corwin_schultz(high, low, step), pairs, step) / pairs,
        "micro_abdi_ranaldo_60": 10_000.0 * np.sqrt(np.maximum(squares, 0.0)),
        "micro_edge_60": 10_000.0 * share,
    }


def toxic_flow(view: View) -> Floats:
    """VPIN of 50 five-minute buckets, each minute's volume split by bulk classification."""
    flow = bulk_flow(view.volume, view.r, view.shared(volatility, SIGMA))
    imbalance = np.abs(tree_sum(flow, BUCKET))
    total = tree_sum(view.volume, BUCKETS * BUCKET)
    return np.minimum(ratio(strided_sum(imbalance, BUCKETS, BUCKET), total), 1.0)


def _flows(view: View) -> Columns:
    signs, q = view.shared(direction), view.shared(signed_volume)
    traded = view.volume * view.shared(return_size)
    return {
        "micro_clustering_60": rolling_corr(traded, shift(traded, 1), HOUR),
        "micro_flow_60": ratio(tree_sum(q, HOUR), tree_sum(view.volume, HOUR)),
        "micro_flow_persistence_60": rolling_corr(signs, shift(signs, 1), HOUR),
        "micro_tick_run": move_run(signs, RUN),
        "micro_zero_share_60": tree_sum(1.0 - np.abs(signs), HOUR) / HOUR,
    }


def _costs(view: View) -> Columns:
    s, size = view.shared_by_domains(spread_bp), view.shared(return_size)
    return {
        "micro_cost_move_60": ratio(tree_sum(s, HOUR), 10_000.0 * tree_sum(size, HOUR)),
        "micro_spread_signal_60": rolling_corr(shift(s, 1), size, HOUR),
    }


def _horizons(view: View) -> Columns:
    r_bp = 10_000.0 * view.r
    moves = tree_sum(r_bp, HORIZON)
    inside = HOUR - HORIZON + 1
    long = centred_squares(moves, inside)[1] / (inside - 1)
    short = centred_squares(r_bp, HOUR)[1] / (HOUR - 1)
    coarse = HOUR / inside * tree_sum(moves * moves, inside) / HORIZON
    excess = tree_sum(r_bp * r_bp, HOUR) - coarse
    return {
        "micro_variance_ratio_60": ratio(long, HORIZON * short),
        "micro_adverse_60": tree_sum(shift(view.shared(direction), HORIZON) * moves, HOUR) / HOUR,
        "micro_noise_60": np.sqrt(np.maximum(excess, 0.0) / (2.0 * HOUR)),
    }


def reversal(view: View) -> Floats:
    """Pastor & Stambaugh's gamma: how signed volume predicts the next return."""
    r_bp, q = 10_000.0 * view.r, view.shared(signed_volume)
    slope = second_slope(r_bp, shift(r_bp, 1), shift(q, 1), PAIRS)
    mean = view.shared_by_domains(mean_volume, PAIRS)
    return np.clip(np.where(mean > 0.0, slope * mean, np.nan), -100.0, 100.0)


FAMILY = Family("advanced_microstructure", columns, compute, domains=BOTH, uses=("volume", "spread"))
