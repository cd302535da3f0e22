"""Synthetic and real markets for the tests of families, and the series that are defined on them, one bar at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import bidask
import numpy as np
import pytest

from fxloom.bars.clock import on_clock
from fxloom.bars.pairs import PairInfo, pip_of
from fxloom.features.domain import BQX, Domain
from fxloom.features.feature import Family
from fxloom.features.pair_view import PairFrame, View
from tests.conftest import real_bars, real_quotes
from tests.markets import quoted_walk

Number = float | np.floating[Any]
Reference = Callable[["Market", int], Number]
Formula = Callable[[np.ndarray], Number]


@dataclass(frozen=True, eq=False)
class Market:
    """A pair on its clock and, by their definitions, the series that a domain sees of it."""

    frame: PairFrame
    domain: Domain

    @property
    def view(self) -> View:
        return self.frame.view(self.domain)

    def __len__(self) -> int:
        return len(self.frame.bars)

    @property
    def step(self) -> int:
        """Rows between bars that do not overlap."""
        return 5 if self.domain is BQX else 1

    @cached_property
    def x(self) -> np.ndarray:
        c = 100.0 * self.frame.bars.close / self.frame.info.baseline
        if self.domain is not BQX:
            return c
        g = np.full(len(c), np.nan)
        for t in range(15, len(c)):
            m = float(np.sum(c[t - 15 : t] - c[t]) / c[t])
            g[t] = 100.0 * (1.0 + (0.0 if abs(m) < 1e-12 else m) / 15.0)
        return g

    @cached_property
    def r(self) -> np.ndarray:
        r = np.concatenate([[np.nan], np.diff(np.log(self.x))])
        return np.where(np.abs(r) < 1e-12, 0.0, r)

    @cached_property
    def bars(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Open, high, low, close of the domain."""
        b, x = self.frame.bars, self.x
        if self.domain is not BQX:
            o, h, l = (100.0 * p / self.frame.info.baseline for p in (b.open, b.high, b.low))
            return o, h, l, x
        o, h, l = (np.full(len(x), np.nan) for _ in range(3))
        for t in range(19, len(x)):
            five = x[t - 4 : t + 1]
            o[t], h[t], l[t] = five[0], five.max(), five.min()
        return o, h, l, np.where(np.isnan(o), np.nan, x)

    @cached_property
    def v(self) -> np.ndarray:
        b = self.frame.bars
        if b.volume is not None:
            return b.volume
        proxy = 1.0 + (b.high - b.low) / pip_of(self.frame.pair)
        filled = np.ones(len(b), bool)
        filled[b.observed] = False
        return np.where(filled, 0.0, proxy)

    @cached_property
    def s(self) -> np.ndarray:
        b = self.frame.bars
        if b.spread is not None:
            return 1e4 * b.spread / b.close
        s = np.full(len(b), np.nan)
        for t in range(59, len(b)):
            w = slice(t - 59, t + 1)
            s[t] = 1e4 * bidask.edge(b.open[w], b.high[w], b.low[w], b.close[w])
        return s

    def window(self, y: np.ndarray, t: int, w: int) -> np.ndarray:
        """The last ``w`` values of ``y`` up to t."""
        return y[t - w + 1 : t + 1]

    def last_bars(self, t: int, n: int) -> tuple[np.ndarray, ...]:
        """The last ``n`` bars that do not overlap, oldest first."""
        rows = t - self.step * np.arange(n)[::-1]
        return tuple(column[rows] for column in self.bars)


@cache
def synthetic(n: int = 3_200, seed: int = 5, given: bool = True) -> PairFrame:
    """A pair on the clock; ``given``: whether its source has volume and quotes."""
    bars = quoted_walk(n, seed)
    if not given:
        bars = replace(bars, volume=None, spread=None)
    return PairFrame("eurusd", on_clock(bars), PairInfo(float(bars.close[0]) * 1.01, given, given))


@cache
def real(name: str, n: int = 3_600) -> PairFrame:
    """Bars of a sample file; mid prices and spreads of a file with quotes."""
    bars = real_quotes(name) if name.startswith("quotes") else real_bars(name)
    bars = bars.take(slice(n))
    info = PairInfo(float(bars.close[0]), bars.volume is not None, bars.spread is not None)
    return PairFrame(name[-6:], on_clock(bars), info)


FRAMES: dict[str, Callable[[], PairFrame]] = {
    "synthetic": synthetic,
    "synthetic without volume and quotes": lambda: synthetic(seed=6, given=False),
    "market28/usdjpy": lambda: real("market28/usdjpy"),
    "quotes/oanda_2014/nzdusd": lambda: real("quotes/oanda_2014/nzdusd"),
}
NAMES = [pytest.param(n, marks=pytest.mark.data if "/" in n else ()) for n in FRAMES]


@cache
def market(name: str, domain: Domain) -> Market:
    return Market(FRAMES[name](), domain)


def sample(first: int, n: int) -> list[int]:
    """Some bars from ``first`` on, the first and the last among them."""
    return sorted({*range(first, min(first + 3, n)), *range(first, n, 97), n - 1})


def check_against(family: Family, m: Market, references: Mapping[str, Reference], tolerance: float = 1e-9) -> None:
    """Every column against its reference, missing before its warm-up, within its range, never a negative zero."""
    got = family.compute(m.view)
    columns = {c.name: c for c in family.columns(m.domain)}
    assert list(columns) == list(got)
    assert set(references) == set(columns)
    for name, column in columns.items():
        values = got[name]
        assert np.isnan(values[: column.warmup]).all(), name
        assert not (np.signbit(values) & (values == 0.0)).any(), name
        if column.warmup >= len(m):
            continue
        scale = float(np.nanstd(values))
        assert np.nanmin(values) >= column.low - tolerance * max(1.0, scale), name
        assert np.nanmax(values) <= column.high + tolerance * max(1.0, scale), name
        if column.undefined is None:
            assert np.isfinite(values[column.warmup :]).all(), name
        with np.errstate(invalid="ignore", divide="ignore"):
            for t in sample(column.warmup, len(m)):
                want = float(references[name](m, t))
                near = pytest.approx(want, rel=tolerance, abs=tolerance * scale, nan_ok=True)
                assert values[t] == near, (name, t, values[t], want)


def std(y: np.ndarray) -> float:
    """ddof 1; exactly 0 where the values are constant."""
    flat = not np.isnan(y).any() and np.ptp(y) <= 1e-13 * np.abs(y).max()
    return 0.0 if flat else float(np.std(y, ddof=1))


def quotient(a: Number, b: Number) -> float:
    return float(a / b) if b > 0 else math.nan


def corr(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.corrcoef(x, y)[0, 1]) if std(x) > 0 and std(y) > 0 else math.nan


def slope(y: np.ndarray, x: np.ndarray | None = None) -> float:
    """Least squares with intercept, on the bar's number or on ``x``."""
    x = np.arange(len(y), dtype=float) if x is None else x
    return float(np.polyfit(x - x.mean(), y - y[-1], 1)[0]) if std(x) > 0 else math.nan


def percentile_rank(values: np.ndarray, value: float) -> float:
    """Share below plus half of those equal (1e-9 relative)."""
    equal = np.abs(values - value) <= 1e-9 * abs(value)
    return float((np.sum((values < value) & ~equal) + 0.5 * np.sum(equal)) / len(values))


def bars_since_change(states: Callable[[int], Number], t: int, cap: int) -> float:
    """0 at the bar that changed; NaN unless the last cap + 1 states are known."""
    last = [states(i) for i in range(t - cap, t + 1)]
    if any(math.isnan(s) for s in last):
        return math.nan
    changed = [i for i in range(1, cap + 1) if last[i] != last[i - 1]]
    return float(cap - changed[-1]) if changed else float(cap)
