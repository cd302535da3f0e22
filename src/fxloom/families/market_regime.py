"""What kind of market it is: trending or reverting, calm or volatile, smooth or jumping.

x crosses its mean at a bar if it is strictly on the other side than one bar before. Within 1e-12 it is on neither
side: a move onto the mean, or off it, is not a crossing. A window of x that is exactly a line has no t statistic, hence
no class.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.bars.clock import DAY, HOUR
from fxloom.features.domain import BOTH, BQX, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.missing import STILL_PRICE
from fxloom.features.pair_view import View
from fxloom.kernels.directional import true_ranges
from fxloom.kernels.extremes import rolling_max, rolling_min
from fxloom.kernels.jumps import bipower_variance
from fxloom.kernels.moments import rolling_mean, strided_sum
from fxloom.kernels.quantile_class import quantile_class
from fxloom.kernels.ratio import log, ratio
from fxloom.kernels.regression import rolling_line
from fxloom.kernels.scaling import changes_over, crossings, hurst
from fxloom.kernels.states import bars_since_change
from fxloom.kernels.tolerances import EQUAL, ZERO_CHANGE
from fxloom.kernels.tree import tree_sum
from fxloom.series.pair import return_size, volatility

FOUR_HOURS = 4 * HOUR
MEAN_BARS = 20
SCALES = 6  # k = 1, 2, ..., 32
JUMP = 4.0  # in deviations
THIRDS = np.array([1.0 / 3.0, 2.0 / 3.0])
Row = tuple[str, str, str, int, float, float, str, str | None]  # name, ..., warm-up, low, high, source, undefined


def efficient(domain: Domain) -> float:
    """The efficiency from which a market counts as trending."""
    return 0.15 if domain is BQX else 0.3


def columns(domain: Domain) -> Iterable[Column]:
    rows = [*_of_paths(domain), *_of_trends(domain), *_of_levels(domain)]
    for name, unit, formula, warmup, low, high, source, undefined in rows:
        yield Column(f"mr_{name}", unit, formula, warmup, low=low, high=high, source=source, undefined=undefined)


def _of_paths(domain: Domain) -> Iterable[Row]:
    x, n = domain.x, HOUR // domain.stride
    bars = "60 bars" if n == HOUR else "the 12 five-minute bars at t, t-5, ..., t-55"
    path = "abs(x[t] - x[t-60]) / sum of the 60 abs(x[i] - x[i-1])"
    scaled = "slope on ln k of ln std of the overlapping k-bar changes within 240 values of x, k = 1, 2, 4, 8, 16, 32"
    choppy = f"100 log10(sum(true range) / (max H - min L)) / log10({n}), over {bars}"
    di_matteo = "Hurst exponent by scaled deviations: Di Matteo (2007), order 2"
    yield "efficiency_60", "ratio", path, x + HOUR, 0, 1, "Kaufman (1995)", STILL_PRICE
    yield "hurst_240", "exponent", scaled, x + FOUR_HOURS - 1, -math.inf, math.inf, di_matteo, STILL_PRICE
    yield "choppiness_60", "percent", choppy, domain.bars + HOUR, 0, math.inf, "Dreiss", STILL_PRICE


def _of_trends(domain: Domain) -> Iterable[Row]:
    hour = domain.x + HOUR
    line = "the window of x is flat or exactly a line"
    lacking = "mr_trend_class was missing within the last 1440 bars"
    statistic = "t statistic of the slope of x on 60 bars, within +-100"
    classes = f"efficiency_60 >= {efficient(domain)} - 1e-9; 1 if abs(t) >= 2; else 0"
    trend = f"sign(t) x (2 if {classes}), t = mr_trend_t_60"
    yield "trend_t_60", "t", statistic, hour - 1, -100, 100, "", line
    yield "trend_class", "class", trend, hour, -2, 2, "", line
    yield "trend_duration", "bars", "bars since mr_trend_class changed, at most 1440", hour + DAY, 0, DAY, "", lacking


def _of_levels(domain: Domain) -> Iterable[Row]:
    x, r = domain.x, domain.r
    terciles = "0, 1, 2: the tercile of std_60(r) among its last 1440 values"
    crossed = "share of the last 60 bars at which x went from one side of mean_20(x) to the other"
    place = "(x - min_240(L)) / (max_240(H) - min_240(L))"
    jumps = "bars of the last 60 with abs(r) > 4 sqrt(bipower variance of the 240 bars up to that bar), by 1e-9 of it"
    lee = "Lee & Mykland (2008), Barndorff-Nielsen & Shephard (2004)"
    yield "vol_class", "class", terciles, r + HOUR - 1 + DAY - 1, 0, 2, "", None
    yield "crossing_rate_60", "share", crossed, x + MEAN_BARS - 1 + HOUR, 0, 1, "", None
    yield "donchian_240", "ratio", place, domain.bars + FOUR_HOURS - 1, 0, 1, "Donchian's channel", STILL_PRICE
    yield "jump_count_60", "count", jumps, r + FOUR_HOURS - 1 + HOUR - 1, 0, HOUR, lee, None


def compute(view: View) -> Columns:
    x = view.x
    t_statistic = np.clip(rolling_line(x, HOUR)[1], -100.0, 100.0)
    efficiency = efficiency_ratio(x)
    trend = trend_class(t_statistic, efficiency, efficient(view.domain))
    return {
        "mr_efficiency_60": efficiency,
        "mr_hurst_240": hurst(x, FOUR_HOURS, SCALES),
        "mr_choppiness_60": choppiness(view),
        "mr_trend_t_60": t_statistic,
        "mr_trend_class": trend,
        "mr_trend_duration": bars_since_change(trend, DAY),
        "mr_vol_class": quantile_class(view.shared(volatility, HOUR), DAY, THIRDS, EQUAL),
        "mr_crossing_rate_60": tree_sum(crossings(x, rolling_mean(x, MEAN_BARS)), HOUR) / HOUR,
        "mr_donchian_240": donchian(view),
        "mr_jump_count_60": jump_count(view.shared(return_size)),
    }


def efficiency_ratio(x: Floats) -> Floats:
    """Kaufman's efficiency ratio of an hour."""
    path = tree_sum(np.abs(changes_over(x, 1)), HOUR)
    return np.minimum(ratio(np.abs(changes_over(x, HOUR)), path), 1.0)


def choppiness(view: View) -> Floats:
    """Dreiss's choppiness index of an hour; its bars do not overlap."""
    _, high, low, close = view.ohlc
    step = view.domain.stride
    n, reach = HOUR // step, HOUR - step + 1  # the extremes of all five-minute bars are those of every fifth
    path = strided_sum(true_ranges(high, low, close, step), n, step)
    wiggles = log(ratio(path, channel(rolling_max(high, reach), rolling_min(low, reach))))
    return np.maximum(100.0 * wiggles / math.log(n), 0.0)


def channel(top: Floats, bottom: Floats) -> Floats:
    """The width of a channel, 0 where it is rounding noise."""
    width = top - bottom
    return np.where(width < ZERO_CHANGE * top, 0.0, width)


def donchian(view: View) -> Floats:
    """The position of the close in the channel of the last four hours, 0 to 1."""
    _, high, low, close = view.ohlc
    top, bottom = rolling_max(high, FOUR_HOURS), rolling_min(low, FOUR_HOURS)
    return ratio(close - bottom, channel(top, bottom))


def trend_class(t_statistic: Floats, efficiency: Floats, threshold: float) -> Floats:
    """-2 ... 2: the direction of a trend, and whether it is efficient, significant or neither."""
    known = np.isfinite(t_statistic) & np.isfinite(efficiency)
    strength = np.where(efficiency >= threshold - EQUAL, 2.0, np.where(np.abs(t_statistic) >= 2.0, 1.0, 0.0))
    return np.where(known, np.sign(t_statistic) * strength + 0.0, np.nan)


def jump_count(size: Floats) -> Floats:
    """The number of bars of the last hour with a move above four jump-robust deviations of the last four hours."""
    limit = JUMP * np.sqrt(bipower_variance(size, FOUR_HOURS))
    jumped = np.where(np.isnan(limit), np.nan, np.where(size > limit * (1.0 + EQUAL), 1.0, 0.0))
    return tree_sum(jumped, HOUR)


FAMILY = Family("market_regime", columns, compute, domains=BOTH)
