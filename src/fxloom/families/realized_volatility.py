"""Realized volatility: from ranges, from returns, its jumps, its regimes and its changes.

``rv_ewma_ratio_5_20`` is missing once the price has not moved for more than 600 bars: both means have then faded to
less than 1e-20, and a computation that begins within the standstill could not know their ratio.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.bars.clock import DAY
from fxloom.features.domain import BOTH, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.missing import STILL_PRICE
from fxloom.features.pair_view import View
from fxloom.kernels.jumps import HALF_PI, RATIO_VARIANCE, bipower_variance, ewma_ratio, jump_z
from fxloom.kernels.moments import rolling_std, strided_sum
from fxloom.kernels.quantile_class import quantile_class
from fxloom.kernels.range_volatility import bar_variances, gaps_and_bodies, strided_variance
from fxloom.kernels.ratio import ratio
from fxloom.kernels.states import bars_since_change, change_share, shift
from fxloom.kernels.tolerances import EQUAL
from fxloom.kernels.tree import tree_sum
from fxloom.series.pair import return_size, volatility

N = 20  # bars of the estimators
LONG = 60
MEMORY = 600  # bars after which the seed of the exponential means is below 1e-20 of them
TOP_FIFTH = np.array([0.8])
OVERNIGHT = 0.34 / (1.34 + (N + 1) / (N - 1))  # k of Yang & Zhang
Row = tuple[str, str, str, int, float, float, str, str | None]  # name, ..., warm-up, low, high, source, undefined
RANGE_SOURCES = {
    "parkinson": ("mean(ln(H/L)^2) / (4 ln 2)", "Parkinson (1980)"),
    "garman_klass": ("mean(0.5 ln(H/L)^2 - (2 ln 2 - 1) ln(C/O)^2)", "Garman & Klass (1980)"),
    "rogers_satchell": ("mean(ln(H/C) ln(H/O) + ln(L/C) ln(L/O))", "Rogers & Satchell (1991)"),
    "yang_zhang": (
        f"var(ln(O / previous C)) + k var(ln(C/O)) + (1 - k) Rogers-Satchell, k = {OVERNIGHT:.6f}",
        "Yang & Zhang (2000)",
    ),
}


def columns(domain: Domain) -> Iterable[Column]:
    rows = [*_of_ranges(domain), *_of_returns(domain), *_of_changes(domain)]
    for name, unit, formula, warmup, low, high, source, undefined in rows:
        yield Column(f"rv_{name}", unit, formula, warmup, low=low, high=high, source=source, undefined=undefined)
    yield Column(
        "rv_ewma_ratio_5_20",
        "ratio",
        "sqrt(EMA_5(r^2) / EMA_20(r^2)), each seeded with its first value",
        domain.r,
        lookback=domain.r + MEMORY,
        low=0,
        high=math.sqrt(3.5),
        recursive=True,
        undefined=f"the price has not moved for more than {MEMORY} bars, or not yet",
    )
    for name, unit, formula, warmup, low, high, source, undefined in _of_regimes(domain):
        yield Column(f"rv_{name}", unit, formula, warmup, low=low, high=high, source=source, undefined=undefined)


def _of_ranges(domain: Domain) -> Iterable[Row]:
    step = domain.stride
    bars = "20 bars" if step == 1 else "the 20 five-minute bars at t, t-5, ..., t-95"
    for name, (formula, source) in RANGE_SOURCES.items():
        warmup = domain.bars + (N if name == "yang_zhang" else N - 1) * step
        yield f"{name}_20", "bp", f"10000 sqrt(max(0, {formula})) over {bars}", warmup, 0, math.inf, source, None


def _of_returns(domain: Domain) -> Iterable[Row]:
    short, long = domain.r + N - 1, domain.r + LONG - 1
    steepest = math.sqrt(LONG / RATIO_VARIANCE)  # no bipower variance at all; the other end: neighbours alike
    lowest = (1.0 - HALF_PI * LONG / (LONG - 1)) * steepest
    bipower = "10000 sqrt(pi/2 mean of the 19 abs(r[i] r[i-1]) in the 20 bars)"
    jump = "(1 - BV/RV) / sqrt((pi^2/4 + pi - 5) / 60 max(1, TQ / BV^2)), n = 60, products inside the window"
    signed = "(sum_60(r^2 where r > 0) - sum_60(r^2 where r < 0)) / sum_60(r^2)"
    huang, patton = "Huang & Tauchen (2005), equations 13 to 16", "Patton & Sheppard (2015)"
    apart = "no two neighbouring bars of the window move"
    yield "bipower_20", "bp", bipower, short, 0, math.inf, "Barndorff-Nielsen & Shephard (2004)", None
    quarticity = "10000 (sum_20(r^4) / 60)^(1/4)"
    yield "quarticity_20", "bp", quarticity, short, 0, math.inf, "Barndorff-Nielsen & Shephard (2002)", None
    yield "jump_z_60", "std", jump, long, lowest, steepest, huang, apart
    yield "signed_jump_60", "share", signed, long, -1, 1, patton, STILL_PRICE


def _of_changes(domain: Domain) -> Iterable[Row]:
    parkinson = domain.bars + (N - 1) * domain.stride
    ratio_of = "std_60(p) / mean_60(p), p = rv_parkinson_20 of each minute"
    change = "p[t] - 2 p[t-10] + p[t-20], p = rv_parkinson_20"
    yield "vol_of_vol_60", "ratio", ratio_of, parkinson + LONG - 1, 0, math.sqrt(60), "", STILL_PRICE
    yield "accel_20", "bp", change, parkinson + 20, -math.inf, math.inf, "", None


def _of_regimes(domain: Domain) -> Iterable[Row]:
    known, bound = domain.r + N - 1 + DAY - 1, math.sqrt(LONG)
    above = "1 if std_20(r) > 80th percentile of its last 1440 values"
    since = "bars since rv_regime_high changed, at most 1440"
    changes = "changes of rv_regime_high in the last 1440 bars / 1440"
    skewness = "sqrt(60) sum_60(r^3) / sum_60(r^2)^1.5"
    amaya = "realized skewness: Amaya, Christoffersen, Jacobs & Vasquez (2015)"
    yield "regime_high", "flag", above, known, 0, 1, "", None
    yield "regime_duration", "bars", since, known + DAY, 0, DAY, "", None
    yield "regime_switch_rate", "share", changes, known + DAY, 0, 1, "", None
    yield "skew_60", "ratio", skewness, domain.r + LONG - 1, -bound, bound, amaya, STILL_PRICE


def compute(view: View) -> Columns:
    ranges = view.shared(range_volatilities)
    parkinson = ranges[0]
    size = view.shared(return_size)
    squares = view.r * view.r
    realized = tree_sum(squares, LONG)
    regime = quantile_class(view.shared(volatility, N), DAY, TOP_FIFTH, EQUAL)
    return {
        **{f"rv_{name}_20": values for name, values in zip(RANGE_SOURCES, ranges, strict=True)},
        "rv_bipower_20": 10_000.0 * np.sqrt(bipower_variance(size, N)),
        "rv_quarticity_20": 10_000.0 * np.sqrt(np.sqrt(tree_sum(squares * squares, N) / (3.0 * N))),
        "rv_jump_z_60": jump_z(size, LONG),
        "rv_signed_jump_60": ratio(tree_sum(squares * np.sign(view.r), LONG), realized),
        "rv_vol_of_vol_60": ratio(rolling_std(parkinson, LONG), tree_sum(parkinson, LONG) / LONG),
        "rv_accel_20": parkinson - 2.0 * shift(parkinson, 10) + shift(parkinson, 20),
        "rv_ewma_ratio_5_20": ewma_ratio(size, 5, 20, MEMORY),
        "rv_regime_high": regime,
        "rv_regime_duration": bars_since_change(regime, DAY),
        "rv_regime_switch_rate": change_share(regime, DAY),
        "rv_skew_60": ratio(math.sqrt(LONG) * tree_sum(squares * view.r, LONG), realized * np.sqrt(realized)),
    }


def range_volatilities(view: View) -> tuple[Floats, Floats, Floats, Floats]:
    """Parkinson, Garman-Klass, Rogers-Satchell and Yang-Zhang volatility of 20 bars, bp per bar."""
    opened, high, low, close = view.ohlc
    step = view.domain.stride
    parkinson, garman_klass, rogers_satchell = (
        strided_sum(v, N, step) / N for v in bar_variances(opened, high, low, close)
    )
    gaps, bodies = gaps_and_bodies(opened, close, step)
    overnight, inside = strided_variance(gaps, N, step), strided_variance(bodies, N, step)
    yang_zhang = overnight + OVERNIGHT * inside + (1.0 - OVERNIGHT) * rogers_satchell
    return bp_root(parkinson), bp_root(garman_klass), bp_root(rogers_satchell), bp_root(yang_zhang)


def bp_root(variance: Floats) -> Floats:
    """The root of a variance, floored at 0, in bp."""
    return 10_000.0 * np.sqrt(np.maximum(variance, 0.0))


FAMILY = Family("realized_volatility", columns, compute, domains=BOTH)
