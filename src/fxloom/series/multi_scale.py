"""The market on a slower clock: bars of K wall-clock minutes, each visible once its last minute is over.

The bars are UTC-aligned bins of the clock bars' closes (C, or G_15). A bin with one clock bar counts, and a bin in
which the market was closed does not exist. A computation that begins inside a bin sees only part of it: lookbacks are
declared long enough for finite windows not to reach that bin and for recursions to have forgotten it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from fxloom.bars.bars import Floats, Ints
from fxloom.bars.clock import DAY
from fxloom.features.domain import Domain
from fxloom.features.feature import Column, Columns
from fxloom.features.pair_view import View, masked
from fxloom.kernels.directional import true_ranges
from fxloom.kernels.extremes import rolling_max, rolling_min
from fxloom.kernels.kbars import kbars, spread
from fxloom.kernels.moments import rolling_mean, rolling_std
from fxloom.kernels.momentum import log_changes
from fxloom.kernels.oscillators import rsi
from fxloom.kernels.quantile_class import quantile_class
from fxloom.kernels.ratio import ratio
from fxloom.kernels.recursion import ema, wilder
from fxloom.kernels.regression import rolling_line, rolling_slope
from fxloom.kernels.states import shift
from fxloom.kernels.tolerances import EQUAL, ZERO_CHANGE

MEDIAN = np.array([0.5])
MEMORY = 400  # K-bars after which EMA_26 has forgotten its start to 4e-14, RSI_14 and ATR_14 to 1e-13
STANDSTILL = 50  # K-bars without a change after which RSI is 0

TALIB = "TA-Lib on the K-bars"


class Scale(NamedTuple):
    """A column on the slower clock: how many K-bars it needs, and how many clock bars of x before the row."""

    bars: int
    clock: int
    unit: str
    formula: str
    low: float = -np.inf
    high: float = np.inf
    source: str = ""
    recursive: bool = False
    undefined: str | None = None


SCALES = {
    "sma_10": Scale(10, 0, "bp", "10,000 (x / mean of 10 c - 1)", low=-10_000),
    "ema_20": Scale(20, 0, "bp", "10,000 (x / EMA_20(c) - 1)", low=-10_000, source=TALIB, recursive=True),
    "vol_20": Scale(21, 0, "bp", "10,000 std of 20 log changes of c", low=0),
    "mom_5": Scale(6, 0, "bp", "10,000 ln(c / c five K-bars ago)"),
    "range_20": Scale(20, 0, "bp", "10,000 (highest - lowest of 20 K-bars) / x", low=0),
    "rsi_14": Scale(15, 0, "percent", "RSI_14(c)", 0, 100, TALIB, True),
    "macd": Scale(26, 0, "bp", "10,000 (EMA_12(c) - EMA_26(c)) / x, each seeded alone", source=TALIB, recursive=True),
    "atr_14": Scale(15, 0, "bp", "10,000 ATR_14 of the K-bars / x", low=0, source=TALIB, recursive=True),
    "bb_width_20": Scale(20, 0, "ratio", "4 x population std / mean of 20 c", low=0),
    "sma_ratio": Scale(10, 9, "bp", "10,000 (mean of 10 x / mean of 10 c - 1)", low=-10_000),
    "vol_ratio": Scale(
        21, 20, "ratio", "std_20(r) sqrt(K) / vol_20, at most 100", 0, 100, undefined="c did not change in 20 K-bars"
    ),
    "trend_agree": Scale(10, 19, "flag", "1 if slope(x, 20) and slope(c, 10) agree in sign", 0, 1),
    "regime_agree": Scale(
        68, 20 + DAY - 1, "flag", "1 if (std_20(r) > its median_1440) = (vol_20 > its median of 48 K-bars)", 0, 1
    ),
    "dominance": Scale(
        10, 19, "difference", "R2 of the line through 10 c - R2 of the line through 20 x", -1, 1,
        undefined="one of the two windows is flat",
    ),
    "divergence": Scale(6, 20, "flag", "1 if x - x[t-20] and c - c five K-bars ago have opposite signs", 0, 1),
}  # fmt: skip


def warmup_of(scale: Scale, minutes: int) -> int:
    """Bars of x before a row that certainly hold the K-bars that a column needs, as if every bin were full."""
    return max(scale.bars * minutes - 1, scale.clock)


def lookback_of(scale: Scale, minutes: int) -> int:
    """Bars of x before a row that hold the K-bars that reproduce a column, after a first bin that is cut short."""
    bars = MEMORY if scale.recursive else scale.bars
    return max((bars + 1) * minutes, scale.clock)


def scale_columns(domain: Domain, minutes: int) -> Iterable[Column]:
    """The columns of the scale of ``minutes`` (K)."""
    for name, scale in SCALES.items():
        yield Column(
            f"ms{minutes}_{name}",
            scale.unit,
            f"{scale.formula}; c = closes of the {minutes}-minute bars of x, K = {minutes}",
            warmup=domain.x + warmup_of(scale, minutes),
            lookback=domain.x + lookback_of(scale, minutes),
            low=scale.low,
            high=scale.high,
            source=scale.source,
            recursive=scale.recursive,
            undefined=scale.undefined,
        )


def scale_features(view: View, minutes: int) -> Columns:
    """The columns of the scale of ``minutes``, each missing until its warm-up."""
    high, low, close, seen = kbars(view.ts, view.x, minutes)
    found = {
        **distances(view, high, low, close, seen),
        **indicators(view, high, low, close, seen),
        **comparisons(view, close, seen, minutes),
    }
    first = view.domain.x
    return {f"ms{minutes}_{name}": masked(found[name], first + warmup_of(s, minutes)) for name, s in SCALES.items()}


def basis_points(value: Floats, base: Floats) -> Floats:
    """The distance of ``value`` from ``base`` in bp of ``base``."""
    return 10_000.0 * ((value - base) / base)


def distances(view: View, high: Floats, low: Floats, close: Floats, seen: Ints) -> Columns:
    """The position of x among the K-bars, and the range of these."""
    x, mean = view.x, rolling_mean(close, 10)
    reach = rolling_max(high, 20) - rolling_min(low, 20)
    width = 4.0 * np.sqrt(19.0 / 20.0) * (rolling_std(close, 20) / rolling_mean(close, 20))
    return {
        "sma_10": basis_points(x, spread(mean, seen)),
        "range_20": 10_000.0 * (spread(reach, seen) / x),
        "bb_width_20": spread(width, seen),
        "sma_ratio": basis_points(rolling_mean(x, 10), spread(mean, seen)),
    }


def indicators(view: View, high: Floats, low: Floats, close: Floats, seen: Ints) -> Columns:
    """TA-Lib's recursions on the K-bars."""
    x = view.x
    macd, atr = ema(close, 12, 0) - ema(close, 26, 0), wilder(true_ranges(high, low, close, 1), 14)
    return {
        "ema_20": basis_points(x, spread(ema(close, 20, 0), seen)),
        "rsi_14": spread(rsi(close, 14, STANDSTILL), seen),
        "macd": 10_000.0 * (spread(macd, seen) / x),
        "atr_14": 10_000.0 * (spread(atr, seen) / x),
    }


def comparisons(view: View, close: Floats, seen: Ints, minutes: int) -> Columns:
    """Comparisons of the last minutes with the last K-bars."""
    x = view.x
    slow, fast = rolling_std(log_changes(close), 20), view.shared(minute_deviation)
    step, before = np.log(close / shift(close, 5)), shift(x, 20)
    agree = signs(view.shared(minute_slope), x) == spread(signs(rolling_slope(close, 10), close), seen)
    loud = quantile_class(slow, 48, MEDIAN, EQUAL)
    r2_slow, r2_fast = rolling_line(close, 10)[2], view.shared(minute_fit)
    slow_seen = spread(slow, seen)
    return {
        "vol_20": 10_000.0 * slow_seen,
        "mom_5": 10_000.0 * spread(np.where(np.abs(step) < ZERO_CHANGE, 0.0, step), seen),
        "vol_ratio": np.minimum(ratio(fast * np.sqrt(minutes), slow_seen), 100.0),
        "trend_agree": agree.astype(np.float64),
        "regime_agree": equal(view.shared(minute_regime), spread(loud, seen)),
        "dominance": spread(r2_slow, seen) - r2_fast,
        "divergence": (signs(x - before, x) * spread(signs(step, 1.0), seen) < 0.0).astype(np.float64),
    }


def signs(change: Floats, price: Floats | float) -> Floats:
    """-1, 0 or 1 of ``change``; 0 if it is rounding noise relative to ``price``."""
    return np.where(np.abs(change) < ZERO_CHANGE * price, 0.0, np.sign(change))


def equal(one: Floats, other: Floats) -> Floats:
    """1 where two flags are equal, 0 where they differ; NaN where either is missing."""
    return np.where(np.isnan(one - other), np.nan, one == other)


# -- series of minutes that both scales share ------------------------------------------------------------------------


def minute_deviation(view: View) -> Floats:
    """std_20(r) of the minutes."""
    return rolling_std(view.r, 20)


def minute_slope(view: View) -> Floats:
    """slope(x, 20) of the minutes."""
    return rolling_slope(view.x, 20)


def minute_fit(view: View) -> Floats:
    """R2 of the line through the last 20 x."""
    return rolling_line(view.x, 20)[2]


def minute_regime(view: View) -> Floats:
    """1 where std_20(r) is above its median over a day, else 0."""
    return quantile_class(view.shared(minute_deviation), DAY, MEDIAN, EQUAL)
