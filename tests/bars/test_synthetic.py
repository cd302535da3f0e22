"""The synthetic market has the stylised facts it documents, and its bars are valid."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from fxloom.bars.bars import Bars
from fxloom.bars.pairs import CURRENCIES, PAIRS
from fxloom.bars.synthetic import synthetic_market

MONTH = (date(2018, 2, 1), date(2018, 3, 1))


@pytest.fixture(scope="module")
def market() -> dict[str, Bars]:
    return synthetic_market(*MONTH)


def changes(bars: Bars) -> np.ndarray:
    """One-minute log changes, in basis points."""
    r = 1e4 * np.diff(np.log(bars.close))
    return r[np.diff(bars.ts) == 1]


def autocorrelation(y: np.ndarray, lag: int) -> float:
    return float(np.corrcoef(y[:-lag], y[lag:])[0, 1])


def moment(minute: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=int(minute))


@pytest.mark.parametrize("pair", PAIRS)
def test_bars_obey_the_rules(market: dict[str, Bars], pair: str) -> None:
    b = market[pair]
    columns = (b.open, b.high, b.low, b.close, b.volume, b.spread)
    assert b.ts.dtype == np.int64
    assert np.all(np.diff(b.ts) > 0)
    assert all(c is not None and c.dtype == np.float64 and c.flags.c_contiguous for c in columns)
    assert all(c is not None and len(c) == len(b) and np.isfinite(c).all() for c in columns)
    assert np.all(b.high >= np.maximum(b.open, b.close))
    assert np.all(b.low <= np.minimum(b.open, b.close))
    assert b.volume is not None
    assert b.spread is not None
    assert b.low.min() > 0
    assert b.volume.min() >= 1
    assert b.spread.min() > 0


@pytest.mark.parametrize("pair", PAIRS)
def test_prices_are_rounded_like_quotes(market: dict[str, Bars], pair: str) -> None:
    digits = 3 if pair.endswith("jpy") else 5
    b = market[pair]
    assert b.spread is not None
    for prices in (b.open, b.high, b.low, b.close, b.spread):
        assert np.array_equal(prices, np.round(prices, digits))
    assert 20_000 < len(market[pair]) < 20 * 1440 + 1


@pytest.mark.parametrize("pair", PAIRS)
def test_changes_have_fat_tails_and_clustered_volatility(market: dict[str, Bars], pair: str) -> None:
    r = changes(market[pair])
    kurtosis = np.mean((r - r.mean()) ** 4) / r.var() ** 2 - 3.0
    assert 2.0 < kurtosis < 200.0
    assert 0.4 < r.std() < 4.0
    assert abs(autocorrelation(r, 1)) < 0.1
    near, far = autocorrelation(np.abs(r), 1), autocorrelation(np.abs(r), 120)
    assert near > 0.1
    assert near > far


def test_volatility_clusters_beyond_the_sessions(market: dict[str, Bars]) -> None:
    """Even within one hour of the day, where sessions explain little, large changes follow large changes."""
    b = market["eurusd"]
    r = 1e4 * np.diff(np.log(b.close))
    steady = np.diff(b.ts) == 1
    found = []
    for hour in range(24):
        rows = np.flatnonzero(steady[1:] & steady[:-1] & (b.ts[2:] // 60 % 24 == hour))
        found.append(np.corrcoef(np.abs(r[rows]), np.abs(r[rows + 1]))[0, 1])
    assert np.mean(found) > 0.08


def test_volume_follows_volatility(market: dict[str, Bars]) -> None:
    for pair in ("eurusd", "nzdchf", "gbpjpy"):
        b = market[pair]
        assert b.volume is not None
        assert np.corrcoef(b.volume, (b.high - b.low) / b.close)[0, 1] > 0.3


def test_triangles_close_within_small_noise(market: dict[str, Bars]) -> None:
    logs = {}
    ts = market["eurusd"].ts
    for b in market.values():
        ts = np.intersect1d(ts, b.ts)
    for pair, b in market.items():
        close = np.log(b.close[np.isin(b.ts, ts)])
        logs[pair[:3], pair[3:]], logs[pair[3:], pair[:3]] = close, -close
    assert len(ts) > 5_000
    for x, y, z in permutations(CURRENCIES[::2], 3):
        residual = 1e4 * (logs[x, y] + logs[y, z] + logs[z, x])
        assert 0.02 < residual.std() < 0.6
        assert abs(residual.mean()) < 0.05


def test_volatility_is_higher_in_sessions_than_at_night(market: dict[str, Bars]) -> None:
    b = market["eurusd"]
    hour = b.ts // 60 % 24
    reach = (b.high - b.low) / b.close
    busy, quiet = (hour >= 13) & (hour < 16), (hour >= 22) | (hour < 5)
    assert reach[busy].mean() > 1.5 * reach[quiet].mean()
    assert b.volume is not None
    assert b.spread is not None
    assert b.volume[busy].mean() > 1.5 * b.volume[quiet].mean()
    assert b.spread[busy].mean() < b.spread[quiet].mean()


def test_spread_is_wide_after_the_week_opens(market: dict[str, Bars]) -> None:
    b = market["gbpusd"]
    assert b.spread is not None
    opens = np.flatnonzero(np.diff(b.ts) > 2_000) + 1
    first_minutes = np.concatenate([b.spread[o : o + 15] for o in opens])
    assert np.median(first_minutes) > 2.0 * np.median(b.spread)


def test_quiet_minutes_and_short_gaps_are_missing(market: dict[str, Bars]) -> None:
    steps = np.concatenate([np.diff(b.ts) for b in market.values()])
    assert np.mean(steps == 2) > 0.002
    assert np.any((steps > 5) & (steps <= 60))
    thin, thick = market["nzdchf"], market["eurusd"]
    assert len(thin) < 0.995 * len(thick)


def test_weeks_run_from_sunday_to_friday_17_new_york_across_daylight_saving() -> None:
    b = synthetic_market(date(2018, 3, 1), date(2018, 4, 10), ["eurusd"])["eurusd"]
    local = [moment(t).astimezone(ZoneInfo("America/New_York")) for t in b.ts]
    for t in local:
        opened = t.weekday() < 4 or (t.weekday() == 4 and t.hour < 17) or (t.weekday() == 6 and t.hour >= 17)
        assert opened, t
    firsts = {moment(b.ts[i + 1]).hour for i in np.flatnonzero(np.diff(b.ts) > 2_000)}
    assert firsts == {21, 22}


def test_christmas_and_new_year_are_closed() -> None:
    b = synthetic_market(date(2018, 12, 10), date(2019, 1, 12), ["usdjpy"])["usdjpy"]
    for t in b.ts:
        trading_day = (moment(t).astimezone(ZoneInfo("America/New_York")) + timedelta(hours=7)).date()
        assert (trading_day.month, trading_day.day) not in ((12, 25), (1, 1))
    gaps = np.diff(b.ts)
    assert np.sum((gaps >= 1440) & (gaps < 2_000)) == 2


def test_bars_depend_on_the_seed_and_not_on_the_request(market: dict[str, Bars]) -> None:
    alone = synthetic_market(*MONTH, pairs=["gbpnzd"])["gbpnzd"]
    longer = synthetic_market(MONTH[0], date(2018, 3, 20), pairs=["gbpnzd", "eurusd"])["gbpnzd"]
    other = synthetic_market(*MONTH, pairs=["gbpnzd"], seed=29)["gbpnzd"]
    together = market["gbpnzd"]
    for name in ("ts", "open", "high", "low", "close", "volume", "spread"):
        expected = getattr(together, name)
        assert np.array_equal(getattr(alone, name), expected)
        assert np.array_equal(getattr(longer, name)[: len(expected)], expected)
    assert not np.array_equal(other.close, together.close)


def test_bars_stay_within_the_requested_dates() -> None:
    b = synthetic_market(date(2018, 2, 7), date(2018, 2, 9), ["eurusd"])["eurusd"]
    assert moment(b.ts[0]).date() == date(2018, 2, 7)
    assert moment(b.ts[-1]).date() == date(2018, 2, 8)
    weekend = synthetic_market(date(2018, 2, 10), date(2018, 2, 11), ["eurusd"])["eurusd"]
    assert len(weekend) == 0
    assert len(synthetic_market(date(2018, 2, 7), date(2018, 2, 7), ["eurusd"])["eurusd"]) == 0


def test_an_unknown_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="usdeur"):
        synthetic_market(*MONTH, pairs=["usdeur"])
