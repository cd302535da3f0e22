"""The folder store: the conformance suite, and what only files can do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from fxloom.bars.pairs import PairInfo
from fxloom.engine.partitions import Settings
from fxloom.stores.base import StoreError
from fxloom.stores.folder import FolderStore
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


def test_files_are_where_any_reader_looks_for_them(lake: FolderStore) -> None:
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
    with pytest.raises(OSError, match="No space"):
        lake.publish(some_record(fingerprint="f2"), MARCH + np.arange(200), None, some_columns())
    assert part(lake).read_bytes() == before
    assert [p.name for p in part(lake).parent.iterdir()] == ["part.parquet"]


def test_temporaries_of_a_killed_run_are_cleared_by_the_next_writer(lake: FolderStore) -> None:
    left = part(lake).with_name("part.parquet.tmp-0123456789ab")
    left.write_bytes(b"half")
    assert len(lake.records()) == 1
    with lake.exclusive("populate"):
        assert not left.exists()


@pytest.mark.parametrize("content", [b"", b"PAR1garbage", b"\x00" * 5000], ids=["empty", "cut", "zeros"])
def test_a_damaged_partition_is_named_and_counts_as_missing(lake: FolderStore, content: bytes) -> None:
    part(lake).write_bytes(content)
    assert lake.records() == []
    assert [d.where for d in lake.find_corrupt()] == [str(part(lake))]


def test_damaged_bars_are_named_with_the_cure(lake: FolderStore) -> None:
    path = lake.root / "m1" / "pair=eurusd" / "month=2018-03" / "bars.parquet"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(StoreError, match=r"bars.parquet is damaged.*ingest"):
        lake.read_bars("eurusd", MARCH, MARCH + 1)


def test_a_flipped_bit_in_stored_bars_is_noticed(lake: FolderStore) -> None:
    path = lake.root / "m1" / "pair=eurusd" / "month=2018-03" / "bars.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0x10
    path.write_bytes(bytes(content))
    with pytest.raises(StoreError, match="damaged"):
        lake.read_bars("eurusd", MARCH, MARCH + 1000)


def test_a_flipped_bit_in_stored_features_gives_no_number(lake: FolderStore) -> None:
    content = bytearray(part(lake).read_bytes())
    content[len(content) // 3] ^= 0x10
    part(lake).write_bytes(bytes(content))
    frame = lake.scan(TABLE, ["eurusd"], None, None)
    assert frame is not None
    with pytest.raises(StoreError, match=rf"part.parquet is damaged.*populate --force --tables {TABLE} --pairs eurusd"):
        frame.collect()


def test_a_file_older_than_a_feature_has_nulls_for_it(lake: FolderStore) -> None:
    table = pq.ParquetFile(part(lake)).read()
    gone = table.column_names[-1]
    pq.write_table(table.drop_columns([gone]), part(lake))
    frame = lake.scan(TABLE, ["eurusd"], None, None)
    assert frame is not None
    rows = frame.collect()
    assert rows[gone].null_count() == rows.height == table.num_rows
    assert rows.schema[gone] == pl.Float32


def test_damaged_settings_are_named(lake: FolderStore) -> None:
    (lake.root / "settings.json").write_text("{half")
    with pytest.raises(StoreError, match=r"settings.json is damaged"):
        lake.settings()


def test_bars_without_settings_are_not_taken_for_a_new_store(lake: FolderStore) -> None:
    (lake.root / "settings.json").unlink()
    with pytest.raises(StoreError, match=r"settings.json is missing"):
        lake.settings()
