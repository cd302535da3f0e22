"""Reading several tables equals joining them, also where tables lack rows, and reads only what is needed."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import polars as pl
import pytest

from fxloom.bars.months import month_bounds
from fxloom.features.catalogue import select_features
from fxloom.run.populate import populate
from fxloom.stores.folder import FolderStore
from fxloom.stores.query import read_features, side_by_side
from tests.lakes import make_lake

PAIRS = ("eurusd", "gbpusd", "eurgbp")
TABLES = ["bollinger_rate", "time_features", "cross_sectional_panel"]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    store = make_lake(tmp_path_factory.mktemp("query"), PAIRS, dt.date(2024, 1, 22), dt.date(2024, 2, 8))
    assert not populate(store, tables=TABLES, workers=1).troubles
    return store


def joined(lake: FolderStore, pairs: list[str], names: list[str]) -> pl.DataFrame:
    """The same by hand: every file read, tables joined on time and pair."""
    found: pl.DataFrame | None = None
    for table in TABLES:
        parts = []
        for path in sorted(lake.root.glob(f"features/{table}/**/*.parquet")):
            frame = pl.read_parquet(path, hive_partitioning=False)
            if "pair" not in frame.columns:
                frame = frame.with_columns(pl.lit(path.parts[-3].partition("=")[2]).alias("pair"))
            parts.append(frame)
        rows = pl.concat(parts, how="diagonal").filter(pl.col("pair").is_in(pairs))
        found = rows if found is None else found.join(rows, on=["ts_utc", "pair"], how="full", coalesce=True)
    assert found is not None
    known = found.with_columns((pl.col("ts_utc") + pl.duration(minutes=1)).alias("known_at"))
    return known.select("ts_utc", "known_at", "pair", *names).sort("pair", "ts_utc")


@pytest.mark.parametrize("pairs", [["eurusd"], ["gbpusd", "eurusd"]])
def test_reading_equals_a_join(lake: FolderStore, pairs: list[str]) -> None:
    features = select_features(TABLES)
    rows = read_features(lake, features, pairs, None, None).collect()
    assert rows.equals(joined(lake, pairs, [f.name for f in features]))


def test_pairs_are_streamed_in_order_without_sorting(lake: FolderStore) -> None:
    """A sort would hold all rows; it is needed only where a partition holds all pairs."""
    pairs, own = ["gbpusd", "eurusd", "eurgbp"], TABLES[:2]
    frame = read_features(lake, select_features(own), pairs, None, None)
    assert "SORT" not in frame.explain()
    names = [f.name for f in select_features(own)]
    assert frame.collect().equals(joined(lake, pairs, names))
    assert "SORT" in read_features(lake, select_features(TABLES), pairs, None, None).explain()


def test_filters_columns_and_limits_match_the_frame(lake: FolderStore) -> None:
    features = select_features(["bb_width_15_rate", TABLES[2]])
    whole = read_features(lake, features, ["eurusd", "gbpusd"], None, None)
    rows = whole.collect()
    name = features[-1].name
    assert whole.select(name).collect().equals(rows.select(name))
    assert whole.select("ts_utc").collect().equals(rows.select("ts_utc"))
    assert whole.select(pl.len()).collect().item() == rows.height
    positive = pl.col("bb_width_15_rate") > 0.2
    assert whole.filter(positive).collect().equals(rows.filter(positive))
    assert whole.head(7).collect().equals(rows.head(7))
    first, end = month_bounds("2024-02")[0] + 1_500, month_bounds("2024-02")[0] + 4_000
    span = read_features(lake, features, ["eurusd", "gbpusd"], first, end).collect()
    minute = pl.col("ts_utc").dt.epoch("s") // 60
    assert span.equals(rows.filter((minute >= first) & (minute < end)))


def test_rows_missing_from_one_table_are_kept() -> None:
    times = pl.datetime_range(dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, 0, 4), "1m", eager=True, time_zone="UTC")
    one = pl.DataFrame({"ts_utc": times, "pair": "eurusd", "a": [1.0, 2.0, 3.0, 4.0, 5.0]})
    two = pl.DataFrame({"ts_utc": times[1:4], "pair": "eurusd", "b": [20.0, 30.0, 40.0]})
    three = pl.DataFrame({"ts_utc": times, "pair": "eurusd", "c": [0.1, 0.2, 0.3, 0.4, 0.5]})
    laid = side_by_side([two, one, three])
    assert laid["ts_utc"].to_list() == times.to_list()
    assert laid["b"].to_list() == [None, 20.0, 30.0, 40.0, None]
    assert laid["a"].to_list() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert laid["c"].to_list() == [0.1, 0.2, 0.3, 0.4, 0.5]


def test_a_month_missing_from_one_table_is_filled_with_nulls(lake: FolderStore, tmp_path: Path) -> None:
    other = FolderStore(shutil.copytree(lake.root, tmp_path / "lake"))
    shutil.rmtree(other.root / "features/bollinger_rate/pair=eurusd/month=2024-01")
    rows = read_features(other, select_features(TABLES[:2]), ["eurusd"], None, None).collect()
    january = rows.filter(pl.col("ts_utc") < dt.datetime(2024, 2, 1, tzinfo=dt.UTC))
    assert january.height > 1_000
    assert january["bb_width_15_rate"].null_count() == january.height
