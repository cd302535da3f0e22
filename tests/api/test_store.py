"""Strict reading: missing, stale and refused partitions are reported; names, order and provenance of columns."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

import fxloom
from fxloom.api import OpenStore, UnavailableError
from fxloom.bars.months import month_bounds
from fxloom.cli import main
from fxloom.datasets.availability import Allow
from fxloom.engine.partitions import PartitionKey
from fxloom.run.populate import populate
from fxloom.stores.base import StoreError
from fxloom.stores.folder import FolderStore
from tests.lakes import make_lake

TABLES = ["bollinger", "time_features"]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    store = make_lake(tmp_path_factory.mktemp("full"))
    assert not populate(store, tables=TABLES, workers=1).troubles
    return store


@pytest.fixture
def lake(full: FolderStore, tmp_path: Path) -> FolderStore:
    return FolderStore(shutil.copytree(full.root, tmp_path / "lake"))


@pytest.fixture
def store(lake: FolderStore) -> OpenStore:
    return fxloom.open_store(lake.root)


def part(lake: FolderStore, pair: str = "eurusd", month: str = "2024-02") -> Path:
    return lake.root / f"features/bollinger_rate/pair={pair}/month={month}/part.parquet"


def make_stale(lake: FolderStore) -> None:
    """Publish one partition under the fingerprint of other bars."""
    record = lake.record(PartitionKey("bollinger_rate", "usdjpy", "2024-01"))
    frame = lake.scan("bollinger_rate", ["usdjpy"], None, month_bounds("2024-01")[1])
    assert record is not None
    assert frame is not None
    rows = frame.collect()
    ts = rows["ts_utc"].dt.epoch("s").to_numpy() // 60
    columns = {n: rows[n].cast(pl.Float64).fill_null(np.nan).to_numpy() for n in rows.columns[2:]}
    lake.publish(replace(record, fingerprint="of other bars"), ts, None, columns)


def test_missing_and_stale_partitions_are_reported_with_the_fix(store: OpenStore, lake: FolderStore) -> None:
    part(lake).unlink()
    make_stale(lake)
    with pytest.raises(UnavailableError, match="1 missing, 1 stale") as caught:
        store.read("bollinger_rate")
    assert {str(p.key) for p in caught.value.partitions} == {
        "bollinger_rate eurusd 2024-02",
        "bollinger_rate usdjpy 2024-01",
    }
    command = str(caught.value).split("`")[1].split()
    assert command[:2] == ["fxloom", "populate"]
    assert main([*command[1:], "--workers", "1"]) == 0
    assert store.read("bollinger_rate").collect()["bb_width_15_rate"].null_count() > 0


@pytest.mark.parametrize(
    ("allow", "missing", "stale"), [("nothing", False, False), ("missing", True, False), ("stale", False, True)]
)
def test_missing_and_stale_are_allowed_separately(
    lake: FolderStore, store: OpenStore, tmp_path: Path, allow: Allow, missing: bool, stale: bool
) -> None:
    other = FolderStore(shutil.copytree(lake.root, tmp_path / "other"))
    part(lake).unlink()
    make_stale(other)
    for one, admitted in ((store, missing), (fxloom.open_store(other.root), stale)):
        if admitted:
            assert one.read("bollinger_rate", allow=allow).collect().height
        else:
            with pytest.raises(UnavailableError):
                one.read("bollinger_rate", allow=allow)


def test_allow_all_reads_what_exists_and_reports_the_rest(store: OpenStore, lake: FolderStore) -> None:
    part(lake).unlink()
    make_stale(lake)
    frame = store.read("bollinger_rate", allow="all")
    assert frame.provenance is not None
    assert frame.provenance.counts == {"fresh": 2, "missing": 1, "stale": 1}
    assert set(frame.collect()["pair"].unique()) == {"eurusd", "usdjpy"}


def test_only_requested_partitions_must_exist(store: OpenStore, lake: FolderStore) -> None:
    part(lake).unlink()
    assert store.read("bollinger_rate", "usdjpy").collect().height
    assert store.read("bollinger_rate", end="2024-02-01").collect().height
    assert store.read("time_features").collect().height
    with pytest.raises(UnavailableError):
        store.matrix("bollinger_rate", "eurusd")


def test_refused_and_never_computed_partitions_are_distinguished(
    store: OpenStore, lake: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    part(lake).unlink()
    monkeypatch.setattr("fxloom.run.workers.jumps", lambda *_: {"bb_width_15_rate": "jumps out of the window"})
    assert populate(lake, tables=["bollinger_rate"], workers=1).count("refused") == 1
    with pytest.raises(UnavailableError, match=r"1 refused .*bb_width_15_rate: jumps out of the window"):
        store.read("bollinger_rate")
    assert store.read("bollinger_rate", allow="missing").collect().height
    monkeypatch.undo()
    assert populate(lake, tables=["bollinger_rate"], workers=1).count("done") == 1
    assert store.read("bollinger_rate").collect().height


def test_unknown_pairs_and_features_are_named(store: OpenStore) -> None:
    with pytest.raises(StoreError, match=r"no bars of gbpusd in .*; it has eurusd, usdjpy"):
        store.read("bollinger_rate", ["gbpusd"])
    with pytest.raises(KeyError, match="bb_width_15_rate"):
        store.read("bb_widht_15_rate")
    with pytest.raises(StoreError, match="no bars of gbpusd"):
        store.bars("gbpusd")
    with pytest.raises(ValueError, match="unknown allow='anything', expected one of nothing"):
        store.read("bollinger_rate", allow="anything")  # type: ignore[arg-type]


def test_an_empty_list_of_names_is_an_error_and_does_not_mean_all_or_nothing(store: OpenStore) -> None:
    for ask in (
        lambda: store.read("bollinger_rate", pairs=[]),
        lambda: store.matrix("bollinger_rate", pairs=[]),
        lambda: store.populate(pairs=[]),
        lambda: store.plan(pairs=[]),
        lambda: store.verify(pairs=[]),
        lambda: store.redundancy(pairs=[]),
        lambda: store.rebase(pairs=[]),
    ):
        with pytest.raises(ValueError, match="no pair was requested: name one or more, or omit them for all"):
            ask()
    with pytest.raises(ValueError, match="no table was requested"):
        store.populate(tables=[])
    with pytest.raises(ValueError, match="no feature was requested"):
        store.read([])


def test_invalid_times_and_options_are_reported(store: OpenStore) -> None:
    with pytest.raises(ValueError, match="no time lies between start=2024-02-02 and end=2024-02-01"):
        store.read("bollinger_rate", start="2024-02-02", end="2024-02-01")
    with pytest.raises(ValueError, match="invalid time '2024-13', expected YYYY-MM-DD"):
        store.read("bollinger_rate", start="2024-13")
    with pytest.raises(ValueError, match="unknown missing='fill', expected one of keep, drop"):
        store.matrix("bollinger_rate", missing="fill")  # type: ignore[arg-type]
    with pytest.raises(KeyError, match=r"did you mean .*bollinger_rate"):
        store.read("bolinger_rate")
    with pytest.raises(ValueError, match="invalid number of workers 0, expected 1 or more"):
        store.populate(tables="bollinger_rate", workers=0, force=True)


def test_columns_keep_the_requested_order_and_ignore_case(store: OpenStore) -> None:
    frame = store.read(["BB_WIDTH_30_RATE", "bb_percent_b_15_rate", "bb_width_*_rate"], "EURUSD").collect()
    names = frame.columns[3:]
    assert names[:2] == ["bb_width_30_rate", "bb_percent_b_15_rate"]
    widths = [n for n in fxloom.api.tables()["bollinger_rate"].names if n.startswith("bb_width")]
    assert names[2:] == [n for n in widths if n != "bb_width_30_rate"]


def test_missing_values_are_null_for_every_reader(store: OpenStore, lake: FolderStore) -> None:
    frame = store.read("bollinger_rate", "eurusd", end="2024-02-01").collect()
    column = frame["bb_width_15_rate"]
    assert column.null_count() > 0
    assert column.is_nan().sum() == 0
    assert column.mean() is not None
    arrow = pq.read_table(part(lake, "eurusd", "2024-01"), partitioning=None)
    assert arrow["bb_width_15_rate"].null_count == column.null_count()
    assert pl.read_parquet(part(lake, "eurusd", "2024-01"))["bb_width_15_rate"].null_count() == column.null_count()


def test_files_document_their_columns(lake: FolderStore) -> None:
    field = pq.read_schema(part(lake)).field("bb_width_15_rate")
    assert field.metadata is not None
    assert set(field.metadata) >= {b"unit", b"range", b"formula"}


def test_a_written_matrix_describes_its_contents(store: OpenStore, lake: FolderStore, tmp_path: Path) -> None:
    part(lake).unlink()
    path = tmp_path / "out.parquet"
    rows = store.write_matrix(path, ["bb_width_15_rate"], allow="missing")
    table = pq.read_table(path)
    assert table.column_names == ["ts_utc", "known_at", "pair", "bb_width_15_rate"]
    assert table.num_rows == rows > 0
    reported = json.loads(table.schema.metadata[b"fxloom"])
    assert reported["partitions"] == {"fresh": 3, "missing": 1}
    assert reported["not fresh"][0]["partition"] == "bollinger_rate eurusd 2024-02"
    assert b"formula" in table.schema.field("bb_width_15_rate").metadata


def test_csv_is_written_and_unknown_formats_are_refused(store: OpenStore, lake: FolderStore, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    rows = store.write_matrix(path, ["bb_width_15_rate"], missing="drop")
    frame = pl.read_csv(path, try_parse_dates=True)
    assert frame.height == rows
    assert frame.columns == ["ts_utc", "known_at", "pair", "bb_width_15_rate"]
    assert json.loads((tmp_path / "out.csv.json").read_text())["partitions"] == {"fresh": 4}
    for wrong in (tmp_path / "out.xlsx", lake.root / "out.parquet", Path("/dev/null"), tmp_path / "no" / "out.csv"):
        with pytest.raises(ValueError, match=r"out|null"):
            store.write_matrix(wrong, ["bb_width_15_rate"])
    (tmp_path / "link.csv").symlink_to(path)
    with pytest.raises(ValueError, match="is a link"):
        store.write_matrix(tmp_path / "link.csv", ["bb_width_15_rate"])


def test_leftovers_of_a_killed_writer_are_removed_by_the_next(store: OpenStore, tmp_path: Path) -> None:
    left = tmp_path / ".out.parquet.fxloom-999999999-0a1b2c3d"
    other = tmp_path / ".out.parquet.mine"
    left.touch()
    other.touch()
    store.write_matrix(tmp_path / "out.parquet", "bb_width_15_rate")
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == [other.name, "out.parquet"]


def test_single_names_and_capitals_are_accepted_everywhere(store: OpenStore, lake: FolderStore) -> None:
    part(lake).unlink()
    assert [
        str(p.key) for p in store.plan("EURUSD", "2024-02", "Bollinger_Rate").partitions if p.state == "missing"
    ] == ["bollinger_rate eurusd 2024-02"]
    assert store.populate("EURUSD", tables="Bollinger_Rate", workers=1).count("done") == 1
    assert store.bars("EurUsd", end="2024-01-03").height
    assert store.pair_info("EURUSD").baseline > 0
