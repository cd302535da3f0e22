"""The files of a folder store, found by pair and month, and folders that only look like the store's."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from fxloom.engine.partitions import PartitionKey, Settings
from fxloom.stores.folder import FolderStore
from fxloom.stores.inventory import KEYS
from fxloom.stores.listing import listed_bars, listed_parts
from fxloom.stores.tree import part_path
from tests.stores.conformance import some_bars


@pytest.fixture
def lake(tmp_path: Path) -> FolderStore:
    store = FolderStore(tmp_path / "lake")
    store.write_settings(Settings())
    store.write_bars("eurusd", "2018-03", some_bars())
    return store


def parts(
    lake: FolderStore, table: str, pairs: Collection[str] | None, first: str = "", last: str = "9999-12"
) -> list[PartitionKey]:
    files = listed_parts(lake.root, [table], pairs, first, last).files
    return [PartitionKey(*key) for key in files.select(KEYS).iter_rows()]


def test_paths_and_keys_correspond(lake: FolderStore) -> None:
    keys = [
        PartitionKey("bollinger_rate", "eurusd", "2018-03"),
        PartitionKey("bollinger_rate", "usdjpy", "2018-02"),
        PartitionKey("cross_sectional_panel", "", "2018-03"),
    ]
    for key in keys:
        part_path(lake.root, key).parent.mkdir(parents=True)
        part_path(lake.root, key).write_bytes(b"")
    assert parts(lake, "bollinger_rate", None) == keys[:2]
    assert parts(lake, "bollinger_rate", ["eurusd"]) == keys[:1]
    assert parts(lake, "bollinger_rate", None, "2018-01", "2018-02") == keys[1:2]
    assert parts(lake, "cross_sectional_panel", []) == keys[2:]
    assert parts(lake, "reg_rate", None) == []
    assert listed_bars(lake.root).files.select("pair", "month").rows() == [("eurusd", "2018-03")]


def test_a_lookalike_folder_with_rows_is_a_stray(lake: FolderStore) -> None:
    for name, rows in (("month=2018-13", True), ("month=2018-03 (copy)", True), ("month=empty", False)):
        (lake.root / "m1" / "pair=eurusd" / name).mkdir()
        if rows:
            (lake.root / "m1" / "pair=eurusd" / name / "bars.parquet").write_bytes(b"")
    assert [path.name for path in listed_bars(lake.root).strays] == ["month=2018-03 (copy)", "month=2018-13"]
