"""Price impact, spreads estimated from prices, order flow and its toxicity, noise and reversal.

A move of less than 0.02 bp is none (sign 0); q = sign(r) V. Without volume in the source V is 1 + range in pips, and
without quotes s is the magnitude of EDGE on 60 bars. On mid prices EDGE, like the other spreads estimated from prices,
measures bounce and not the quoted spread: its correlation with it is 0.0 to 0.4.

``micro_tick_run`` counts moves: a bar without one neither adds to the run nor ends it. ``micro_reversal_120`` divides
q by the mean V of the window's 120 bars, t among them.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.bars.clock import DAY
from fxloom.features.domain import BOTH, BQX, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.pair_view import View
from fxloom.kernels.comoments import rolling_beta, rolling_corr, rolling_cov
from fxloom.kernels.edge import bar_pairs, corwin_schultz, edge
from fxloom.kernels.moments import centred_squares
from fxloom.kernels.order import rank_present
from fxloom.kernels.order_flow import bulk_flow, move_run, second_slope
from fxloom.kernels.range_volatility import strided_sum
from fxloom.kernels.ratio import ratio
from fxloom.kernels.states import shift
from fxloom.kernels.tree import tree_sum
from fxloom.series.flow import amihud, direction, kyle, mean_volume, signed_volume
from fxloom.series.pair import FIXED_SPREAD, SPREAD_LOOKBACK, price_edge, return_size, spread_bp, volatility

HOUR = 60
BUCKETS, BUCKET = 50, 5  # of VPIN, minutes
SIGMA = 240  # bars of the deviation that classifies a minute's volume
LEAST = 720  # values present for a percentile
RUN = 30
PAIRS = 120  # of the reversal
HORIZON = 5  # bars of the longer moves
EQUAL, EQUAL_PRICE = 1e-9, 1e-13
STILL = "the price does not move in the window"
UNTRADED = "no volume in the window"
CONSTANT = "one of the two series is constant in the window"
VPIN_WARMUP = SIGMA - 1 + BUCKETS * BUCKET - 1


def columns(domain: Domain) -> Iterable[Column]:
    yield from _impact_columns(domain.r + HOUR - 1)
    yield Column(
        "micro_roll_60",
        "bp",
        "20000 sqrt(max(0, -cov_60(r[t], r[t-1])))",
        domain.r + HOUR,
        low=0,
        source="Roll (1984)",
    )
    yield from _spread_columns(domain)
    yield from _toxicity_columns(domain)
    yield from _flow_columns(domain)
    yield from _cost_columns(domain)
    yield from _horizon_columns(domain.r)


def _impact_columns(warmup: int) -> Iterable[Column]:
    formula = "10^6 mean_60(abs(r) / V over bars with V > 0)"
    yield Column("micro_amihud_60", "1e-6/volume", formula, warmup, -1, 0, source="Amihud (2002)", undefined=UNTRADED)
    formula = "slope_60 of 10000 r on q / mean_60(V), q = sign(r) V"
    still = f"{UNTRADED}, or {STILL}"
    yield Column("micro_kyle_60", "bp", formula, warmup, source="Kyle (1985)", undefined=still)
    formula = "slope_60 of 10000 r on sign(r) sqrt(V / mean_60(V))"
    yield Column("micro_hasbrouck_60", "bp", formula, warmup, source="Hasbrouck (2009)", undefined=still)


def _spread_columns(domain: Domain) -> Iterable[Column]:
    step = domain.stride
    bars = "60 bars" if step == 1 else "the 60 five-minute bars at t, t-5, ..., t-295"
    warmup = domain.bars + (HOUR - 1) * step
    formula = f"10000 mean of the 59 two-bar estimates of {bars}, negatives as 0, no gap adjustment"
    yield Column("micro_corwin_schultz_60", "bp", formula, warmup, low=0, high=20_000, source="Corwin & Schultz (2012)")
    formula = f"10000 sqrt(max(0, mean of 4 (c - m)(c - m next) over the 59 pairs of {bars})), logs, m = (h + l) / 2"
    source = "Abdi & Ranaldo (2017)"
    yield Column("micro_abdi_ranaldo_60", "bp", formula, warmup, low=0, source=source, may_be_constant=FIXED_SPREAD)
    formula = f"10000 sqrt(abs(EDGE)) over {bars}"
    source = "Ardia, Guidotti & Kroencke (2024)"
    still = "fewer than two bars move, or all opens or closes lie at the extremes of flat bars"
    yield Column(
        "micro_edge_60", "bp", formula, warmup, low=0, source=source, undefined=still, may_be_constant=FIXED_SPREAD
    )


def _toxicity_columns(domain: Domain) -> Iterable[Column]:
    vpin = domain.r + VPIN_WARMUP
    formula = "sum over the 50 buckets t-4..t, t-9..t-5, ... of abs(sum V (2 Phi(r / std_240(r)) - 1)) / sum_250(V)"
    source = "Easley, Lopez de Prado & O'Hara (2012)"
    yield Column("micro_vpin_50", "share", formula, vpin, -1, 0, 1, source, undefined=UNTRADED)
    formula = "share of the micro_vpin_50 present in the last 1440 bars below it plus half of those equal"
    few = f"{UNTRADED}; fewer than 720 values present"
    yield Column("micro_toxicity", "share", formula, DAY - 1, DAY - 1 + vpin, 0, 1, source, undefined=few)


def _flow_columns(domain: Domain) -> Iterable[Column]:
    now, lagged = domain.r + HOUR - 1, domain.r + HOUR
    yield Column(
        "micro_clustering_60", "corr", "corr_60(y[t], y[t-1]), y = V abs(r)", lagged, -1, -1, 1, undefined=CONSTANT
    )
    yield Column("micro_flow_60", "share", "sum_60(q) / sum_60(V)", now, -1, -1, 1, undefined=UNTRADED)
    formula = "corr_60(sign(r[t]), sign(r[t-1]))"
    yield Column("micro_flow_persistence_60", "corr", formula, lagged, -1, -1, 1, undefined=CONSTANT)
    formula = "how many of the latest moves of 30 bars go one way, with its sign; bars without a move are passed over"
    yield Column("micro_tick_run", "count", formula, domain.r + RUN - 1, -1, -RUN, RUN)
    yield Column("micro_zero_share_60", "share", "share of the last 60 bars with abs(r) < 0.02 bp", now, -1, 0, 1)


def _cost_columns(domain: Domain) -> Iterable[Column]:
    quoteless = "without quotes: the proxy's first 59 bars, or EDGE has no value"
    now, lagged = domain.r + HOUR - 1, domain.r + HOUR - 1
    back = max(domain.r, SPREAD_LOOKBACK) + HOUR
    formula = "mean_60(s) / mean_60(10000 abs(r))"
    undefined = f"{STILL}; {quoteless}"
    yield Column(
        "micro_cost_move_60", "ratio", formula, now, back, 0, undefined=undefined, may_be_constant=FIXED_SPREAD
    )
    formula = "corr_60(s[t-1], abs(r[t]))"
    undefined = f"{CONSTANT}; {quoteless}"
    yield Column("micro_spread_signal_60", "corr", formula, lagged, back, -1, 1, undefined=undefined)


def _horizon_columns(r: int) -> Iterable[Column]:
    now = r + HOUR - 1
    formula = "var of the 56 five-bar moves inside 60 bars / (5 var_60(r))"
    source = "Lo & MacKinlay (1988)"
    highest = HORIZON * (HOUR - 1) / (HOUR - HORIZON)  # five times a move in every sum of five
    yield Column("micro_variance_ratio_60", "ratio", formula, now, -1, 0, highest, source, undefined=STILL)
    formula = "mean_60(sign(r[i-5]) x 10000 (r[i-4] + ... + r[i]))"
    yield Column("micro_adverse_60", "bp", formula, now + HORIZON)
    formula = "10000 sqrt(max(0, (RV1 - RV5) / 120)), RV1 = sum_60(r^2), RV5 = 60/56 sum of (five-bar moves)^2 / 5"
    source = "after Zhang, Mykland & Ait-Sahalia (2005)"
    yield Column("micro_noise_60", "bp", formula, now, -1, 0, source=source)
    formula = "c of 10000 r[i+1] = a + b 10000 r[i] + c q[i] / mean_120(V) over the 120 pairs up to t, within +-100"
    source = "Pastor & Stambaugh (2003)"
    still = f"{UNTRADED}; r and q are collinear or constant"
    yield Column("micro_reversal_120", "bp", formula, r + PAIRS, -1, -100, 100, source, undefined=still)


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
    pairs_of = bar_pairs(opened, high, low, close, step, EQUAL_PRICE)
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
    """Pastor & Stambaugh's gamma: what volume in a direction says of the next return."""
    r_bp, q = 10_000.0 * view.r, view.shared(signed_volume)
    slope = second_slope(r_bp, shift(r_bp, 1), shift(q, 1), PAIRS)
    mean = view.shared_by_domains(mean_volume, PAIRS)
    return np.clip(np.where(mean > 0.0, slope * mean, np.nan), -100.0, 100.0)


FAMILY = Family("advanced_microstructure", columns, compute, domains=BOTH, uses=("volume", "spread"))
