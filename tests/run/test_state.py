"""The state that a read looks up equals the part of the whole store's state that it depends on."""

from __future__ import annotations

import datetime as dt

import pytest

from fxloom.bars.days import DaySummary
from fxloom.bars.months import month_bounds, months_of
from fxloom.bars.pairs import PairInfo
from fxloom.bars.synthetic import synthetic_market
from fxloom.engine.partitions import PartitionKey, Record, Settings
from fxloom.engine.plan import make_plan
from fxloom.features.catalogue import select_tables
from fxloom.run import state
from fxloom.stores.memory import MemoryStore

PAIRS = ("eurusd", "gbpusd", "eurgbp")
MONTHS = ("2023-12", "2024-01", "2024-02", "2024-03")


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    """Four months of three pairs, of which one begins late; every partition of two tables has a record."""
    store = MemoryStore()
    store.write_settings(Settings(month_bounds("2023-12")[0], pairs={pair: PairInfo(1.0) for pair in PAIRS}))
    for pair, bars in synthetic_market(dt.date(2023, 12, 1), dt.date(2024, 4, 1), PAIRS).items():
        kept = bars.between(month_bounds("2024-01")[0] + 9_000, 1 << 40) if pair == "gbpusd" else bars
        for month in months_of(kept.ts):
            store.write_bars(pair, month, kept.between(*month_bounds(month)))
    for partition in make_plan(
        state.state_of(store), select_tables(["bollinger_rate", "currency_strength"])
    ).partitions:
        store._parts[partition.key] = (Record(partition.key, partition.fingerprint, 1, 1, ""), None)  # type: ignore[assignment]
    return store


@pytest.mark.parametrize("few", [0, 10**6])
@pytest.mark.parametrize(
    "tables",
    [
        ["bollinger_rate"],
        ["technical_rate", "hmm_regime_rate"],
        ["currency_strength"],
        ["cross_sectional_panel"],
        ["*"],
    ],
)
@pytest.mark.parametrize(("first", "last"), [("2024-02", "2024-02"), ("2024-03", "2024-03"), ("2023-12", "2024-01")])
def test_a_read_plans_with_the_fingerprints_of_the_whole_store(
    store: MemoryStore, first: str, last: str, tables: list[str], few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether days and fingerprints are looked up one by one or read all together."""
    monkeypatch.setattr(state, "FEW_MONTHS", few)
    monkeypatch.setattr(state, "FEW_PARTITIONS", few)
    chosen = select_tables(tables)
    for pairs in (["eurusd"], ["eurgbp", "gbpusd"]):
        whole = make_plan(state.state_of(store), chosen, pairs, (first, last)).partitions
        some = make_plan(state.state_for(store, chosen, pairs, first, last), chosen, pairs, (first, last)).partitions
        assert whole
        assert [(p.key, p.start, p.fingerprint, p.state, p.rows) for p in some] == [
            (p.key, p.start, p.fingerprint, p.state, p.rows) for p in whole
        ]


def test_only_the_months_that_a_lookback_reaches_are_read(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[str, str]] = []
    real = MemoryStore.days_of

    def noted(self: MemoryStore, pair: str, month: str) -> list[DaySummary]:
        read.append((pair, month))
        return real(self, pair, month)

    monkeypatch.setattr(MemoryStore, "days_of", noted)
    found = state.state_for(store, select_tables(["bollinger_rate"]), ["eurusd"], "2024-03", "2024-03")
    assert read == [("eurusd", "2024-03"), ("eurusd", "2024-02")]
    key = PartitionKey("bollinger_rate", "eurusd", "2024-03")
    assert found.fingerprints[key] == state.state_of(store).fingerprints[key]
