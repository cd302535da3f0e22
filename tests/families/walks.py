"""Synthetic bars for family tests, and the series of each domain by definition, one bar at a time."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from fxloom.bars.clock import on_clock
from fxloom.bars.pairs import PairInfo
from fxloom.features.domain import BOTH, RATE, Domain
from fxloom.features.feature import Family
from fxloom.features.pair_view import PairFrame
from tests.conftest import real_bars
from tests.markets import quoted_walk, walk

STILL = slice(900, 1_300)  # the walk's price is still here


@cache
def frame(name: str = "walk") -> PairFrame:
    """The walk, or a sample file, on the clock."""
    bars = walk() if name == "walk" else real_bars(name).take(slice(3_000))
    return PairFrame("eurusd", on_clock(bars), PairInfo(baseline=float(bars.close[0])))


@cache
def quoted_frame(n: int = 3_200, volume_and_quotes: bool = True) -> PairFrame:
    """A walk with volume and quotes, or with neither, on the clock."""
    bars = quoted_walk(n)
    if not volume_and_quotes:
        bars = replace(bars, volume=None, spread=None)
    return PairFrame("eurusd", on_clock(bars), PairInfo(float(bars.close[0]), volume_and_quotes, volume_and_quotes))


def computed(family: Family, domain: Domain, name: str = "walk") -> dict[str, np.ndarray]:
    """The family's columns on a frame."""
    return family.compute(frame(name).view(domain))


def index_of(name: str = "walk") -> np.ndarray:
    """C, the rate index on the clock."""
    bars = frame(name).bars
    return 100.0 * bars.close / bars.close[0]


@cache
def momentum_of(window: int, name: str = "walk") -> np.ndarray:
    """m_W by its definition."""
    c = index_of(name)
    m = np.full(len(c), np.nan)
    for t in range(window, len(c)):
        value = float(np.sum(c[t - window : t] - c[t]) / c[t])
        m[t] = value if abs(value) >= 1e-12 else 0.0
    return m


def series_of(domain: Domain, window: int, name: str = "walk") -> np.ndarray:
    """``series(W)`` by its definition."""
    return index_of(name) if domain is RATE else momentum_of(window, name)


def sample(first: int, n: int, moving: bool = False) -> list[int]:
    """Some rows from ``first`` on, including the last, and those of the still stretch unless ``moving``."""
    every = [*range(first, first + 5), *range(first + 5, n, 37), n - 1]
    clock = frame().bars.observed
    begin, end = int(clock[STILL.start]), int(clock[STILL.stop])
    return [t for t in every if not (moving and begin < t < end + 500)]


def check_declarations(family: Family, domain: Domain) -> None:
    """Every column begins at its warm-up, stays in its range and, unless it may be undefined, is always present."""
    out = computed(family, domain)
    for column in family.columns(domain):
        values = out[column.name]
        assert np.isnan(values[: column.warmup]).all(), column.name
        assert np.isfinite(values[column.warmup]), column.name
        assert np.nanmin(values) >= column.low - 1e-12 * abs(column.low), column.name
        assert np.nanmax(values) <= column.high + 1e-12 * abs(column.high), column.name
        assert not (np.signbit(values) & (values == 0.0)).any(), column.name
        if column.undefined is None:
            assert np.isfinite(values[column.warmup :]).all(), column.name


def check_still_price_has_no_value(family: Family, known: str) -> None:
    """No feature has a value in a still window; ``known`` has one near the end of the moving bars."""
    clock = frame().bars.observed
    for domain in BOTH:
        out = computed(family, domain)
        assert all(np.isnan(values[int(clock[STILL.stop - 5])]) for values in out.values())
        assert np.isfinite(out[known][int(clock[STILL.start + 20])])


def check_rows_before_the_first_are_not_computed(family: Family, domain: Domain) -> None:
    """A view that starts later and computes from its row 300 on has the same values there."""
    whole, late = family.compute(frame().view(domain)), family.compute(frame().view(domain, 1_500, 1_800))
    for column in family.columns(domain):
        np.testing.assert_array_equal(whole[column.name][1_800:], late[column.name][300:])
