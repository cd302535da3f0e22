"""Bars to try the laws on: a lively market, flat prices, silent volumes, holes, and the real thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, cached_property

import numpy as np
from conftest import real_bars

from fxloom.bars import Bars, Floats, Ints
from fxloom.clock import ClockBars, on_clock
from fxloom.market import synthetic_market
from fxloom.view import PairFrame, Traits

SPAN = (date(2018, 1, 21), date(2018, 4, 3))  # ten weeks, three month edges, New York's and London's spring


@dataclass(frozen=True, eq=False)
class Specimen:
    """Observed bars of one pair, and what is settled about the pair."""

    name: str
    pair: str
    bars: Bars
    traits: Traits

    @cached_property
    def clock(self) -> ClockBars:
        return on_clock(self.bars)

    def frame(self) -> PairFrame:
        """A new frame, which shares no work with any other."""
        return PairFrame(self.pair, self.clock, self.traits)

    def of(self, bars: Bars, name: str = "") -> Specimen:
        return Specimen(name or self.name, self.pair, bars, self.traits)

    def between(self, first: int, end: int) -> Specimen:
        """The observed bars number ``first`` to before ``end``."""
        return self.of(self.bars.take(slice(first, end)))

    def bar_at(self, position: int) -> int:
        """The number of the first observed bar at or after a clock position."""
        return int(np.searchsorted(self.clock.observed, position))


# -- made-up markets -------------------------------------------------------------------------------------------------


@cache
def lively(pair: str = "eurusd") -> Specimen:
    """Ten weeks of the synthetic market, with quotes and ticks."""
    bars = synthetic_market(*SPAN, pairs=[pair])[pair]
    return Specimen(f"lively {pair}", pair, bars, Traits(float(bars.close[0])))


@cache
def without_volume_and_quotes() -> Specimen:
    """A source that has prices only: the catalogue's proxies take the place of volume and spread."""
    full = lively("gbpjpy")
    bars = replace(full.bars, volume=None, spread=None).take(slice(0, 30_000))
    return Specimen("prices only", full.pair, bars, Traits(full.traits.baseline, has_volume=False, has_quotes=False))


@cache
def troubled() -> Specimen:
    """A month in which the price stands still for hours and days, the volume is silent, and bars are missing."""
    full = lively("audnzd")
    bars = full.bars.take(slice(0, 30_000))
    columns = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close", "volume", "spread")}
    for begin, length in ((2_000, 90), (4_000, 700), (9_000, 3_000), (20_000, 17)):
        for name in ("open", "high", "low", "close"):
            columns[name][begin : begin + length] = columns["close"][begin - 1]
    for begin, length in ((3_000, 100), (10_000, 300), (15_000, 1_600)):
        columns["volume"][begin : begin + length] = 0.0
    columns["spread"][17_000:17_400] = 0.0
    keep = np.ones(len(bars), np.bool_)
    for begin, length in ((5_000, 30), (6_000, 59), (7_000, 61), (8_000, 400), (24_000, 2_000)):
        keep[begin : begin + length] = False
    keep[18_000:19_000:3] = False
    return Specimen("troubled audnzd", full.pair, replace(bars, **columns).take(keep), full.traits)


@cache
def still(price: float, baseline: float, volume: float = 20.0) -> Specimen:
    """A price that never moves, for as long as the longest tables need."""
    full = lively("eurusd")
    level = np.full(len(full.bars), price)
    ticks, spread = np.full(len(level), volume), np.full(len(level), 1e-4 * price)
    bars = Bars(full.bars.ts, level, level, level, level, ticks, spread)
    return Specimen(f"still at {price}", full.pair, bars, Traits(baseline))


@cache
def real(name: str, rows: int) -> Specimen:
    """The first ``rows`` bars of a sample file such as "market28/eurusd"."""
    bars = real_bars(name).take(slice(0, rows))
    traits = Traits(float(bars.close[0]), bars.volume is not None, bars.spread is not None)
    return Specimen(f"real {name}", name[-6:], bars, traits)


def short(bars: int) -> Specimen:
    """The first few bars of a pair."""
    return lively("eurusd").between(0, bars)


# -- changes of later, or of single, bars ----------------------------------------------------------------------------


def with_noise_after(specimen: Specimen, cut: int) -> Specimen:
    """From bar ``cut`` on other prices, volumes and spreads, and a third of the bars gone."""
    rng = np.random.default_rng(cut)
    n = len(specimen.bars) - cut
    keep = np.concatenate([np.ones(cut, np.bool_), rng.random(n) < 0.67])
    factors = {name: np.exp(0.01 * rng.standard_normal(n)) for name in ("price", "volume", "spread")}
    return specimen.of(_scaled(specimen.bars, cut, factors).take(keep))


def with_absurd_values_after(specimen: Specimen, cut: int) -> Specimen:
    """From bar ``cut`` on prices of a thousandth and a thousandfold in turn, enormous volumes and spreads."""
    n = len(specimen.bars) - cut
    leaps = np.where(np.arange(n) // 7 % 2 == 0, 1e3, 1e-3)
    return specimen.of(_scaled(specimen.bars, cut, {"price": leaps, "volume": 1e9 * leaps, "spread": 1e6 * leaps}))


def with_tick_off(specimen: Specimen, bar: int) -> Specimen:
    """Bar ``bar`` 1 % too high, with a hundred times its volume and spread."""
    one = np.ones(len(specimen.bars) - bar)
    price, rest = one.copy(), one.copy()
    price[0], rest[0] = 1.01, 100.0
    return specimen.of(_scaled(specimen.bars, bar, {"price": price, "volume": rest, "spread": rest}))


def with_hole(specimen: Specimen, bar: int, length: int) -> Specimen:
    """Without ``length`` bars from ``bar`` on (fewer than 60: the clock fills them)."""
    keep = np.ones(len(specimen.bars), np.bool_)
    keep[bar : bar + length] = False
    return specimen.of(specimen.bars.take(keep))


def with_flat_stretch(specimen: Specimen, bar: int, length: int) -> Specimen:
    """With the price standing still for ``length`` bars."""
    columns = {}
    for name in ("open", "high", "low", "close"):
        columns[name] = getattr(specimen.bars, name).copy()
        columns[name][bar : bar + length] = specimen.bars.close[bar - 1]
    return specimen.of(replace(specimen.bars, **columns))


def _scaled(bars: Bars, cut: int, factors: dict[str, Floats]) -> Bars:
    def scaled(column: Floats | None, factor: str) -> Floats | None:
        return None if column is None else np.concatenate([column[:cut], column[cut:] * factors[factor]])

    prices = {name: scaled(getattr(bars, name), "price") for name in ("open", "high", "low", "close")}
    return replace(bars, **prices, volume=scaled(bars.volume, "volume"), spread=scaled(bars.spread, "spread"))


# -- moments worth trying --------------------------------------------------------------------------------------------


def week_opens(bars: Bars) -> Ints:
    """The numbers of the first bars after weekends."""
    return np.flatnonzero(np.diff(bars.ts) > 1_500) + 1


def month_edges(bars: Bars) -> Ints:
    """The numbers of the first bars of months."""
    months = bars.ts.astype("datetime64[m]").astype("datetime64[M]")
    return np.flatnonzero(months[1:] != months[:-1]) + 1


def moments_of(bars: Bars, least: int) -> Sequence[int]:
    """Bars to cut at, none before bar ``least``: random, a week's open, a month's edge, some hours into a week."""
    rng = np.random.default_rng(least)
    opens = week_opens(bars)[week_opens(bars) >= least]
    edges = month_edges(bars)[month_edges(bars) >= least]
    found = [int(rng.integers(least, len(bars) - 1_000)), *map(int, opens[-2:-1]), *map(int, edges[:1])]
    return [*found, *(int(o) + 397 for o in opens[-1:])]
