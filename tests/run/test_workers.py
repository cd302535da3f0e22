"""A published partition records its inputs, and is validated as it is stored."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fxloom.audit.run import audit_store
from fxloom.bars.bars import Bars
from fxloom.bars.months import month_bounds
from fxloom.bars.synthetic import synthetic_market
from fxloom.engine.partitions import PartitionKey
from fxloom.engine.plan import Plan
from fxloom.engine.quality import stats_by_feature
from fxloom.run.ingest import ingest
from fxloom.run.populate import plan_for, populate
from fxloom.run.workers import work_on
from fxloom.stores.folder import FolderStore
from tests.lakes import make_lake, partition, write_bars, write_market

TABLES = ["bqx_momentum", "time_features", "correlation_rate"]


@pytest.fixture
def lake(tmp_path: Path) -> FolderStore:
    return make_lake(tmp_path, ("eurusd", "gbpusd"), dt.date(2024, 1, 25), dt.date(2024, 2, 6))


def other_bars(lake: FolderStore) -> Bars:
    """February of gbpusd with one close moved."""
    bars = lake.read_bars("gbpusd", 28_445_760, 1 << 40)
    close = bars.close.copy()
    close[100] = bars.high[100] if bars.close[100] != bars.high[100] else bars.low[100]
    return replace(bars, close=close)


def results_of(lake: FolderStore, plan: Plan) -> dict[PartitionKey, str]:
    return {r.key: r.why for task in plan.tasks for r in work_on(lake, task)}


def test_bars_changed_after_planning_are_not_published(lake: FolderStore) -> None:
    plan = plan_for(lake, tables=TABLES)
    lake.write_bars("gbpusd", "2024-02", other_bars(lake), "bid")
    found = results_of(lake, plan)
    changed = {key for key, why in found.items() if "changed since the plan was made: run populate again" in why}
    # everything that depends on February of gbpusd, which the correlations of eurusd do too
    assert {(k.pair, k.month) for k in changed} == {("gbpusd", "2024-02"), ("eurusd", "2024-02")}
    assert {k.table for k in changed if k.pair == "eurusd"} == {"correlation_rate"}
    assert not {r.key for r in lake.records()} & changed
    assert not populate(lake, tables=TABLES, workers=1).troubles
    assert plan_for(lake, tables=TABLES).states["fresh"] == len(found)


def test_settings_changed_after_planning_are_not_published(lake: FolderStore) -> None:
    plan = plan_for(lake, tables=["bqx_momentum"])
    settings = lake.settings()
    assert settings is not None
    lake.write_settings(settings.with_pair("eurusd", replace(settings.pairs["eurusd"], baseline=1.0)))
    assert {k.pair for k, why in results_of(lake, plan).items() if "changed since" in why} == {"eurusd"}


def test_values_beyond_float32_are_refused(lake: FolderStore) -> None:
    """A volume of 1e38 is finite, and so is its sum over 75 minutes in float64; in float32 that is infinite."""
    for month in lake.bar_months("eurusd"):
        bars = lake.read_bars("eurusd", *month_bounds(month))
        assert bars.volume is not None
        volume = bars.volume.copy()
        volume[-500:] = 1e38 * np.arange(1, 501)
        lake.write_bars("eurusd", month, replace(bars, volume=volume), "bid")
    summary = populate(lake, ["eurusd"], tables=["volume_features"], workers=1)
    assert [r.result for r in summary.results] == ["refused", "refused"]
    assert all("is too large for float32" in r.why for r in summary.results)
    assert lake.records(["volume_features"]) == []


def test_months_without_the_pairs_volume_are_published_without_values(tmp_path: Path) -> None:
    """Neither refused nor computed from a proxy: counted under their own reason, and found by the audit."""
    files = write_market(tmp_path / "files", ("eurusd",), dt.date(2024, 1, 20), dt.date(2024, 3, 10))
    whole = synthetic_market(dt.date(2024, 1, 20), dt.date(2024, 3, 10), ("eurusd",))["eurusd"]
    february = month_bounds("2024-02")[0]
    write_bars(files / "eurusd.parquet", whole.between(0, february))
    write_bars(files / "eurusd later.parquet", replace(whole.between(february, 1 << 40), volume=None))
    store = FolderStore(tmp_path / "lake")
    assert not [r.refused for r in ingest(store, [files]) if r.refused]
    summary = populate(store, tables=["volume_features", "technical_rate"], workers=1)
    assert [(r.result, r.why) for r in summary.results] == [("done", "")] * 6
    records = {r.key.month: r for r in store.records(["volume_features"])}
    assert {r.proxies for r in records.values()} == {()}
    means = {month: stats_by_feature(r.quality)["volume_mean_60"] for month, r in records.items()}
    assert (means["2024-01"].no_input, means["2024-03"].finite) == (0, 0)
    assert means["2024-03"].no_input == means["2024-03"].due == records["2024-03"].rows
    assert means["2024-02"].finite == 0
    rows = partition(store, PartitionKey("technical_rate", "eurusd", "2024-03"))
    assert rows["tech_mfi_14_rate"].null_count() == rows.height  # it needs volume
    assert rows["tech_rsi_14_rate"].null_count() == 0
    reported = [str(f) for f in audit_store(store).findings]
    assert any("bars lack the volume or quotes that their pair has" in text for text in reported)
