"""The folder store: the conformance suite, and what only files can do."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from fxloom.bars.pairs import PairInfo
from fxloom.engine.partitions import Settings
from fxloom.run.ingest import ingest
from fxloom.stores import documents, frames, open_backend
from fxloom.stores.atomic import INCOMING
from fxloom.stores.base import CorruptError, NewerFormatError, StoreError
from fxloom.stores.folder import FolderStore
from tests.lakes import write_bars
from tests.stores.conformance import (
    MARCH,
    TABLE,
    StoreConformance,
    catalogue_columns,
    some_bars,
    some_columns,
    some_record,
)


class TestFolderStore(StoreConformance):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FolderStore:
        return FolderStore(tmp_path / "lake with a space")


@pytest.fixture
def lake(tmp_path: Path) -> FolderStore:
    store = FolderStore(tmp_path / "lake")
    store.write_settings(Settings(MARCH, "float32", {"eurusd": PairInfo(1.2, True, False, "bid")}))
    store.write_bars("eurusd", "2018-03", some_bars())
    store.publish(some_record(), MARCH + np.arange(200), None, some_columns())
    return store


def part(lake: FolderStore) -> Path:
    return lake.root / "features" / TABLE / "pair=eurusd" / "month=2018-03" / "part.parquet"


def test_files_follow_the_hive_layout(lake: FolderStore) -> None:
    rows = pl.read_parquet(lake.root / "m1" / "**" / "*.parquet", hive_partitioning=True)
    assert rows.columns == ["ts_utc", "open", "high", "low", "close", "volume", "pair", "month"]
    schema = pq.read_schema(part(lake))
    assert schema.names == ["ts_utc", *catalogue_columns()]
    assert str(schema.field("ts_utc").type) == "timestamp[us, tz=UTC]"
    assert {str(schema.field(n).type) for n in catalogue_columns()} == {"float"}


def test_columns_are_split_by_byte_and_not_by_dictionary(lake: FolderStore) -> None:
    column = pq.read_metadata(part(lake)).row_group(0).column(1)
    assert column.compression == "ZSTD"
    assert "BYTE_STREAM_SPLIT" in column.encodings
    assert not column.has_dictionary_page


def test_nothing_is_left_of_a_failed_write(lake: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    before = part(lake).read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(StoreError, match=r"No space left on device: free some space .*; finished work is kept"):
        lake.publish(some_record(fingerprint="f2"), MARCH + np.arange(200), None, some_columns())
    assert part(lake).read_bytes() == before
    assert [p.name for p in part(lake).parent.iterdir()] == ["part.parquet"]


def test_the_next_writer_removes_only_our_temporaries(lake: FolderStore) -> None:
    ours = lake.root / INCOMING / f"{'0' * 31}f.tmp"
    of_users = [
        lake.root / "budget.tmp-2026.xlsx", part(lake).with_name("part.parquet.tmp-0123456789ab"),
        lake.root / INCOMING / "notes.tmp", lake.root / "m1" / f"{'0' * 32}.tmp",
    ]  # fmt: skip
    ours.parent.mkdir(exist_ok=True)
    for path in (ours, *of_users):
        path.write_bytes(b"half")
    assert len(lake.records()) == 1
    with lake.exclusive("populate"):
        assert not ours.exists()
    assert all(path.read_bytes() == b"half" for path in of_users)


@pytest.mark.parametrize("path", ["", "  "])
def test_an_empty_path_is_not_a_store(path: str) -> None:
    with pytest.raises(StoreError, match="path is empty"):
        open_backend(path)


def test_a_non_empty_folder_becomes_a_store_only_by_init(tmp_path: Path, bars_file: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "mother.txt").write_text("Dear Mother")
    store = FolderStore(tmp_path / "letters")
    with pytest.raises(StoreError, match=r"not a store and has other content \(mother.txt\).*fxloom init"):
        ingest(store, [bars_file])
    assert [path.name for path in store.root.iterdir()] == ["mother.txt"]
    with store.exclusive("init"):
        store.write_settings(Settings())
    assert [r.new for r in ingest(store, [bars_file])] == [200]
    assert (store.root / "mother.txt").read_text() == "Dear Mother"


def test_a_refusal_creates_no_store(tmp_path: Path) -> None:
    (tmp_path / "eurusd.csv").write_text("nothing;of;use\n" * 30)
    store = FolderStore(tmp_path / "a" / "lake")
    (report,) = ingest(store, [tmp_path / "eurusd.csv"])
    assert report.refused
    assert [path.name for path in tmp_path.iterdir()] == ["eurusd.csv"]


@pytest.fixture
def bars_file(tmp_path: Path) -> Path:
    return write_bars(tmp_path / "eurusd.parquet", some_bars())


@pytest.mark.parametrize("content", [b"", b"PAR1garbage", b"\x00" * 5000], ids=["empty", "cut", "zeros"])
def test_a_corrupt_partition_is_named_and_counts_as_missing(lake: FolderStore, content: bytes) -> None:
    part(lake).write_bytes(content)
    assert lake.records() == []
    assert [d.where for d in lake.find_corrupt()] == [str(part(lake))]


def test_corrupt_bars_are_reported_with_the_fix(lake: FolderStore) -> None:
    path = lake.root / "m1" / "pair=eurusd" / "month=2018-03" / "bars.parquet"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(StoreError, match=r"bars.parquet is corrupt.*ingest"):
        lake.read_bars("eurusd", MARCH, MARCH + 1)


def test_a_flipped_bit_in_stored_bars_is_detected(lake: FolderStore) -> None:
    path = lake.root / "m1" / "pair=eurusd" / "month=2018-03" / "bars.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0x10
    path.write_bytes(bytes(content))
    with pytest.raises(StoreError, match="corrupt"):
        lake.read_bars("eurusd", MARCH, MARCH + 1000)


def test_a_flipped_bit_in_stored_features_yields_no_value(lake: FolderStore) -> None:
    content = bytearray(part(lake).read_bytes())
    content[len(content) // 3] ^= 0x10
    part(lake).write_bytes(bytes(content))
    frame = lake.scan(TABLE, ["eurusd"], None, None)
    assert frame is not None
    with pytest.raises(StoreError, match=rf"part.parquet is corrupt.*populate --force --tables {TABLE} --pairs eurusd"):
        frame.collect()


def test_a_file_older_than_a_feature_has_nulls_for_it(lake: FolderStore) -> None:
    columns = some_columns()
    gone = list(columns)[-1]
    lake.publish(some_record(), MARCH + np.arange(200), None, {n: c for n, c in columns.items() if n != gone})
    frame = lake.scan(TABLE, ["eurusd"], None, None)
    assert frame is not None
    rows = frame.collect()
    assert rows[gone].null_count() == rows.height == 200
    assert rows.schema[gone] == pl.Float32


def test_every_reader_reports_a_partition_in_the_wrong_place(lake: FolderStore) -> None:
    other = lake.root / "features" / TABLE / "pair=usdjpy" / "month=2018-03" / "part.parquet"
    other.parent.mkdir(parents=True)
    shutil.copy(part(lake), other)
    assert [r.key.pair for r in lake.records()] == ["eurusd"]
    (found,) = lake.find_corrupt()
    assert (found.where, f"it is the partition {TABLE} eurusd 2018-03" in found.why) == (str(other), True)
    frame = lake.scan(TABLE, ["usdjpy"], None, None)
    assert frame is not None
    with pytest.raises(CorruptError, match="copied or moved here"):
        frame.collect()


def test_every_reader_reports_bars_in_the_wrong_place(lake: FolderStore) -> None:
    other = lake.root / "m1" / "pair=usdjpy" / "month=2018-03" / "bars.parquet"
    other.parent.mkdir(parents=True)
    shutil.copy(lake.root / "m1" / "pair=eurusd" / "month=2018-03" / "bars.parquet", other)
    for read in (lambda: lake.read_bars("usdjpy", MARCH, MARCH + 1), lambda: lake.bar_months("usdjpy")):
        with pytest.raises(
            CorruptError, match=r"it contains the bars of eurusd 2018-03.*ingest the bars of usdjpy 2018-03"
        ):
            read()
    assert [found.where for found in lake.find_corrupt()] == [str(other)]


@pytest.mark.parametrize("name", ["month=2018-03 (copy)", "month=2018-3", "month=2018-03.bak"])
def test_a_copied_month_is_corruption_and_duplicates_no_rows(name: str, lake: FolderStore) -> None:
    bars = lake.root / "m1" / "pair=eurusd" / "month=2018-03"
    shutil.copytree(part(lake).parent, part(lake).parent.with_name(name))
    shutil.copytree(bars, bars.with_name(name))
    assert len(lake.records()) == 1
    assert sorted(c.where for c in lake.find_corrupt()) == sorted(
        [str(part(lake).parent.with_name(name)), str(bars.with_name(name))]
    )
    for read in (lambda: lake.read_bars("eurusd", MARCH, MARCH + 1), lambda: lake.scan(TABLE, None, None, None)):
        with pytest.raises(CorruptError, match="not part of the store"):
            read()


def test_a_copied_file_and_pair_are_corruption(lake: FolderStore) -> None:
    beside = part(lake).with_name("part (copy).parquet")
    shutil.copy(part(lake), beside)
    pair = lake.root / "m1" / "pair=eurusd"
    shutil.copytree(pair, pair.with_name("pair=EURUSD"))
    assert {c.where for c in lake.find_corrupt()} == {str(beside), str(pair.with_name("pair=EURUSD"))}


def test_foreign_files_are_left_alone(lake: FolderStore) -> None:
    (lake.root / "notes.txt").write_text("mine")
    (lake.root / "features" / "my own table").mkdir()
    (lake.root / "features" / TABLE / ".DS_Store").write_bytes(b"")
    (part(lake).parent / "_SUCCESS").write_bytes(b"")
    assert lake.find_corrupt() == []
    assert lake.scan(TABLE, None, None, None) is not None


def test_columns_that_vanish_are_corruption(lake: FolderStore) -> None:
    """As after a corrupt footer: no proxy replaces the volume, and no later ingest writes the month without it."""
    path = lake.root / "m1" / "pair=eurusd" / "month=2018-03" / "bars.parquet"
    table = pq.ParquetFile(path).read()
    for changed in (table.drop_columns(["volume"]), table.slice(0, 150)):
        pq.write_table(changed, path)
        with pytest.raises(
            CorruptError, match=r"differ from those that were written.*ingest the bars of eurusd 2018-03 again"
        ):
            lake.read_bars("eurusd", MARCH, MARCH + 1)
        assert [c.where for c in lake.find_corrupt()] == [str(path)]


def test_changed_settings_are_detected(lake: FolderStore) -> None:
    path = lake.root / "settings.json"
    path.write_text(path.read_text().replace('"has_volume": true', '"has_volume": false'))
    with pytest.raises(StoreError, match=r"settings.json is corrupt \(its checksum"):
        lake.settings()


def test_files_of_a_later_version_are_left_alone(
    lake: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "FORMAT", 2)
    monkeypatch.setattr(frames, "FORMAT", 2)
    lake.publish(some_record(fingerprint="f2"), MARCH + np.arange(200), None, some_columns())
    monkeypatch.undo()
    with pytest.raises(NewerFormatError, match=r"part.parquet.*later version of fxloom \(format 2\).*left alone"):
        FolderStore(lake.root).records()
    monkeypatch.setattr(frames, "FORMAT", 2)
    lake.write_bars("eurusd", "2018-03", some_bars())
    monkeypatch.undo()
    path = lake.root / "m1" / "pair=eurusd" / "month=2018-03" / "bars.parquet"
    content = path.read_bytes()
    for act in (lambda: lake.read_bars("eurusd", MARCH, MARCH + 1), lambda: lake.bar_months("eurusd"),
                lambda: ingest(lake, [write_bars(tmp_path / "eurusd.parquet", some_bars())])):  # fmt: skip
        with pytest.raises(NewerFormatError, match=r"bars.parquet was written by a later version"):
            act()
    assert path.read_bytes() == content
    monkeypatch.setattr(documents, "FORMAT", 2)
    lake.write_settings(Settings(MARCH))
    monkeypatch.undo()
    before = (lake.root / "settings.json").read_bytes()
    with pytest.raises(NewerFormatError, match=r"settings.json was written by a later version"):
        lake.settings()
    assert (lake.root / "settings.json").read_bytes() == before


def test_no_folder_reader_sees_a_temporary(lake: FolderStore) -> None:
    """Neither during a write nor after a kill, however a program selects the files of a folder."""
    rows = []

    def look(_: Path) -> None:
        folder = lake.root / "features" / TABLE
        rows.append([
            pl.read_parquet(folder).height, pq.read_table(folder).num_rows, len(pd.read_parquet(folder)),
            ds.dataset(folder, partitioning="hive").count_rows(),
        ])  # fmt: skip

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fxloom.stores.atomic.flush", look)
        lake.publish(some_record(fingerprint="f2"), MARCH + np.arange(200), None, some_columns())
    assert rows == [[200] * 4]


def test_corrupt_settings_are_named(lake: FolderStore) -> None:
    (lake.root / "settings.json").write_text("{half")
    with pytest.raises(StoreError, match=r"settings.json is corrupt"):
        lake.settings()


def test_bars_without_settings_are_not_taken_for_a_new_store(lake: FolderStore) -> None:
    (lake.root / "settings.json").unlink()
    with pytest.raises(StoreError, match=r"settings.json is missing"):
        lake.settings()
