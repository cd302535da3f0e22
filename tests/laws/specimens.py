"""Bars to check the laws on: a lively market, still prices, zero volume, gaps, and real bars.

A specimen holds one pair for the tables of one pair, and fourteen for those of many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, cached_property
from typing import Any

import numpy as np

from fxloom.bars.bars import Bars, Flags, Floats, Ints
from fxloom.bars.clock import on_clock
from fxloom.bars.pairs import PairInfo
from fxloom.bars.synthetic import synthetic_market
from fxloom.features.feature import Scope
from fxloom.features.pair_view import PairFrame
from fxloom.features.panel_view import PanelFrame, panel_minutes
from tests.conftest import real_bars
from tests.markets import PRICES, flat_bars, troubled_month

SPAN = (date(2018, 1, 21), date(2018, 4, 3))  # ten weeks with three month edges and both changes to summer time
PANEL_SPAN = (date(2018, 2, 11), date(2018, 3, 3))
PANEL = (
    "audcad", "audnzd", "audusd", "chfjpy", "eurchf", "eurgbp", "eurjpy", "eurusd", "gbpjpy", "gbpusd",
    "nzdusd", "usdcad", "usdchf", "usdjpy",
)  # fmt: skip
LATE, WITH_GAP = "audnzd", "eurjpy"  # one pair of the panel begins a week late, one has a gap of two days


@dataclass(frozen=True, eq=False)
class Specimen:
    """Observed bars and settings by pair. Times are minutes since 1970."""

    name: str
    bars: Mapping[str, Bars]
    infos: Mapping[str, PairInfo]

    @cached_property
    def ts(self) -> Ints:
        """The minutes of the pair's or the panel's clock."""
        return panel_minutes([b.ts for b in self.bars.values()])

    @cached_property
    def observed(self) -> Ints:
        """The minutes at which any pair was observed."""
        return np.unique(np.concatenate([b.ts for b in self.bars.values()]))

    def frame(self, scope: Scope) -> PairFrame | PanelFrame:
        """A new frame that shares no work with any other."""
        if scope == "panel":
            return PanelFrame(self.bars, self.infos)
        ((pair, bars),) = self.bars.items()
        return PairFrame(pair, on_clock(bars), self.infos[pair])

    def of(self, change: Callable[[str, Bars], Bars]) -> Specimen:
        """The same specimen with each pair's bars changed."""
        return Specimen(self.name, {p: change(p, b) for p, b in self.bars.items()}, self.infos)

    def between(self, first: int, end: int) -> Specimen:
        return self.of(lambda _, b: b.between(first, end))

    def before(self, end: int) -> Specimen:
        return self.between(0, end)


# -- synthetic markets -----------------------------------------------------------------------------------------------


def _market(scope: Scope, pair: str) -> Specimen:
    pairs, span = (PANEL, PANEL_SPAN) if scope == "panel" else ([pair], SPAN)
    bars = synthetic_market(*span, pairs=pairs)
    infos = {p: PairInfo(float(b.close[0])) for p, b in bars.items()}
    if scope == "panel":
        begin = int(bars[LATE].ts[0])
        bars[LATE] = bars[LATE].between(begin + 7 * 1440, begin + 10**6)
        b = bars[WITH_GAP]
        bars[WITH_GAP] = b.take((b.ts < begin + 9 * 1440) | (b.ts >= begin + 11 * 1440))
    return Specimen("lively", bars, infos)


@cache
def lively(scope: Scope) -> Specimen:
    """Several weeks of the synthetic market, with quotes and ticks."""
    return _market(scope, "eurusd")


@cache
def without_volume_and_quotes(scope: Scope) -> Specimen:
    """A source with prices only: proxies replace volume and spread."""
    full = _market(scope, "gbpjpy")
    part = full.before(int(full.observed[min(22_000, len(full.observed) - 1)]))
    bare = part.of(lambda _, b: replace(b, volume=None, spread=None))
    infos = {p: PairInfo(t.baseline, has_volume=False, has_quotes=False) for p, t in full.infos.items()}
    return Specimen("prices only", bare.bars, infos)


@cache
def troubled(scope: Scope) -> Specimen:
    """A month in which the price is still for hours and days, volume is zero for a while, and bars are missing."""
    full = _market(scope, "audnzd")
    part = full.before(int(full.observed[min(30_000, len(full.observed) - 1)]))
    return Specimen("troubled", part.of(lambda _, b: troubled_month(b)).bars, full.infos)


@cache
def still(scope: Scope, price: float, baseline: float, volume: float) -> Specimen:
    """Prices that never move."""

    def stopped(_: str, bars: Bars) -> Bars:
        n = len(bars)
        return replace(flat_bars(bars.ts, price), volume=np.full(n, volume), spread=np.full(n, 1e-4 * price))

    full = lively(scope)
    return Specimen(f"still at {price}", full.of(stopped).bars, {p: PairInfo(baseline) for p in full.bars})


def short(scope: Scope, minutes: int) -> Specimen:
    """The first minutes of a pair, or of the panel."""
    full = lively(scope)
    return full.before(int(full.observed[minutes]))


@cache
def real(scope: Scope, folder: str, pair: str, rows: int) -> Specimen:
    """The first ``rows`` bars of a sample file such as "market28/eurusd", or of the panel's files in its folder."""
    pairs = PANEL if scope == "panel" else (pair,)
    bars = {p: real_bars(f"{folder}/{p}").take(slice(0, rows)) for p in pairs}
    infos = {p: PairInfo(float(b.close[0]), b.volume is not None, b.spread is not None) for p, b in bars.items()}
    return Specimen(f"real {folder}", bars, infos)


# -- changes of later or single bars ---------------------------------------------------------------------------------


def with_noise_after(specimen: Specimen, cut: int) -> Specimen:
    """From minute ``cut`` on other prices, volumes and spreads, and a third of the bars removed."""

    def noisy(pair: str, bars: Bars) -> Bars:
        rng = np.random.default_rng([cut, *pair.encode()])
        price, volume, spread = np.exp(0.01 * rng.standard_normal((3, len(bars))))
        kept = (bars.ts < cut) | (rng.random(len(bars)) < 0.67)
        return _scaled(bars, bars.ts >= cut, price, volume, spread).take(kept)

    return specimen.of(noisy)


def with_absurd_values_after(specimen: Specimen, cut: int) -> Specimen:
    """From minute ``cut`` on prices alternately a thousandth and a thousandfold, and enormous volumes and spreads."""

    def absurd(_: str, bars: Bars) -> Bars:
        leaps = np.where(bars.ts // 7 % 2 == 0, 1e3, 1e-3)
        return _scaled(bars, bars.ts >= cut, leaps, 1e9 * leaps, 1e6 * leaps)

    return specimen.of(absurd)


def with_tick_off(specimen: Specimen, pair: str, minute: int) -> Specimen:
    """One bar 1 % too high, with a hundred times its volume and spread."""

    def off(name: str, bars: Bars) -> Bars:
        one = np.ones(len(bars))
        return bars if name != pair else _scaled(bars, bars.ts == minute, 1.01 * one, 100.0 * one, 100.0 * one)

    return specimen.of(off)


def with_gap(specimen: Specimen, pair: str, minute: int, length: int) -> Specimen:
    """Without the pair's bars of ``length`` minutes (fewer than 60: the clock fills them)."""

    def without_minutes(name: str, bars: Bars) -> Bars:
        return bars if name != pair else bars.take((bars.ts < minute) | (bars.ts >= minute + length))

    return specimen.of(without_minutes)


def with_flat_stretch(specimen: Specimen, pair: str, minute: int, length: int) -> Specimen:
    """With the pair's price still for ``length`` minutes."""

    def flat(name: str, bars: Bars) -> Bars:
        rows = (bars.ts >= minute) & (bars.ts < minute + length)
        last = bars.close[int(np.flatnonzero(rows)[0]) - 1] if name == pair else 0.0
        return bars if name != pair else replace(bars, **{c: np.where(rows, last, getattr(bars, c)) for c in PRICES})

    return specimen.of(flat)


def _scaled(bars: Bars, where: Flags, price: Floats, volume: Floats, spread: Floats) -> Bars:
    def scaled(column: Floats | None, factor: Floats) -> Floats | None:
        return None if column is None else np.where(where, column * factor, column)

    prices: dict[str, Any] = {name: scaled(getattr(bars, name), price) for name in PRICES}
    return replace(bars, **prices, volume=scaled(bars.volume, volume), spread=scaled(bars.spread, spread))


# -- where to cut ----------------------------------------------------------------------------------------------------


def month_edges(ts: Ints) -> Ints:
    """The positions in ``ts`` of the first minutes of months."""
    months = ts.astype("datetime64[m]").astype("datetime64[M]")
    return np.flatnonzero(months[1:] != months[:-1]) + 1


def cut_positions(specimen: Specimen, least: int) -> Sequence[int]:
    """Observed clock positions to cut at, from ``least`` on: random, a full hour, a month's edge, a week's open,
    and some hours into a week."""
    ts = specimen.ts
    rng = np.random.default_rng(least)
    anywhere = int(rng.integers(least, len(ts) - 1_000))
    hour = anywhere + int(np.flatnonzero(ts[anywhere:] % 60 == 0)[0])
    edges = month_edges(ts)[month_edges(ts) >= least]
    opens = np.flatnonzero(np.diff(ts) > 1_500) + 1
    opens = opens[opens >= least]
    week = opens[len(opens) // 2 :][:1]
    found = [anywhere, hour, *map(int, edges[:1]), *map(int, week), *(int(o) + 397 for o in opens[-1:])]
    return [int(np.searchsorted(ts, specimen.observed[np.searchsorted(specimen.observed, ts[p])])) for p in found]
