"""The indicators of the trading desk, by TA-Lib's definitions, smoothing and warm-up, on the domain's bars.

In bqx the five-minute bars overlap, one a minute, and every indicator starts at the first complete one. Where
TA-Lib writes a placeholder for 0/0 in an indicator of a finite window, the value here is missing; recursive ones
keep TA-Lib's value, with one exception: in a standstill the averages behind RSI, CMO and the directional system fade
alike and their ratio would last for ever. After 700 bars it counts as gone (0), so that a value does not depend on
how long before a standstill its computation began.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.features.domain import BOTH, RATE, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.pair_view import View
from fxloom.kernels.directional import directional, true_ranges
from fxloom.kernels.extremes import bars_since_max, bars_since_min, rolling_max, rolling_min
from fxloom.kernels.moments import rolling_mean, rolling_sum
from fxloom.kernels.momentum import STILL
from fxloom.kernels.oscillators import buying_pressure, cci, cmo, money_flow, rsi, stochastic
from fxloom.kernels.recursion import ema, kama, wilder
from fxloom.kernels.sar import sar
from fxloom.kernels.states import shift

FLAT = 1e-13  # a range is 0 if it is at most this times the price

RSI_STILL = 1e-9  # RSI is constant over a window if it moves by no more than this percent

WILDER = "J. W. Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib"
APPEL = "G. Appel, The Moving Average Convergence-Divergence Method (1979); TA-Lib"
LANE = "G. C. Lane, Lane's Stochastics (1984); TA-Lib"
CHANDE = "T. S. Chande and S. Kroll, The New Technical Trader (1994); TA-Lib"

KAMA_MEMORY = 5000  # ln(1e9) / (2/31)^2: the slowest pace, if a market never moved with any efficiency
STANDSTILL = 700  # bars without a move after which ratios of two fading averages count as gone


def columns(domain: Domain) -> Iterable[Column]:
    first = domain.bars
    yield from relative_strength(first)
    yield from convergence(first)
    yield from stochastics(first)
    yield from directions(domain)
    yield from distances(first)
    yield from ranges(first)
    yield from flows(first)
    yield from following(domain)


def memory(warmup: int, pace: float) -> int:
    """Lookback of a recursion that forgets by exp(-1/pace) a bar.

    40 paces reduce a start to 4e-18; and a ratio of two recursions forgets nothing while both only fade.
    """
    return warmup + round(40 * pace) + STANDSTILL


def relative_strength(first: int) -> Iterable[Column]:
    for n in (14, 21):
        yield Column(
            f"tech_rsi_{n}",
            "percent",
            f"100 rise / (rise + fall), Wilder's averages over {n} of the rises and falls of C",
            warmup=first + n,
            lookback=memory(first + n, n),
            low=0,
            high=100,
            source=WILDER,
            recursive=True,
        )


def convergence(first: int) -> Iterable[Column]:
    formulas = {
        "tech_macd": "EMA_12(C) - EMA_26(C), both seeded at bar 26",
        "tech_macd_signal": "EMA_9 of macd",
        "tech_macd_hist": "macd - macd_signal",
    }
    for name, formula in formulas.items():
        warmup = first + 33
        yield Column(name, "index points", formula, warmup, memory(warmup, 13.5), source=APPEL, recursive=True)


def stochastics(first: int) -> Iterable[Column]:
    within = "one of the ranges in use is 0"
    constant = "the RSI is constant over one of the windows in use"
    names = {
        "tech_stoch_k": ("mean_3 of 100 (C - min_14 L) / (max_14 H - min_14 L)", within, LANE),
        "tech_stoch_d": ("mean_3 of stoch_k", within, LANE),
        "tech_stochrsi_k": ("100 (RSI_14 - its min_14) / (its max_14 - its min_14)", constant, CHANDE),
        "tech_stochrsi_d": ("mean_3 of stochrsi_k", constant, CHANDE),
    }
    for name, (formula, undefined, source) in names.items():
        recursive = source == CHANDE
        warmup = first + (29 if recursive else 17)
        yield Column(
            name,
            "percent",
            formula,
            warmup,
            lookback=memory(warmup, 14) if recursive else warmup,
            low=0,
            high=100,
            source=source,
            recursive=recursive,
            undefined=undefined,
        )


def directions(domain: Domain) -> Iterable[Column]:
    bars = "the prices in units of 1e-9" if domain is RATE else "the bars"
    names = {
        "tech_dx_14": (14, "100 abs(plus_di - minus_di) / (plus_di + minus_di)"),
        "tech_adx_14": (27, "Wilder's average over 14 of dx_14"),
        "tech_adxr_14": (40, "(adx_14[t] + adx_14[t-13]) / 2"),
        "tech_plus_di_14": (14, f"100 x smoothed upward movement / smoothed true range, 14 bars, of {bars}"),
        "tech_minus_di_14": (14, f"100 x smoothed downward movement / smoothed true range, 14 bars, of {bars}"),
    }
    for name, (offset, formula) in names.items():
        warmup = domain.bars + offset
        yield Column(
            name, "percent", formula, warmup, memory(warmup, 14), low=0, high=100, source=WILDER, recursive=True
        )


def distances(first: int) -> Iterable[Column]:
    yield Column(
        "tech_cci_20",
        "ratio",
        "(P - mean_20 P) / (0.015 mean_20 abs(P - mean_20 P)), P = (H + L + C) / 3",
        warmup=first + 19,
        low=-20 / 0.03,
        high=20 / 0.03,
        source="D. Lambert, Commodities (1980); TA-Lib",
        undefined="the 20 typical prices are equal",
    )
    yield Column(
        "tech_willr_14",
        "percent",
        "-100 (max_14 H - C) / (max_14 H - min_14 L)",
        warmup=first + 13,
        low=-100,
        high=0,
        source="L. Williams; TA-Lib",
        undefined="the range of the 14 bars is 0",
    )
    yield Column("tech_roc_12", "percent", "100 (C[t] / C[t-12] - 1)", warmup=first + 12, low=-100, source="TA-Lib")
    yield Column("tech_mom_10", "index points", "C[t] - C[t-10]", warmup=first + 10, source="TA-Lib")


def ranges(first: int) -> Iterable[Column]:
    yield Column(
        "tech_atr_14",
        "index points",
        "Wilder's average over 14 of the true range",
        warmup=first + 14,
        lookback=memory(first + 14, 14),
        low=0,
        source=WILDER,
        recursive=True,
    )
    yield Column(
        "tech_natr_60",
        "percent",
        "100 / C x Wilder's average over 60 of the true range",
        warmup=first + 60,
        lookback=memory(first + 60, 60),
        low=0,
        source="J. Forman, Stocks & Commodities (2006); TA-Lib",
        recursive=True,
    )
    for side, extreme in (("up", "highest H"), ("down", "lowest L")):
        yield Column(
            f"tech_aroon_{side}_25",
            "percent",
            f"100 (25 - bars since the latest {extreme} of 26 bars) / 25",
            warmup=first + 25,
            low=0,
            high=100,
            source="T. S. Chande, Stocks & Commodities (1995); TA-Lib",
        )
    yield Column(
        "tech_ultosc",
        "percent",
        "100 (4 b_7 + 2 b_14 + b_28) / 7, b_n = sum_n (C - true low) / sum_n true range",
        warmup=first + 28,
        low=0,
        high=100,
        source="L. Williams, Stocks & Commodities (1985); TA-Lib",
        undefined="the true range of the last 7 bars is 0",
    )


def flows(first: int) -> Iterable[Column]:
    yield Column(
        "tech_trix_15",
        "percent",
        "change of EMA_15(EMA_15(EMA_15(C))) from bar to bar",
        warmup=first + 43,
        lookback=memory(first + 43, 16),
        low=-100,
        source="J. K. Hutson, Stocks & Commodities (1983); TA-Lib",
        recursive=True,
    )
    yield Column(
        "tech_ppo_5_35",
        "percent",
        "100 (EMA_5(C) - EMA_35(C)) / EMA_35(C), each seeded on its own",
        warmup=first + 34,
        lookback=memory(first + 34, 18),
        low=-100,
        source=APPEL,
        recursive=True,
    )
    yield Column(
        "tech_cmo_9",
        "percent",
        "100 (rise - fall) / (rise + fall), Wilder's averages over 9 of the rises and falls of C",
        warmup=first + 9,
        lookback=memory(first + 9, 9),
        low=-100,
        high=100,
        source=CHANDE,
        recursive=True,
    )
    yield Column(
        "tech_mfi_14",
        "percent",
        "100 x flow of 14 bars on which P rose / flow on which it moved, P = (H + L + C) / 3, flow = P V",
        warmup=first + 14,
        low=0,
        high=100,
        source="G. Quong and A. Soudack, Stocks & Commodities (1989); TA-Lib",
        undefined="no flow in 14 bars",
    )
    yield Column(
        "tech_bop", "ratio", "(C - O) / (H - L), 0 if H = L", first, low=-1, high=1, source="I. Livshin; TA-Lib"
    )


def following(domain: Domain) -> Iterable[Column]:
    first, prices = domain.bars, "prices in units of 1e-9" if domain is RATE else "the bars"
    yield Column(
        "tech_sar_dist",
        "percent",
        f"100 (C - SAR) / C, acceleration 0.02 up to 0.2, of {prices}",
        warmup=first + 1,
        lookback=first + KAMA_MEMORY,
        high=100,
        source=WILDER,
        recursive=True,
    )
    yield Column(
        "tech_kama_dist",
        "percent",
        "100 (C / KAMA_30 - 1), paces of 2 and 30 bars",
        warmup=first + 30,
        lookback=first + 30 + KAMA_MEMORY,
        low=-100,
        source="P. J. Kaufman, Smarter Trading (1995); TA-Lib",
        recursive=True,
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
    moved = rolling_max(close, 14) > rolling_min(close, 14)  # if not, what moves in RSI is noise, or its fading
    position = np.where(moved, stochastic(strength, strength, strength, 14, RSI_STILL), np.nan)
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
    """``change`` with what is rounding noise beside ``price`` as exactly 0."""
    return np.where(np.abs(change) < STILL * price, 0.0, change)


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
    fast = stochastic(high, low, close, 14, 100.0 * FLAT)
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
        "tech_bop": np.where(reach <= FLAT * high, 0.0, quotient(close - opened, reach, FLAT * high)),
        "tech_aroon_up_25": 4.0 * (25.0 - bars_since_max(high, 26)),
        "tech_aroon_down_25": 4.0 * (25.0 - bars_since_min(low, 26)),
    }


def quotient(part: Floats, whole: Floats, least: Floats | float = 0.0) -> Floats:
    """part / whole, missing where whole is not above ``least``."""
    out = np.full(len(part), np.nan)
    np.divide(part, whole, out=out, where=whole > least)
    return out


def true_range_columns(view: View) -> Columns:
    """Columns made of true ranges."""
    _, high, low, close = view.ohlc
    reach = true_ranges(high, low, close)
    pressure = buying_pressure(low, close)
    least = FLAT * close
    short, middle, long = (quotient(rolling_sum(pressure, n), rolling_sum(reach, n), least) for n in (7, 14, 28))
    return {
        "tech_atr_14": wilder(reach, 14),
        "tech_natr_60": 100.0 * (wilder(reach, 60) / close),
        "tech_ultosc": 100.0 * ((4.0 * short + 2.0 * middle + long) / 7.0),
    }


FAMILY = Family("technical", columns, compute, domains=BOTH, uses=("volume",))
