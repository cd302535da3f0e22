"""Prices that contradict two other pairs are found, with the factor and the pairs they contradict."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from fxloom.bars.bars import Bars
from fxloom.bars.synthetic import synthetic_market
from fxloom.engine.triangles import MIN_COMMON, triangles
from tests.conftest import real_bars
from tests.markets import flat_bars

PAIRS = ("eurusd", "gbpusd", "eurgbp", "usdjpy")


@pytest.fixture(scope="module")
def market() -> dict[str, Bars]:
    return synthetic_market(dt.date(2024, 1, 8), dt.date(2024, 1, 12), PAIRS)


def others(market: dict[str, Bars], pair: str) -> Bars:
    return market.get(pair, flat_bars(np.zeros(0, np.int64)))


def scaled(bars: Bars, factor: float, part: slice = slice(None)) -> Bars:
    prices = {n: getattr(bars, n).copy() for n in ("open", "high", "low", "close")}
    for column in prices.values():
        column[part] *= factor
    return replace(bars, **prices)


def test_consistent_prices_are_accepted(market: dict[str, Bars]) -> None:
    (found,) = triangles("eurusd", market["eurusd"], lambda pair: others(market, pair))
    assert found.others == ("eurgbp", "gbpusd")
    assert found.compared > 400
    assert found.off == 0.0
    assert found.factor == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("factor", [10.0, 1.2, 0.01])
def test_the_factor_is_reported(market: dict[str, Bars], factor: float) -> None:
    (found,) = triangles("eurusd", scaled(market["eurusd"], factor), lambda pair: others(market, pair))
    assert found.off == 1.0
    assert found.factor == pytest.approx(factor, rel=1e-3)


def test_a_partial_contradiction_is_reported_as_a_share(market: dict[str, Bars]) -> None:
    bars = market["eurusd"]
    (found,) = triangles("eurusd", scaled(bars, 1.2, slice(0, len(bars) // 4)), lambda pair: others(market, pair))
    assert found.off == pytest.approx(0.25, abs=0.01)


def test_nothing_is_concluded_from_a_few_minutes_or_without_legs(market: dict[str, Bars]) -> None:
    assert list(triangles("eurusd", market["eurusd"].take(slice(0, MIN_COMMON - 1)), lambda p: others(market, p))) == []
    assert list(triangles("usdjpy", market["usdjpy"], lambda pair: others(market, pair))) == []


@pytest.mark.data
def test_real_pairs_of_different_brokers_are_consistent() -> None:
    found = list(triangles("eurusd", real_bars("market28/eurusd"), lambda p: real_bars(f"market28/{p}")))
    assert len(found) == 6
    assert max(t.off for t in found) == 0.0
