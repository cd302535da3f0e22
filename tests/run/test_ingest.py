"""Ingest: settings are fixed once, files merge, stored bars win, and invalid rows are quarantined."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fxloom.bars.bars import Bars
from fxloom.bars.months import month_bounds
from fxloom.bars.synthetic import synthetic_market
from fxloom.engine.partitions import Settings
from fxloom.run.ingest import ingest
from fxloom.run.merging import merged
from fxloom.run.populate import plan_for, populate
from fxloom.run.settling import IngestOptions, rebase
from fxloom.sources import ReadOptions
from fxloom.stores.base import StoreError
from fxloom.stores.folder import FolderStore
from tests.lakes import make_lake, write_bars, write_market
from tests.markets import flat_bars

JANUARY, FEBRUARY, MARCH = (month_bounds(f"2024-0{m}")[0] for m in (1, 2, 3))


@pytest.fixture(scope="module")
def bars() -> Bars:
    return synthetic_market(dt.date(2024, 1, 1), dt.date(2024, 3, 1), ("eurusd",))["eurusd"]


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "lake")


def take(store: FolderStore, bars: Bars, name: str = "eurusd.parquet", **choices: object):  # type: ignore[no-untyped-def]
    path = write_bars(store.root.parent / name, bars)
    return ingest(store, [path], ReadOptions(), IngestOptions(**choices))[0]  # type: ignore[arg-type]


def test_the_first_ingest_settles_baseline_volume_and_quotes(store: FolderStore, bars: Bars) -> None:
    report = take(store, bars)
    assert (report.rows, report.new, report.identical) == (len(bars), len(bars), 0)
    settings = store.settings()
    assert settings is not None
    assert settings.baseline == JANUARY
    info = settings.pairs["eurusd"]
    assert info.baseline == bars.close[0]
    assert (info.has_volume, info.has_quotes) == (True, True)


def test_an_older_month_does_not_move_the_baseline_price(store: FolderStore, bars: Bars) -> None:
    take(store, bars.between(FEBRUARY, MARCH))
    take(store, bars.between(JANUARY, FEBRUARY))
    settings = store.settings()
    assert settings is not None
    assert settings.baseline == FEBRUARY
    first = int(np.searchsorted(bars.ts, FEBRUARY))
    assert settings.pairs["eurusd"].baseline == bars.close[first]
    assert set(store.bar_months("eurusd")) == {"2024-01", "2024-02"}


def test_the_first_ingest_reads_everything_before_writing(store: FolderStore, bars: Bars) -> None:
    folder = store.root.parent / "files"
    folder.mkdir()
    write_bars(folder / "a_eurusd.parquet", bars.between(FEBRUARY, MARCH))
    write_bars(folder / "b_eurusd.parquet", bars.between(JANUARY, FEBRUARY))
    ingest(store, [folder])
    settings = store.settings()
    assert settings is not None
    assert settings.baseline == JANUARY
    assert settings.pairs["eurusd"].baseline == bars.close[0]


def test_a_pair_that_ends_before_the_baseline_is_refused_with_the_fix(store: FolderStore, bars: Bars) -> None:
    store.write_settings(Settings(baseline=MARCH))
    report = take(store, bars)
    assert "no bar at or after the baseline time 2024-03-01" in report.refused
    assert "init --baseline" in report.refused
    assert store.bar_months("eurusd") == {}


def test_rebase_resets_the_baseline_and_makes_the_pair_stale(store: FolderStore, bars: Bars) -> None:
    take(store, bars.between(FEBRUARY, MARCH))
    take(store, bars.between(JANUARY, FEBRUARY))
    populate(store, tables=["time_features", "bqx_momentum"], workers=1)
    assert plan_for(store, tables=["bqx_momentum"]).states["stale"] == 0
    settings = rebase(store, JANUARY)
    assert settings.pairs["eurusd"].baseline == bars.close[0]
    assert plan_for(store, tables=["bqx_momentum"]).states["stale"] == 2
    with pytest.raises(StoreError, match="no bar at or after"):
        rebase(store, month_bounds("2024-06")[0])


def test_the_same_file_twice_changes_nothing(store: FolderStore, bars: Bars) -> None:
    take(store, bars)
    files = {p: p.read_bytes() for p in store.root.glob("m1/**/*.parquet")}
    report = take(store, bars)
    assert (report.new, report.identical, report.conflicting) == (0, len(bars), 0)
    assert {p: p.read_bytes() for p in store.root.glob("m1/**/*.parquet")} == files


def test_overlapping_files_merge(store: FolderStore, bars: Bars) -> None:
    take(store, bars.take(slice(0, 20_000)))
    report = take(store, bars.take(slice(15_000, 30_000)))
    assert (report.new, report.identical) == (10_000, 5_000)
    stored = store.read_bars("eurusd", JANUARY, MARCH)
    assert stored.ts.tolist() == bars.ts[:30_000].tolist()
    assert stored.close.tolist() == bars.close[:30_000].tolist()


def test_a_stored_bar_wins_without_replace(store: FolderStore, bars: Bars) -> None:
    take(store, bars)
    other = replace(bars, close=bars.close.copy(), high=bars.high + 0.001)
    other.close[7] += 0.0005
    report = take(store, other.take([7]))
    assert (report.new, report.conflicting) == (0, 1)
    assert "stored close" in report.examples[0]
    assert store.read_bars("eurusd", JANUARY, MARCH).close[7] == bars.close[7]
    take(store, other.take([7]), replace=True)
    stored = store.read_bars("eurusd", JANUARY, MARCH)
    assert stored.close[7] == other.close[7]
    assert len(stored) == len(bars)


def test_broken_bars_go_to_quarantine_with_line_and_reason(store: FolderStore) -> None:
    path = store.root.parent / "EURUSD.csv"
    rows = ["ts_utc,open,high,low,close"]
    rows += [f"2024-01-02 10:{m:02d}:00+00:00,1.1,1.2,1.0,1.1" for m in range(20)]
    rows[5] = "2024-01-02 10:04:00+00:00,1.1,1.05,1.0,1.1"
    rows[8] = "2024-01-02 10:07:00+00:00,-1.1,1.2,1.0,1.1"
    path.write_text("\n".join(rows))
    report = ingest(store, [path])[0]
    assert (report.rows, report.new, report.quarantined) == (20, 18, 2)
    kept = Path(report.quarantine).read_text().splitlines()
    assert kept[0] == "file,line,reason,text"
    assert [line.split(",")[1] for line in kept[1:]] == ["6", "9"]
    again = ingest(store, [path])[0]
    assert again.quarantine == report.quarantine
    assert len(list((store.root / "quarantine").iterdir())) == 1


def test_changing_the_volume_setting_makes_its_tables_stale(store: FolderStore, bars: Bars) -> None:
    take(store, bars)
    tables = ["volume_features", "bqx_momentum"]
    made = plan_for(store, tables=tables)
    take(store, bars, volume=False)
    changed = plan_for(store, tables=tables)
    prints = {(i.key.table, i.key.month): i.fingerprint for i in made.partitions}
    stale = {i.key.table for i in changed.partitions if prints[i.key.table, i.key.month] != i.fingerprint}
    assert stale == {"volume_features"}


def test_a_later_file_without_volume_changes_no_setting(store: FolderStore, bars: Bars) -> None:
    take(store, bars.between(JANUARY, FEBRUARY))
    take(store, replace(bars.between(FEBRUARY, MARCH), volume=None))
    settings = store.settings()
    assert settings is not None
    assert settings.pairs["eurusd"].has_volume
    stored = store.read_bars("eurusd", JANUARY, MARCH).volume
    assert stored is not None
    assert np.isnan(stored[bars.ts >= FEBRUARY]).all()


def test_one_refused_file_does_not_stop_the_others(tmp_path: Path) -> None:
    folder = write_market(tmp_path / "files")
    (folder / "notes on eurusd.csv").write_text("nothing;of;use\n" * 3)
    (folder / "empty.csv").write_bytes(b"")
    reports = ingest(FolderStore(tmp_path / "lake"), [folder])
    assert sum(bool(r.refused) for r in reports) == 2
    assert {r.pair for r in reports if not r.refused} == {"eurusd", "usdjpy"}


def test_a_missing_path_is_reported(store: FolderStore) -> None:
    with pytest.raises(StoreError, match="nowhere"):
        ingest(store, ["nowhere.csv"])


def test_merging_keeps_order_and_reports_counts() -> None:
    merge = merged(flat_bars([1, 3, 5], 1.0), flat_bars([2, 3, 6], 2.0))
    assert (merge.new, merge.identical, merge.conflicting) == (2, 0, 1)
    assert merge.bars.ts.tolist() == [1, 2, 3, 5, 6]
    assert merge.bars.close.tolist() == [1.0, 2.0, 1.0, 1.0, 2.0]
    replaced = merged(flat_bars([1, 3, 5], 1.0), flat_bars([2, 3, 6], 2.0), newer_wins=True)
    assert replaced.bars.close.tolist() == [1.0, 2.0, 2.0, 1.0, 2.0]


def test_synthetic_files_are_ingested_unchanged(tmp_path: Path) -> None:
    store = make_lake(tmp_path)
    market = synthetic_market(dt.date(2024, 1, 1), dt.date(2024, 3, 1), ("usdjpy",))
    stored = store.read_bars("usdjpy", JANUARY, MARCH)
    for name in ("ts", "open", "high", "low", "close", "volume", "spread"):
        assert np.array_equal(getattr(stored, name), getattr(market["usdjpy"], name))
