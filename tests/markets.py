"""Synthetic bars for all tests: deterministic functions of their arguments.

The package's synthetic market (``fxloom.bars.synthetic``) stands in for real data; these have shapes that it lacks:
still prices, exact grids, gaps at known places, prices given by a formula.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from fxloom.bars.bars import Bars, Flags, Floats, Ints
from fxloom.bars.pairs import CURRENCIES, PAIRS, PairInfo
from fxloom.features.panel_view import PanelFrame

START = 25_296_480  # Monday 2018-02-05 00:00 UTC in minutes since 1970
PRICES = ("open", "high", "low", "close")
Rows = tuple[int, int]  # first, and one past the last


# -- bars of given prices --------------------------------------------------------------------------------------------


def flat_bars(ts: Any, close: Any = 1.0) -> Bars:
    """Bars whose open, high, low and close are one price, given per bar or for all bars."""
    minutes = np.asarray(ts, np.int64)
    prices = np.broadcast_to(np.asarray(close, np.float64), minutes.shape).copy()
    return Bars(minutes, prices, prices, prices, prices)


def banded_bars(ts: Any, close: Floats, up: float = 1e-4, down: float = 1e-4, spread: float | None = None) -> Bars:
    """Bars whose open equals their close, with the high ``up`` above and the low ``down`` below it."""
    quotes = None if spread is None else np.full(len(close), spread)
    return Bars(np.asarray(ts, np.int64), close, close + up, close - down, close, None, quotes)


def chained_bars(ts: Ints, close: Floats, up: Any = 0.0, down: Any = 0.0) -> Bars:
    """Bars that open at the previous close and extend ``up`` above and ``down`` below open and close."""
    opened = np.concatenate([close[:1], close[:-1]])
    return Bars(ts, opened, np.maximum(opened, close) + up, np.minimum(opened, close) - down, close)


def with_prices(bars: Bars, *, scale: float | None = None, digits: int | None = None) -> Bars:
    """The same bars with prices times ``scale``, rounded to ``digits``."""
    columns = {name: getattr(bars, name) * (1.0 if scale is None else scale) for name in PRICES}
    return replace(bars, **{n: c if digits is None else np.round(c, digits) for n, c in columns.items()})


def standing_still(bars: Bars, first: int, end: int, price: float | None = None) -> Bars:
    """The same bars with a still price from bar ``first`` to before ``end``: the close of ``first``, or ``price``."""
    columns = {name: getattr(bars, name).copy() for name in PRICES}
    level = columns["close"][first] if price is None else price
    for column in columns.values():
        column[first:end] = level
    return replace(bars, **columns)


# -- walks -----------------------------------------------------------------------------------------------------------


def walk(n: int = 2_200, seed: int = 11, still: Rows = (900, 1_300), gap: int = 1_500) -> Bars:
    """A walk in points from 1.25 with ticks, a still stretch, missing minutes, and a closure before bar ``gap``."""
    rng = np.random.default_rng(seed)
    points = np.round(rng.standard_t(4, n) * 8).astype(np.float64)
    points[slice(*still)] = 0.0
    close = 1.25 + 1e-5 * np.cumsum(points)
    opened = np.concatenate([[1.25], close[:-1]])
    high = np.maximum(opened, close) + 1e-5 * rng.integers(0, 6, n)
    low = np.minimum(opened, close) - 1e-5 * rng.integers(0, 6, n)
    steps = np.where(rng.random(n) < 0.05, 3, 1)
    steps[gap] = 90
    ticks = rng.integers(1, 50, n).astype(np.float64)
    return standing_still(Bars(START + np.cumsum(steps), opened, high, low, close, ticks), *still)


def quoted_walk(n: int = 3_200, seed: int = 5, still: Rows = (1_700, 2_000), silent: Rows = (2_300, 2_420)) -> Bars:
    """A random walk in points with fat tails and waves of volatility, with volume and quotes.

    The price is still for a while, volume is 0 while ``silent``, minutes are missing, and bar 1,200 follows a closure.
    """
    rng = np.random.default_rng(seed)
    points = np.round(rng.standard_t(4, n) * 6 * np.exp(0.5 * np.sin(np.arange(n) / 200))).astype(np.float64)
    points[slice(*still)] = 0.0
    bars = _jittered(rng, points)
    volume, spread = _traded(rng, points, silent)
    waits = np.where(rng.random(n) < 0.03, 3, 1) + np.where(np.arange(n) == 1_200, 500, 0)
    return replace(standing_still(bars, *still), ts=START + np.cumsum(waits), volume=volume, spread=spread)


def long_quoted_walk() -> Bars:
    """12,000 bars with volume, quotes, fat tails, gaps, closures, a still stretch, and a stretch without volume."""
    rng = np.random.default_rng(20)
    n = 12_000
    points = np.round(rng.standard_t(3, n) * 5 * np.exp(0.5 * np.sin(np.arange(n) / 300))).astype(np.float64)
    points[rng.random(n) < 0.1] = 0.0
    points[4_000:4_250] = 0.0
    bars = _jittered(rng, points)
    volume = rng.poisson(20 + 2 * np.abs(points)).astype(np.float64)
    volume[5_500:5_600] = 0.0
    waits = np.where(rng.random(n) < 0.02, rng.integers(2, 5, n), 1)
    waits[[2_000, 6_000]] = 61, 3_000
    spread = 1e-5 * rng.integers(5, 25, n).astype(np.float64)
    ts = START - 2_880 + np.cumsum(waits)
    return replace(standing_still(bars, 4_000, 4_250), ts=ts, volume=volume, spread=spread)


def _jittered(rng: np.random.Generator, points: Floats) -> Bars:
    """Bars of a walk by ``points`` from 1.25 that open within a point of the previous close; times are row numbers."""
    n = len(points)
    close = 125_000.0 + np.cumsum(points)
    opened = np.concatenate([[125_000.0], close[:-1]]) + rng.integers(-1, 2, n).astype(np.float64)
    high = np.maximum(opened, close) + rng.integers(0, 6, n).astype(np.float64)
    low = np.minimum(opened, close) - rng.integers(0, 6, n).astype(np.float64)
    return with_prices(Bars(np.arange(n), opened, high, low, close), scale=1e-5)


def _traded(rng: np.random.Generator, points: Floats, silent: Rows) -> tuple[Floats, Floats]:
    """Volume that follows the moves, and spreads of several points."""
    volume = rng.poisson(20 + 2 * np.abs(points)).astype(np.float64)
    volume[slice(*silent)] = 0.0
    return volume, 1e-5 * rng.integers(5, 25, len(points)).astype(np.float64)


def tied_walk(n: int, seed: int, still: Rows = (0, 0), step: int = 9, reach: int = 6, gaps: bool = True) -> Bars:
    """A walk on a grid of 0.00001 with many ties, tick volume, a still stretch and, with ``gaps``, missing minutes."""
    rng = np.random.default_rng(seed)
    waits = np.where(rng.random(n) < 0.02, rng.integers(2, 9, n), 1) if gaps else np.ones(n, np.int64)
    points, reached = rng.integers(-step, step + 1, n), rng.integers(0, reach, (2, n))
    ticks = rng.integers(0, 50, n).astype(np.float64)
    quiet = slice(*still)
    points[quiet], reached[:, quiet] = 0, 0
    close = 110_000.0 + np.cumsum(points).astype(np.float64)
    bars = with_prices(chained_bars(25_300_000 + np.cumsum(waits), close, *reached), scale=1e-5, digits=5)
    return replace(bars, volume=ticks)


def closing_walk(n: int, seed: int, still: Rows = (0, 0)) -> Bars:
    """A walk on a grid of 0.00001 with missing minutes and closures; it begins within an hour."""
    rng = np.random.default_rng(seed)
    waits = np.where(rng.random(n) < 0.01, rng.integers(2, 12, n), 1)
    waits[rng.integers(500, n, n // 1500)] = rng.integers(100, 3000, n // 1500)
    points = rng.integers(-9, 10, n)
    points[slice(*still)] = 0
    close = np.round(1e-5 * (110_000.0 + np.cumsum(points)), 5)
    return chained_bars(25_300_013 + np.cumsum(waits), close, 1e-5, 1e-5)


def roll_prices(n: int, spread: float, ticks: int = 60, seed: int = 3) -> tuple[Floats, ...]:
    """Open, high, low and close in Roll's model: every tick is half a ``spread`` above or below a random walk."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0.0, 1e-4, n * ticks))
    price = np.exp(walk + 0.5 * spread * rng.choice([-1.0, 1.0], n * ticks)).reshape(n, ticks)
    return tuple(np.ascontiguousarray(c) for c in (price[:, 0], price.max(1), price.min(1), price[:, -1]))


# -- panels ----------------------------------------------------------------------------------------------------------

ELEVEN_PAIRS = (
    "audcad",
    "audnzd",
    "audusd",
    "eurchf",
    "eurgbp",
    "eurjpy",
    "eurusd",
    "gbpusd",
    "nzdusd",
    "usdcad",
    "usdjpy",
)
ABSENCES = {"audnzd": (0, 130), "eurjpy": (500, 720), "usdjpy": (300, 390), "eurchf": (690, 780), "gbpusd": (900, 1000)}
FIVE_CURRENCIES = ("cad", "eur", "gbp", "jpy", "usd")


@cache
def panel(pairs: tuple[str, ...] = ELEVEN_PAIRS, n: int = 1_100, seed: int = 3, gaps: bool = True) -> dict[str, Bars]:
    """Bars of ``pairs`` whose triangles nearly close; ``gaps`` adds late pairs, absences, a closure, still prices."""
    rng = np.random.default_rng(seed)
    moves = 1e-4 * rng.standard_t(4, (len(CURRENCIES), n)) * (rng.random((len(CURRENCIES), n)) < 0.7)
    if gaps:
        moves[:, 400:425] = 0.0
    value = dict(zip(CURRENCIES, np.cumsum(moves, axis=1), strict=True))
    ts = START + np.arange(n) + np.where(np.arange(n) >= 700, 2_000, 0)
    return {p: _of_panel(rng, p, value, ts, gaps) for p in pairs}


def _of_panel(rng: np.random.Generator, pair: str, value: dict[str, Floats], ts: Ints, gaps: bool) -> Bars:
    n = len(ts)
    level, digits = (110.0, 3) if pair.endswith("jpy") else (1.2, 5)
    noise = 5e-6 * rng.standard_normal(n)
    noise[400:425] = noise[400]
    close = np.round(level * np.exp(value[pair[:3]] - value[pair[3:]] + noise), digits)
    step = 10.0**-digits
    high, low = close + step * rng.integers(0, 9, n), close - step * rng.integers(0, 9, n)
    opened = np.round((high + low) / 2, digits)
    spread = step * rng.integers(5, 25, n).astype(np.float64)
    bars = Bars(ts, opened, high, low, close, None, spread)
    return bars.take(_present(rng, pair, n)) if gaps else bars


def _present(rng: np.random.Generator, pair: str, n: int) -> Flags:
    present = rng.random(n) < 0.9
    present[slice(*ABSENCES.get(pair, (0, 0)))] = False
    if pair == "eurusd":
        present[[0, n - 1]] = True
    return present


def panel_of_five() -> dict[str, Bars]:
    """Ten pairs of five currencies, with gaps, a pair that begins late and one that ends early."""
    rng = np.random.default_rng(3)
    n = 2_400
    value = {c: np.cumsum(rng.standard_t(4, n) * 5e-5) for c in FIVE_CURRENCIES}
    ts = START + np.arange(n) + np.where(np.arange(n) >= 1_700, 3_000, 0)
    found = {}
    for k, pair in enumerate(p for p in PAIRS if p[:3] in FIVE_CURRENCIES and p[3:] in FIVE_CURRENCIES):
        close = np.round(1.2 * np.exp(value[pair[:3]] - value[pair[3:]] + rng.standard_normal(n) * 1e-5), 5)
        present = rng.random(n) > 0.03
        present[1_700 : 1_700 + 20 * k] = False  # pairs open one after another
        present[: 150 if pair == "gbpjpy" else 0] = False
        present[n - (500 if pair == "cadjpy" else 0) :] = False
        spread = 1e-6 * rng.integers(5, 25, n).astype(np.float64)
        found[pair] = replace(chained_bars(ts, close, 2e-5, 2e-5), spread=spread).take(present)
    return found


def correlated_returns(rows: int, n: int, seed: int = 2) -> tuple[Floats, Flags]:
    """Correlated returns of several pairs, with gaps and a still stretch, and flags of which are present."""
    rng = np.random.default_rng(seed)
    r = rng.standard_normal((rows, n)) + rng.standard_normal(n)
    r[0, :700] = np.nan
    r[2, 1_500:1_560] = np.nan
    r[3, 300:330] = 0.0
    present = rng.random((rows, n)) < 0.95
    return r, present


def panel_frame(bars: dict[str, Bars], quotes: bool = True, baselines: dict[str, float] | None = None) -> PanelFrame:
    """A frame whose pairs have their own first close (or ``baselines``) as baseline."""
    first = baselines or {p: float(b.close[0]) for p, b in bars.items()}
    return PanelFrame(bars, {p: PairInfo(first[p], True, quotes) for p in bars})


# -- changes of given bars -------------------------------------------------------------------------------------------


def with_later_walk(bars: Bars, cut: int, seed: int = 1) -> Bars:
    """The bars with all prices from bar ``cut`` on replaced by another walk."""
    rng = np.random.default_rng(seed)
    later = bars.close[cut - 1] * np.exp(1e-3 * np.cumsum(rng.normal(size=len(bars) - cut)))
    return replace(bars, **{name: np.concatenate([getattr(bars, name)[:cut], later]) for name in PRICES})


def with_bar_scaled(bars: Bars, at: int, **factors: float) -> Bars:
    """The bars with columns at position ``at`` multiplied, for example ``close=1.01``."""
    columns = {name: getattr(bars, name).copy() for name in factors}
    for name, factor in factors.items():
        columns[name][at] *= factor
    return replace(bars, **columns)


def troubled_month(bars: Bars) -> Bars:
    """A month of bars with still prices for hours and days, stretches of zero volume, and missing bars."""
    columns = {name: getattr(bars, name).copy() for name in (*PRICES, "volume", "spread")}
    for begin, length in ((2_000, 90), (4_000, 700), (9_000, 3_000), (12_500, 17)):
        for name in PRICES:
            columns[name][begin : begin + length] = columns["close"][begin - 1]
    for begin, length in ((3_000, 100), (10_000, 300), (14_000, 1_600)):
        columns["volume"][begin : begin + length] = 0.0
    columns["spread"][13_000:13_400] = 0.0
    keep = np.ones(len(bars), np.bool_)
    for begin, length in ((5_000, 30), (6_000, 59), (7_000, 61), (8_000, 400), (24_000, 2_000)):
        keep[begin : begin + length] = False
    keep[16_000:17_000:3] = False
    return replace(bars, **columns).take(keep)
