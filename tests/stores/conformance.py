"""Requirements of every store. A back end's test module subclasses ``StoreConformance`` and supplies ``store``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from fxloom.bars.bars import Bars
from fxloom.bars.days import summarise_days
from fxloom.bars.pairs import PairInfo
from fxloom.engine.partitions import PartitionKey, Record, Settings
from fxloom.stores.base import Store
from fxloom.stores.inventory import Fingerprints
from fxloom.system.lock import LockedError
from tests.markets import banded_bars

MARCH = 25_331_040  # 2018-03-01 00:00 in minutes since 1970
TABLE = "bollinger_rate"
NAMES = [f"bb_{what}_{w}_rate" for w in (15, 30, 45, 60, 75) for what in ("width", "percent_b")]


def some_bars(first: int = MARCH, n: int = 200, price: float = 1.2, volume: bool = True) -> Bars:
    close = price + 0.001 * np.sin(np.arange(n))
    ticks = np.arange(n, dtype=np.float64) if volume else None
    return replace(banded_bars(first + np.arange(n), close), volume=ticks)


def some_record(
    pair: str = "eurusd", month: str = "2018-03", fingerprint: str = "f1", rows: int = 200, value: float = 0.5
) -> Record:
    """The record of a partition with ``some_columns(rows, value)``."""
    quality = {catalogue_columns()[0]: {"due": rows, "finite": rows - 3, "low": value, "high": value}}
    return Record(PartitionKey(TABLE, pair, month), fingerprint, rows, 1, "2026-01-01T00:00:00Z", ("volume",), quality)


def catalogue_columns() -> list[str]:
    from fxloom.features.catalogue import tables

    return list(tables()[TABLE].names)


def some_columns(n: int = 200, value: float = 0.5) -> dict[str, np.ndarray]:
    return {name: np.where(np.arange(n) < 3, np.nan, value + i) for i, name in enumerate(catalogue_columns())}


def same_bars(a: Bars, b: Bars) -> bool:
    pairs = [(getattr(a, n), getattr(b, n)) for n in ("ts", "open", "high", "low", "close", "volume", "spread")]
    return all((x is None and y is None) or np.array_equal(x, y, equal_nan=True) for x, y in pairs)


class StoreConformance:
    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError

    @pytest.fixture
    def ready(self, store: Store) -> Store:
        info = PairInfo(1.2, True, False, "bid")
        store.write_settings(Settings(MARCH, "float32", {"eurusd": info, "usdjpy": info}))
        return store

    def test_settings_are_none_until_written_and_round_trip(self, store: Store) -> None:
        assert store.settings() is None
        settings = Settings(MARCH, "float64", {"eurusd": PairInfo(1.23456789012345, False, True, "mid")})
        store.write_settings(settings)
        assert store.settings() == settings

    def test_bars_round_trip_exactly(self, ready: Store) -> None:
        bars = some_bars()
        ready.write_bars("eurusd", "2018-03", bars)
        assert same_bars(ready.read_bars("eurusd", MARCH, MARCH + 10_000), bars)
        assert same_bars(ready.read_bars("eurusd", MARCH + 5, MARCH + 9), bars.take(slice(5, 9)))
        assert len(ready.read_bars("usdjpy", MARCH, MARCH + 10_000)) == 0

    def test_days_are_summarised_without_reading_the_bars(self, ready: Store) -> None:
        bars = some_bars(n=3000)
        ready.write_bars("eurusd", "2018-03", bars)
        assert ready.bar_months("eurusd") == {"2018-03": summarise_days(bars)}
        assert ready.bar_months("usdjpy") == {}

    def test_months_are_joined_and_missing_volume_stays_missing(self, ready: Store) -> None:
        february = some_bars(MARCH - 100, 100)
        ready.write_bars("eurusd", "2018-02", february)
        ready.write_bars("eurusd", "2018-03", some_bars(volume=False))
        both = ready.read_bars("eurusd", MARCH - 100, MARCH + 10_000)
        assert both.ts.tolist() == list(range(MARCH - 100, MARCH + 200))
        assert both.volume is not None
        assert both.volume[:100].tolist() == february.volume.tolist()  # type: ignore[union-attr]
        assert np.isnan(both.volume[100:]).all()

    def test_bars_of_another_month_are_refused(self, ready: Store) -> None:
        with pytest.raises(ValueError, match="2018-03"):
            ready.write_bars("eurusd", "2018-02", some_bars())

    def test_writing_a_month_replaces_it(self, ready: Store) -> None:
        ready.write_bars("eurusd", "2018-03", some_bars())
        ready.write_bars("eurusd", "2018-03", some_bars(n=5, price=2.0))
        assert same_bars(ready.read_bars("eurusd", MARCH, MARCH + 10_000), some_bars(n=5, price=2.0))

    def test_a_partition_round_trips_with_its_record(self, ready: Store) -> None:
        record, columns = some_record(), some_columns()
        ready.publish(record, MARCH + np.arange(200), None, columns)
        assert ready.records() == [record]
        assert ready.records(["reg_rate"]) == []
        assert ready.record(record.key) == record
        assert ready.record(PartitionKey(TABLE, "eurusd", "2018-04")) is None
        frame = ready.scan(TABLE, ["eurusd"], None, None)
        assert frame is not None
        rows = frame.sort("ts_utc").collect()
        assert rows["pair"].unique().to_list() == ["eurusd"]
        assert rows["ts_utc"].dt.epoch("us").to_list() == [(MARCH + i) * 60_000_000 for i in range(200)]
        for name, values in columns.items():
            stored = rows[name].cast(pl.Float32).fill_null(np.nan).to_numpy()
            assert np.array_equal(stored, values.astype(np.float32), equal_nan=True)

    def test_publishing_again_replaces_the_partition_and_its_record(self, ready: Store) -> None:
        ts = MARCH + np.arange(200)
        ready.publish(some_record(), ts, None, some_columns())
        again = some_record(fingerprint="f2", rows=10, value=7.0)
        ready.publish(again, ts[:10], None, some_columns(10, value=7.0))
        assert ready.records() == [again]
        frame = ready.scan(TABLE, None, None, None)
        assert frame is not None
        assert frame.collect().height == 10

    def test_scan_filters_pairs_and_months(self, ready: Store) -> None:
        columns = some_columns()
        ready.publish(some_record("eurusd"), MARCH + np.arange(200), None, columns)
        ready.publish(some_record("usdjpy"), MARCH + np.arange(200), None, columns)
        ready.publish(some_record("eurusd", "2018-02"), MARCH - 300 + np.arange(200), None, columns)
        frame = ready.scan(TABLE, ["eurusd"], MARCH, MARCH + 1)
        assert frame is not None
        rows = frame.collect()
        assert set(rows["pair"]) == {"eurusd"}
        assert rows["ts_utc"].min().month == 3  # type: ignore[union-attr]
        assert ready.scan("reg_rate", None, None, None) is None

    def test_a_partition_of_all_pairs_is_kept_by_month(self, ready: Store) -> None:
        from fxloom.features.catalogue import tables

        table = "cross_sectional_panel"
        names = tables()[table].names
        record = Record(PartitionKey(table, "", "2018-03"), "f", 4, 1, "2026-01-01T00:00:00Z")
        ts = MARCH + np.array([0, 0, 1, 1])
        columns = {name: np.arange(4.0) for name in names}
        ready.publish(record, ts, ["eurusd", "usdjpy"] * 2, columns)
        assert ready.records() == [record]
        frame = ready.scan(table, ["usdjpy"], None, None)
        assert frame is not None
        assert frame.collect()[names[0]].to_list() == [1.0, 3.0]

    def test_the_inventory_has_the_records_and_statistics_as_columns(self, ready: Store) -> None:
        ts = MARCH + np.arange(200)
        published = [some_record("usdjpy", value=2.0), some_record(), some_record(month="2018-02", fingerprint="f2")]
        for record in published:
            shift = 40_320 if record.key.month == "2018-02" else 0
            ready.publish(record, ts - shift, None, some_columns())
        inventory = ready.inventory()
        assert inventory.partitions.select("table", "pair", "month", "fingerprint", "rows", "proxies").rows() == [
            (TABLE, "eurusd", "2018-02", "f2", 200, "volume"),
            (TABLE, "eurusd", "2018-03", "f1", 200, "volume"),
            (TABLE, "usdjpy", "2018-03", "f1", 200, "volume"),
        ]
        columns = ["pair", "month", "rows", "feature", "due", "finite", "gap", "low", "std"]
        assert inventory.statistics(TABLE).select(columns).rows() == [
            ("eurusd", "2018-02", 200, NAMES[0], 200, 197, 0, 0.5, None),
            ("eurusd", "2018-03", 200, NAMES[0], 200, 197, 0, 0.5, None),
            ("usdjpy", "2018-03", 200, NAMES[0], 200, 197, 0, 2.0, None),
        ]
        assert inventory.statistics("reg_rate").height == 0
        assert ready.inventory(["reg_rate"]).partitions.height == 0
        assert inventory.narrowed(pl.col("pair") == "usdjpy").statistics(TABLE).height == 1
        assert Fingerprints(inventory.partitions) == {record.key: record.fingerprint for record in published}

    def test_the_days_of_all_pairs_are_those_of_each_pair(self, ready: Store) -> None:
        ready.write_bars("eurusd", "2018-03", some_bars(n=3000))
        ready.write_bars("eurusd", "2018-02", some_bars(MARCH - 100, 100))
        ready.write_bars("usdjpy", "2018-03", some_bars(price=110.0))
        assert ready.all_days() == {pair: ready.bar_months(pair) for pair in ("eurusd", "usdjpy")}
        assert ready.month_names("eurusd") == ["2018-02", "2018-03"]
        assert ready.days_of("eurusd", "2018-03") == summarise_days(some_bars(n=3000))
        assert ready.month_names("gbpusd") == []

    def test_quarantined_rows_are_kept(self, ready: Store) -> None:
        rows = pl.DataFrame({"file": ["a"], "line": [3], "reason": ["high below low"], "text": ["x;y"]})
        assert "bad" in ready.quarantine(rows, "bad")

    def test_a_second_writer_is_refused_with_the_holders_name(self, ready: Store) -> None:
        with ready.exclusive("populate"), pytest.raises(LockedError), ready.exclusive("ingest"):
            pass
        with ready.exclusive("ingest"):
            pass
