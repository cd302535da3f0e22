"""Technical indicators by TA-Lib's definitions, smoothing and warm-up, on the domain's bars.

In bqx the five-minute bars overlap, one per minute, and every indicator starts at the first complete one. Where
TA-Lib writes a placeholder for 0/0 in an indicator of a finite window, the value here is missing. Recursive ones keep
TA-Lib's value, with one exception: in a standstill the averages behind RSI, CMO and the directional system fade alike,
and TA-Lib keeps their ratio forever. Here it is 0 after 700 bars, so that a value does not depend on how long before a
standstill its computation began.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import NamedTuple

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.features.domain import BOTH, RATE, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.pair_view import View
from fxloom.kernels.directional import directional, true_ranges
from fxloom.kernels.extremes import bars_since_max, bars_since_min, rolling_max, rolling_min
from fxloom.kernels.moments import rolling_mean, rolling_sum
from fxloom.kernels.oscillators import buying_pressure, cci, cmo, money_flow, rsi, stochastic
from fxloom.kernels.recursion import ema, kama, wilder
from fxloom.kernels.sar import sar
from fxloom.kernels.states import shift
from fxloom.kernels.tolerances import FLAT_RANGE, ZERO_CHANGE

RSI_RANGE = 1e-9  # RSI is constant over a window if it moves by no more than this percent

WILDER = "J. W. Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib"
APPEL = "G. Appel, The Moving Average Convergence-Divergence Method (1979); TA-Lib"
LANE = "G. C. Lane, Lane's Stochastics (1984); TA-Lib"
CHANDE = "T. S. Chande and S. Kroll, The New Technical Trader (1994); TA-Lib"
AROON = "T. S. Chande, Stocks & Commodities (1995); TA-Lib"

STANDSTILL = 700  # bars without a move after which the ratio of two fading averages is 0
KAMA_MEMORY = 5000  # ln(1e9) / (2/31)^2: the slowest pace, if a market never moved with any efficiency

WITHIN = "one of the ranges in use is 0"
CONSTANT_RSI = "the RSI is constant over one of the windows in use"


def fading(pace: float) -> int:
    """Bars in which a recursion that decays by exp(-1/pace) per bar has forgotten its start.

    40 paces reduce a start to 4e-18; and a ratio of two recursions forgets nothing while both only fade.
    """
    return round(40 * pace) + STANDSTILL


class Indicator(NamedTuple):
    """A column: its warm-up after the domain's first bar, and the bars beyond it that its recursion remembers."""

    unit: str
    formula: str  # {prices}: what the directional system and the parabolic stop are computed on
    warmup: int
    memory: int  # 0: a finite window
    low: float
    high: float
    source: str
    undefined: str | None = None


INDICATORS = {
    "rsi_14": Indicator(
        "percent", "100 rise / (rise + fall), Wilder's averages over 14 of the rises and falls of C", 14, fading(14),
        0, 100, WILDER),
    "rsi_21": Indicator(
        "percent", "100 rise / (rise + fall), Wilder's averages over 21 of the rises and falls of C", 21, fading(21),
        0, 100, WILDER),
    "macd": Indicator(
        "index points", "EMA_12(C) - EMA_26(C), both seeded at bar 26", 33, fading(13.5), -inf, inf, APPEL),
    "macd_signal": Indicator("index points", "EMA_9 of macd", 33, fading(13.5), -inf, inf, APPEL),
    "macd_hist": Indicator("index points", "macd - macd_signal", 33, fading(13.5), -inf, inf, APPEL),
    "stoch_k": Indicator(
        "percent", "mean_3 of 100 (C - min_14 L) / (max_14 H - min_14 L)", 17, 0, 0, 100, LANE, WITHIN),
    "stoch_d": Indicator("percent", "mean_3 of stoch_k", 17, 0, 0, 100, LANE, WITHIN),
    "stochrsi_k": Indicator(
        "percent", "100 (RSI_14 - its min_14) / (its max_14 - its min_14)", 29, fading(14), 0, 100, CHANDE,
        CONSTANT_RSI),
    "stochrsi_d": Indicator("percent", "mean_3 of stochrsi_k", 29, fading(14), 0, 100, CHANDE, CONSTANT_RSI),
    "dx_14": Indicator(
        "percent", "100 abs(plus_di - minus_di) / (plus_di + minus_di)", 14, fading(14), 0, 100, WILDER),
    "adx_14": Indicator("percent", "Wilder's average over 14 of dx_14", 27, fading(14), 0, 100, WILDER),
    "adxr_14": Indicator("percent", "(adx_14[t] + adx_14[t-13]) / 2", 40, fading(14), 0, 100, WILDER),
    "plus_di_14": Indicator(
        "percent", "100 x smoothed upward movement / smoothed true range, 14 bars, of {prices}", 14, fading(14),
        0, 100, WILDER),
    "minus_di_14": Indicator(
        "percent", "100 x smoothed downward movement / smoothed true range, 14 bars, of {prices}", 14, fading(14),
        0, 100, WILDER),
    "cci_20": Indicator(
        "ratio", "(P - mean_20 P) / (0.015 mean_20 abs(P - mean_20 P)), P = (H + L + C) / 3", 19, 0,
        -20 / 0.03, 20 / 0.03, "D. Lambert, Commodities (1980); TA-Lib", "the 20 typical prices are equal"),
    "willr_14": Indicator(
        "percent", "-100 (max_14 H - C) / (max_14 H - min_14 L)", 13, 0, -100, 0, "L. Williams; TA-Lib",
        "the range of the 14 bars is 0"),
    "roc_12": Indicator("percent", "100 (C[t] / C[t-12] - 1)", 12, 0, -100, inf, "TA-Lib"),
    "mom_10": Indicator("index points", "C[t] - C[t-10]", 10, 0, -inf, inf, "TA-Lib"),
    "atr_14": Indicator("index points", "Wilder's average over 14 of the true range", 14, fading(14), 0, inf, WILDER),
    "natr_60": Indicator(
        "percent", "100 / C x Wilder's average over 60 of the true range", 60, fading(60), 0, inf,
        "J. Forman, Stocks & Commodities (2006); TA-Lib"),
    "aroon_up_25": Indicator(
        "percent", "100 (25 - bars since the latest highest H of 26 bars) / 25", 25, 0, 0, 100, AROON),
    "aroon_down_25": Indicator(
        "percent", "100 (25 - bars since the latest lowest L of 26 bars) / 25", 25, 0, 0, 100, AROON),
    "ultosc": Indicator(
        "percent", "100 (4 b_7 + 2 b_14 + b_28) / 7, b_n = sum_n (C - true low) / sum_n true range", 28, 0, 0, 100,
        "L. Williams, Stocks & Commodities (1985); TA-Lib", "the true range of the last 7 bars is 0"),
    "trix_15": Indicator(
        "percent", "change of EMA_15(EMA_15(EMA_15(C))) from bar to bar", 43, fading(16), -100, inf,
        "J. K. Hutson, Stocks & Commodities (1983); TA-Lib"),
    "ppo_5_35": Indicator(
        "percent", "100 (EMA_5(C) - EMA_35(C)) / EMA_35(C), each seeded on its own", 34, fading(18), -100, inf, APPEL),
    "cmo_9": Indicator(
        "percent", "100 (rise - fall) / (rise + fall), Wilder's averages over 9 of the rises and falls of C", 9,
        fading(9), -100, 100, CHANDE),
    "mfi_14": Indicator(
        "percent", "100 x flow of 14 bars on which P rose / flow on which it moved, P = (H + L + C) / 3, flow = P V",
        14, 0, 0, 100, "G. Quong and A. Soudack, Stocks & Commodities (1989); TA-Lib", "no flow in 14 bars"),
    "bop": Indicator("ratio", "(C - O) / (H - L), 0 if H = L", 0, 0, -1, 1, "I. Livshin; TA-Lib"),
    "sar_dist": Indicator(
        "percent", "100 (C - SAR) / C, acceleration 0.02 up to 0.2, of {prices}", 1, KAMA_MEMORY - 1, -inf, 100,
        WILDER),
    "kama_dist": Indicator(
        "percent", "100 (C / KAMA_30 - 1), paces of 2 and 30 bars", 30, KAMA_MEMORY, -100, inf,
        "P. J. Kaufman, Smarter Trading (1995); TA-Lib"),
}  # fmt: skip


def columns(domain: Domain) -> Iterable[Column]:
    prices = "the prices in units of 1e-9" if domain is RATE else "the bars"
    for name, c in INDICATORS.items():
        yield Column(
            f"tech_{name}",
            c.unit,
            c.formula.format(prices=prices),
            domain.bars + c.warmup,
            lookback=domain.bars + c.warmup + c.memory,
            low=c.low,
            high=c.high,
            source=c.source,
            recursive=c.memory > 0,
            undefined=c.undefined,
        )


def compute(view: View) -> Columns:
    return {**averages(view), **strengths(view), **movements(view), **windows(view), **true_range_columns(view)}


def averages(view: View) -> Columns:
    """Columns made of moving averages of the close."""
    close = view.ohlc[3]
    macd = ema(close, 12, 14) - ema(close, 26, 0)
    signal = ema(macd, 9, 0)
    macd = np.where(np.isnan(signal), np.nan, macd)
    third = ema(ema(ema(close, 15, 0), 15, 0), 15, 0)
    before, slow, adaptive = shift(third, 1), ema(close, 35, 0), kama(close, 30)
    return {
        "tech_macd": macd,
        "tech_macd_signal": signal,
        "tech_macd_hist": macd - signal,
        "tech_trix_15": 100.0 * ((third - before) / before),
        "tech_ppo_5_35": 100.0 * ((ema(close, 5, 0) - slow) / slow),
        "tech_kama_dist": 100.0 * ((close - adaptive) / adaptive),
    }


def strengths(view: View) -> Columns:
    """Columns made of rises and falls of the close."""
    close = view.ohlc[3]
    strength = rsi(close, 14, STANDSTILL)
    moved = rolling_max(close, 14) > rolling_min(close, 14)  # else RSI changes by noise alone, or fades
    position = np.where(moved, stochastic(strength, strength, strength, 14, RSI_RANGE), np.nan)
    smooth = rolling_mean(position, 3)
    ready = ~np.isnan(shift(strength, 15))  # TA-Lib begins both lines where the slower one can
    back, gain = shift(close, 12), close - shift(close, 10)
    return {
        "tech_rsi_14": strength,
        "tech_rsi_21": rsi(close, 21, STANDSTILL),
        "tech_stochrsi_k": np.where(ready, position, np.nan),
        "tech_stochrsi_d": smooth,
        "tech_cmo_9": cmo(close, 9, STANDSTILL),
        "tech_roc_12": 100.0 * still((close - back) / back, 1.0),
        "tech_mom_10": still(gain, close),
    }


def still(change: Floats, price: Floats | float) -> Floats:
    """``change``, exactly 0 where it is rounding noise relative to ``price``."""
    return np.where(np.abs(change) < ZERO_CHANGE * price, 0.0, change)


def movements(view: View) -> Columns:
    """Columns of the directional movement system, and the parabolic stop."""
    high, low, close = ticks(view)
    plus, minus, dx, adx = directional(high, low, close, 14, STANDSTILL)
    return {
        "tech_dx_14": dx,
        "tech_adx_14": adx,
        "tech_adxr_14": (adx + shift(adx, 13)) / 2.0,
        "tech_plus_di_14": plus,
        "tech_minus_di_14": minus,
        "tech_sar_dist": 100.0 * ((close - sar(high, low, 0.02, 0.2)) / close),
    }


def ticks(view: View) -> tuple[Floats, Floats, Floats]:
    """High, low, close for the directional system and the parabolic stop: in rate whole multiples of 1e-9 price units.

    Scale does not matter to them, but exact ties do (of up and down moves; of a bar that just touches the stop), and
    the rounding of the index would settle those at random.
    """
    if view.domain is not RATE:
        return view.ohlc[1:]
    bars = view.frame.bars
    high, low, close = (np.rint(1e9 * price[view.start :]) for price in (bars.high, bars.low, bars.close))
    return high, low, close


def windows(view: View) -> Columns:
    """Columns of finite windows of bars."""
    opened, high, low, close = view.ohlc
    typical = (high + low + close) / 3.0
    fast = stochastic(high, low, close, 14, 100.0 * FLAT_RANGE)
    slow = rolling_mean(fast, 3)
    smooth = rolling_mean(slow, 3)
    ready = ~np.isnan(shift(close, 17))  # TA-Lib begins both lines where the slower one can
    up, down = money_flow(typical, view.volume)
    rose, fell = rolling_sum(up, 14), rolling_sum(down, 14)
    reach = high - low
    return {
        "tech_stoch_k": np.where(ready, slow, np.nan),
        "tech_stoch_d": smooth,
        "tech_willr_14": fast - 100.0,
        "tech_cci_20": cci(typical, 20),
        "tech_mfi_14": 100.0 * quotient(rose, rose + fell),
        "tech_bop": np.where(reach <= FLAT_RANGE * high, 0.0, quotient(close - opened, reach, FLAT_RANGE * high)),
        "tech_aroon_up_25": 4.0 * (25.0 - bars_since_max(high, 26)),
        "tech_aroon_down_25": 4.0 * (25.0 - bars_since_min(low, 26)),
    }


def quotient(part: Floats, whole: Floats, least: Floats | float = 0.0) -> Floats:
    """part / whole, NaN where whole is not above ``least``."""
    out = np.full(len(part), np.nan)
    np.divide(part, whole, out=out, where=whole > least)
    return out


def true_range_columns(view: View) -> Columns:
    """Columns made of true ranges."""
    _, high, low, close = view.ohlc
    reach = true_ranges(high, low, close, 1)
    pressure = buying_pressure(low, close)
    least = FLAT_RANGE * close
    short, middle, long = (quotient(rolling_sum(pressure, n), rolling_sum(reach, n), least) for n in (7, 14, 28))
    return {
        "tech_atr_14": wilder(reach, 14),
        "tech_natr_60": 100.0 * (wilder(reach, 60) / close),
        "tech_ultosc": 100.0 * ((4.0 * short + 2.0 * middle + long) / 7.0),
    }


FAMILY = Family("technical", columns, compute, domains=BOTH, uses=("volume",))
