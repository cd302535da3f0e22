"""The settings of a pair are derived from its stored bars and nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fxloom.bars.bars import Bars
from fxloom.bars.months import month_bounds
from fxloom.bars.pairs import PairInfo
from fxloom.bars.synthetic import synthetic_market
from fxloom.engine.partitions import Settings
from fxloom.run import ingest as ingest_module
from fxloom.run.ingest import FileReport, ingest
from fxloom.run.populate import plan_for
from fxloom.run.settling import IngestOptions
from fxloom.run.state import state_of
from fxloom.sources import ReadOptions, read
from fxloom.sources.records import FileResult, SourceFile
from fxloom.stores.base import Store, StoreError
from fxloom.stores.folder import FolderStore
from fxloom.stores.memory import MemoryStore
from tests.lakes import write_bars

JANUARY, FEBRUARY, MARCH = (month_bounds(f"2024-0{m}")[0] for m in (1, 2, 3))


@pytest.fixture(scope="module")
def bars() -> Bars:
    return synthetic_market(dt.date(2024, 1, 1), dt.date(2024, 3, 1), ("eurusd",))["eurusd"]


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return FolderStore(tmp_path / "lake") if request.param == "folder" else MemoryStore()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


def settings_of(store: Store) -> Settings:
    settings = store.settings()
    assert settings is not None
    return settings


def take(store: Store, files: Path, bars: Bars, **options: bool) -> FileReport:
    """Ingest one file of eurusd."""
    path = write_bars(files / "eurusd.parquet", bars)
    (report,) = ingest(store, [path], ReadOptions(), IngestOptions(**options))
    return report


def bare(bars: Bars) -> Bars:
    return replace(bars, volume=None, spread=None)


def moved(bars: Bars, by: float) -> Bars:
    """The same times with other prices."""
    return replace(bars, open=bars.open + by, high=bars.high + by, low=bars.low + by, close=bars.close + by)


def test_a_refused_file_contributes_nothing(store: Store, files: Path, bars: Bars) -> None:
    write_bars(files / "a_eurusd.parquet", bare(bars.between(FEBRUARY, MARCH)))
    write_bars(files / "b_eurusd.parquet", moved(bars, 0.01))  # volume, quotes and an earlier month
    first, second = ingest(store, [files])
    assert (first.refused, first.new) == ("", len(bars.between(FEBRUARY, MARCH)))
    assert "stored bars differ in this file" in second.refused
    close = bars.between(FEBRUARY, MARCH).close[0]
    assert settings_of(store) == Settings(FEBRUARY, "float32", {"eurusd": PairInfo(close, False, False, "bid")})
    assert list(store.bar_months("eurusd")) == ["2024-02"]


def test_a_mostly_conflicting_file_is_refused(store: Store, files: Path, bars: Bars) -> None:
    january = bars.between(JANUARY, FEBRUARY)
    take(store, files, january)
    report = take(store, files, moved(bars, 0.002))  # January conflicts; February would be new
    assert f"{len(january):,} of {len(january):,} stored bars differ" in report.refused
    assert "--replace" in report.refused
    assert list(store.bar_months("eurusd")) == ["2024-01"]
    assert store.read_bars("eurusd", JANUARY, MARCH).close.tolist() == january.close.tolist()


def test_a_few_conflicts_are_counted_and_the_stored_bars_kept(store: Store, files: Path, bars: Bars) -> None:
    take(store, files, bars)
    close = bars.close.copy()
    close[:2000] += 1e-5
    report = take(store, files, replace(bars, close=close, high=bars.high + 1e-4))
    assert report.refused  # every high differs
    report = take(store, files, replace(bars, close=close, high=np.maximum(bars.high, close)))
    assert (report.refused, report.conflicting, report.identical) == ("", 2000, len(bars) - 2000)
    assert store.read_bars("eurusd", JANUARY, MARCH).close.tolist() == bars.close.tolist()


def test_replaced_bars_are_counted_as_replaced(store: Store, files: Path, bars: Bars) -> None:
    take(store, files, bars)
    report = take(store, files, moved(bars, 0.002), replace=True)
    assert (report.refused, report.replaced, report.conflicting, report.identical) == ("", len(bars), 0, 0)
    assert store.read_bars("eurusd", JANUARY, MARCH).close.tolist() == (bars.close + 0.002).tolist()


def test_an_interrupted_ingest_changes_no_settings(
    store: Store, files: Path, bars: Bars, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ingest_module, "settle", killed)
        with pytest.raises(KeyboardInterrupt):
            take(store, files, bare(bars.between(FEBRUARY, MARCH)))
    assert settings_of(store) == Settings()
    with pytest.raises(StoreError, match="bars from an unfinished ingest"):
        state_of(store)
    take(store, files, bars)
    info = PairInfo(bars.close[0], True, True, "bid")
    assert settings_of(store) == Settings(JANUARY, "float32", {"eurusd": info})


def test_later_volume_is_stored_and_used_on_request(store: Store, files: Path, bars: Bars) -> None:
    take(store, files, bare(bars))
    before = plan_for(store, tables=["volume_features"])
    report = take(store, files, bars)
    assert (report.new, report.identical, report.completed, report.conflicting) == (0, 0, len(bars), 0)
    assert report.notes[0] == (
        "its volume was stored but not used, since eurusd was settled without volume: run `fxloom ingest --volume yes` "
        "with this or any file of eurusd, then populate"
    )
    for month in (bars.between(JANUARY, FEBRUARY), bars.between(FEBRUARY, MARCH)):
        (note,) = (n for n in take(store, files, month).notes if "settled without volume" in n)
        assert "--volume yes" in note
    stored = store.read_bars("eurusd", JANUARY, MARCH)
    assert bars.volume is not None
    assert stored.volume is not None
    assert stored.volume.tolist() == bars.volume.tolist()
    assert settings_of(store).pairs["eurusd"].has_volume is False
    assert [p.fingerprint for p in plan_for(store, tables=["volume_features"]).partitions] == [
        p.fingerprint for p in before.partitions
    ]
    again = take(store, files, bars, volume=True)
    assert (again.completed, again.identical) == (0, len(bars))
    assert settings_of(store).pairs["eurusd"].has_volume
    assert not {p.fingerprint for p in plan_for(store, tables=["volume_features"]).partitions} & {
        p.fingerprint for p in before.partitions
    }


def test_zero_volume_counts_as_missing_and_can_be_completed(store: Store, files: Path, bars: Bars) -> None:
    take(store, files, replace(bare(bars), volume=np.zeros(len(bars))))
    assert settings_of(store).pairs["eurusd"].has_volume is False
    report = take(store, files, replace(bare(bars), volume=bars.volume), volume=True)
    assert (report.completed, report.conflicting) == (len(bars), 0)
    assert settings_of(store).pairs["eurusd"].has_volume


def test_volume_of_unstored_bars_is_not_recorded(store: Store, files: Path, bars: Bars) -> None:
    with pytest.raises(StoreError, match=r"--volume yes .* cannot be applied: no stored bar has volume of eurusd"):
        take(store, files, bare(bars), volume=True)
    assert settings_of(store).pairs["eurusd"].has_volume is False
    assert len(store.read_bars("eurusd", JANUARY, MARCH)) == len(bars)


def test_bid_and_mid_do_not_merge(store: Store, files: Path, bars: Bars, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither within the first ingest nor later; the first side decides."""

    def sided(paths: list[Path], options: ReadOptions, *_: object) -> Iterator[FileResult]:
        for found in read(paths, options):
            assert isinstance(found, SourceFile)
            yield replace(found, price_side="mid" if "mid" in Path(found.name).name else "bid")

    monkeypatch.setattr(ingest_module, "read_files", sided)
    write_bars(files / "a eurusd.parquet", bare(bars.between(JANUARY, FEBRUARY)))
    write_bars(files / "b eurusd mid.parquet", bare(bars.between(FEBRUARY, MARCH)))
    for _ in range(2):
        first, second = ingest(store, [files])
        assert first.refused == ""
        assert (
            "eurusd is stored at bid prices, but this file has mid prices: keep it in a separate store"
            in second.refused
        )
        assert settings_of(store).pairs["eurusd"].price_side == "bid"
        assert list(store.bar_months("eurusd")) == ["2024-01"]


def test_an_early_file_is_accepted_with_a_later_one(store: Store, files: Path, bars: Bars) -> None:
    store.write_settings(Settings(FEBRUARY))
    write_bars(files / "a_eurusd.parquet", bars.between(JANUARY, FEBRUARY))
    write_bars(files / "b_eurusd.parquet", bars.between(FEBRUARY, MARCH))
    reports = ingest(store, [files])
    assert [r.refused for r in reports] == ["", ""]
    assert sorted(store.bar_months("eurusd")) == ["2024-01", "2024-02"]
    assert settings_of(store).pairs["eurusd"].baseline == bars.between(FEBRUARY, MARCH).close[0]


def test_nothing_is_kept_of_a_pair_without_a_baseline(store: Store, files: Path, bars: Bars) -> None:
    store.write_settings(Settings(MARCH))
    report = take(store, files, bars)
    assert "eurusd has no bar at or after the baseline time 2024-03-01 00:00" in report.refused
    assert (store.pairs_with_bars(), store.bar_months("eurusd")) == ([], {})
    assert settings_of(store) == Settings(MARCH)
