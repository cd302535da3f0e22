"""The layout of a folder store, and which files belong to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxloom.engine.partitions import PartitionKey, Settings
from fxloom.stores.folder import FolderStore
from fxloom.stores.tree import enclosing_store, list_bars, list_parts, part_path
from tests.stores.conformance import some_bars


@pytest.fixture
def lake(tmp_path: Path) -> FolderStore:
    store = FolderStore(tmp_path / "lake")
    store.write_settings(Settings())
    store.write_bars("eurusd", "2018-03", some_bars())
    return store


def test_the_store_containing_a_path_is_found(lake: FolderStore, tmp_path: Path) -> None:
    """So that other commands do not write into a store."""
    for inside in ("matrix.parquet", "m1/x.parquet", "features/bollinger_rate/month=2018-03/x.parquet"):
        assert enclosing_store(lake.root / inside) == lake.root
    (tmp_path / "link").symlink_to(lake.root / "m1")
    assert enclosing_store(tmp_path / "link" / "x.parquet") == lake.root.resolve()
    assert enclosing_store(tmp_path / "x.parquet") is None
    assert enclosing_store(tmp_path / "lake") is None


def test_paths_and_keys_correspond(lake: FolderStore) -> None:
    keys = [
        PartitionKey("bollinger_rate", "eurusd", "2018-03"),
        PartitionKey("bollinger_rate", "usdjpy", "2018-02"),
        PartitionKey("cross_sectional_panel", "", "2018-03"),
    ]
    for key in keys:
        part_path(lake.root, key).parent.mkdir(parents=True)
        part_path(lake.root, key).write_bytes(b"")
    assert [key for key, _ in list_parts(lake.root, "bollinger_rate", None, "", "9999-12").parts] == keys[:2]
    assert [key for key, _ in list_parts(lake.root, "bollinger_rate", ["eurusd"], "", "9999-12").parts] == keys[:1]
    assert [key for key, _ in list_parts(lake.root, "bollinger_rate", None, "2018-01", "2018-02").parts] == keys[1:2]
    assert [key for key, _ in list_parts(lake.root, "cross_sectional_panel", [], "", "9999-12").parts] == keys[2:]
    assert [key for key, _ in list_parts(lake.root, "reg_rate", None, "", "9999-12").parts] == []
    assert [(pair, month) for pair, month, _ in list_bars(lake.root).bars] == [("eurusd", "2018-03")]


def test_a_lookalike_folder_with_rows_is_a_stray(lake: FolderStore) -> None:
    for name, rows in (("month=2018-13", True), ("month=2018-03 (copy)", True), ("month=empty", False)):
        (lake.root / "m1" / "pair=eurusd" / name).mkdir()
        if rows:
            (lake.root / "m1" / "pair=eurusd" / name / "bars.parquet").write_bytes(b"")
    assert [path.name for path in list_bars(lake.root).strays] == ["month=2018-03 (copy)", "month=2018-13"]
