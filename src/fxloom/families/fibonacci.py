"""Fibonacci levels of the last swing: where the close lies between the highest and the lowest bar of two hours."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fxloom.features.domain import BOTH, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.pair_view import View
from fxloom.kernels.extremes import bars_since_max, bars_since_min, rolling_max, rolling_min
from fxloom.kernels.ratio import ratio
from fxloom.kernels.tolerances import FLAT_RANGE

WINDOW = 120
LEVELS = {"fib_236": 0.236, "fib_382": 0.382, "fib_500": 0.5, "fib_618": 0.618, "fib_786": 0.786}
SOURCE = "Fibonacci retracements; C. D. Brown, Fibonacci Analysis (2008)"


def columns(domain: Domain) -> Iterable[Column]:
    warmup = domain.bars + WINDOW - 1

    def column(name: str, unit: str, formula: str, low: float, high: float, undefined: str | None = None) -> Column:
        return Column(name, unit, formula, warmup, low=low, high=high, source=SOURCE, undefined=undefined)

    for name, q in LEVELS.items():
        formula = (
            f"C - (high - {q} R) if the high is the later, else C - (low + {q} R); high = max_120 H, low = min_120 L"
        )
        yield column(name, "index points", formula, -np.inf, np.inf)
    yield column("fib_position", "ratio", "(C - low) / R", 0, 1, undefined="the range of the 120 bars is 0")
    yield column("fib_range", "percent", "100 R / C, R = max_120 H - min_120 L", 0, np.inf)
    yield column("fib_bars_since_high", "bars", "bars since the latest H = max_120 H", 0, WINDOW - 1)
    yield column("fib_bars_since_low", "bars", "bars since the latest L = min_120 L", 0, WINDOW - 1)
    yield column("fib_direction", "sign", "+1 if the high is later than the low, else -1", -1, 1)


def compute(view: View) -> Columns:
    _, high, low, close = view.ohlc
    top, bottom = rolling_max(high, WINDOW), rolling_min(low, WINDOW)
    since_high, since_low = bars_since_max(high, WINDOW), bars_since_min(low, WINDOW)
    reach = np.where(top - bottom <= FLAT_RANGE * top, 0.0, top - bottom)
    still = reach == 0.0
    below_top, above_bottom = np.where(still, 0.0, close - top), np.where(still, 0.0, close - bottom)
    rising = since_high < since_low
    return {
        **{name: np.where(rising, below_top + q * reach, above_bottom - q * reach) for name, q in LEVELS.items()},
        "fib_position": ratio(above_bottom, reach),
        "fib_range": 100.0 * (reach / close),
        "fib_bars_since_high": since_high,
        "fib_bars_since_low": since_low,
        "fib_direction": np.where(np.isnan(since_high), np.nan, np.where(rising, 1.0, -1.0)),
    }


FAMILY = Family("fibonacci", columns, compute, domains=BOTH)
