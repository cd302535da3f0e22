"""The plan: fresh, stale and missing, by fingerprints of exactly the bars, settings and formulas in use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fxloom.bars.bars import Bars
from fxloom.bars.clock import clock_positions
from fxloom.bars.days import History, summarise_days
from fxloom.bars.months import month_bounds, months_of
from fxloom.bars.pairs import PairInfo
from fxloom.bars.synthetic import synthetic_market
from fxloom.engine.partitions import PartitionKey
from fxloom.engine.plan import Plan, StoreState, make_plan
from fxloom.features.catalogue import select_tables
from tests.markets import with_bar_scaled

PAIRS = ("eurusd", "gbpusd", "eurgbp")
TABLES = ["bqx_momentum", "technical_rate", "time_features"]


@pytest.fixture(scope="module")
def market() -> dict[str, Bars]:
    return synthetic_market(dt.date(2023, 12, 1), dt.date(2024, 4, 1), PAIRS)


def store_state(
    market: dict[str, Bars], fingerprints: dict[PartitionKey, str] | None = None, **infos: PairInfo
) -> StoreState:
    days = {
        pair: {m: summarise_days(bars.between(*month_bounds(m))) for m in months_of(bars.ts)}
        for pair, bars in market.items()
    }
    known = {pair: infos.get(pair, PairInfo(1.0)) for pair in market}
    return StoreState(days, known, "float32", fingerprints or {})


def plan(store_state: StoreState, tables: list[str] = TABLES, **options: object) -> Plan:
    return make_plan(store_state, select_tables(tables), **options)  # type: ignore[arg-type]


def after(market: dict[str, Bars], **infos: PairInfo) -> Callable[[dict[str, Bars]], set[PartitionKey]]:
    """What is stale in a changed market after ``market`` has been fully populated."""
    made = {i.key: i.fingerprint for i in plan(store_state(market, None, **infos)).partitions}

    def stale(changed: dict[str, Bars]) -> set[PartitionKey]:
        items = plan(store_state(changed, made, **infos)).partitions
        return {i.key for i in items if i.state != "fresh"}

    return stale


def test_history_counts_clock_bars_like_the_clock(market: dict[str, Bars]) -> None:
    bars = market["eurusd"]
    history = History(summarise_days(bars))
    firsts = [int(np.searchsorted(bars.ts, day.first)) for day in history.days]
    assert history.positions == clock_positions(bars.ts)[firsts].tolist()


def test_start_is_the_latest_day_with_full_lookback(market: dict[str, Bars]) -> None:
    history = History(summarise_days(market["eurusd"]))
    at = history.index_of(month_bounds("2024-02")[0])
    for lookback in (0, 1, 180, 1_440, 5_000, 24_000):
        k = history.start_for(at, lookback)
        assert history.positions[at] - history.positions[k] >= lookback
        assert k == at or history.positions[at] - history.positions[k + 1] < lookback
    assert history.start_for(at, 10**9) == 0


def test_everything_is_missing_first_and_fresh_once_computed(market: dict[str, Bars]) -> None:
    first = plan(store_state(market))
    assert first.states == {"fresh": 0, "stale": 0, "missing": 3 * 3 * 4}
    assert len(first.tasks) == 3 * 4
    assert after(market)(market) == set()


def test_force_includes_fresh_partitions(market: dict[str, Bars]) -> None:
    made = {i.key: i.fingerprint for i in plan(store_state(market)).partitions}
    assert plan(store_state(market, made)).tasks == ()
    assert len(plan(store_state(market, made), force=True).tasks) == 12


def test_a_changed_bar_invalidates_its_month_and_later_lookbacks(market: dict[str, Bars]) -> None:
    bars = market["eurusd"]
    stale = after(market)
    middle = int(np.searchsorted(bars.ts, month_bounds("2024-01")[0] + 15 * 1440))
    changed = stale(market | {"eurusd": with_bar_scaled(bars, middle, close=1.0001)})
    assert changed == {PartitionKey(t, "eurusd", "2024-01") for t in TABLES}
    last = int(np.searchsorted(bars.ts, month_bounds("2024-01")[1])) - 1
    changed = stale(market | {"eurusd": with_bar_scaled(bars, last, close=1.0001)})
    assert changed == {PartitionKey(t, "eurusd", "2024-01") for t in TABLES} | {
        PartitionKey(t, "eurusd", "2024-02") for t in ("bqx_momentum", "technical_rate")
    }


def test_volume_and_spread_matter_only_to_tables_that_use_them(market: dict[str, Bars]) -> None:
    bars = market["eurusd"]
    stale = after(market)
    middle = int(np.searchsorted(bars.ts, month_bounds("2024-01")[0] + 15 * 1440))
    assert stale(market | {"eurusd": with_bar_scaled(bars, middle, spread=2.0)}) == set()
    with_volume = stale(market | {"eurusd": with_bar_scaled(bars, middle, volume=2.0)})
    assert with_volume == {PartitionKey("technical_rate", "eurusd", "2024-01")}  # because of its money flow index


def test_a_later_month_keeps_earlier_ones_fresh(market: dict[str, Bars]) -> None:
    cut = month_bounds("2024-03")[0]
    earlier = {pair: bars.between(0, cut) for pair, bars in market.items()}
    assert {key.month for key in after(earlier)(market)} == {"2024-03"}


def test_a_backfill_invalidates_only_what_looks_back_to_it(market: dict[str, Bars]) -> None:
    cut = month_bounds("2024-01")[0]
    later = {pair: bars.between(cut, 10**9) for pair, bars in market.items()}
    changed = after(later)(market)
    assert {key.month for key in changed if key.table == "bqx_momentum"} == {"2023-12", "2024-01"}


def test_the_fingerprint_includes_the_baseline(market: dict[str, Bars]) -> None:
    made = {i.key: i.fingerprint for i in plan(store_state(market)).partitions}
    items = plan(store_state(market, made, eurusd=PairInfo(1.25))).partitions
    assert {i.key.pair for i in items if i.state == "stale"} == {"eurusd"}


def test_months_and_pairs_narrow_the_plan(market: dict[str, Bars]) -> None:
    some = plan(store_state(market), pairs=["eurgbp"], months=("2024-01", "2024-02"))
    assert {(t.pair, t.month) for t in some.tasks} == {("eurgbp", "2024-01"), ("eurgbp", "2024-02")}


@pytest.mark.parametrize("table", ["bqx_momentum", "currency_strength"])
def test_a_planned_partition_knows_the_previous_months_fingerprint(market: dict[str, Bars], table: str) -> None:
    prints = {(i.key.pair, i.key.month): i.fingerprint for i in plan(store_state(market), [table]).partitions}
    for item in plan(store_state(market), [table], months=("2024-01", "2024-02")).partitions:
        before = {"2024-01": "2023-12", "2024-02": "2024-01"}[item.key.month]
        assert item.before == (replace(item.key, month=before), prints[item.key.pair, before])
    (first,) = plan(store_state(market), [table], pairs=["eurusd"], months=("2023-12", "2023-12")).partitions
    assert first.before is None


def test_panel_tables_depend_on_every_stored_pair(market: dict[str, Bars]) -> None:
    tables = ["currency_strength", "cross_sectional_panel"]
    made = {i.key: i.fingerprint for i in plan(store_state(market), tables).partitions}
    assert {key.pair for key in made if key.table == "cross_sectional_panel"} == {""}
    bars = market["eurusd"]
    middle = int(np.searchsorted(bars.ts, month_bounds("2024-01")[0] + 10 * 1440))
    changed = plan(store_state(market | {"eurusd": with_bar_scaled(bars, middle, close=1.0001)}, made), tables)
    stale = {(i.key.pair, i.key.month) for i in changed.partitions if i.state == "stale"}
    assert stale == {(pair, "2024-01") for pair in ("", *PAIRS)}
    assert [(t.pair, t.month, t.pairs) for t in changed.tasks] == [("", "2024-01", tuple(sorted(PAIRS)))]
