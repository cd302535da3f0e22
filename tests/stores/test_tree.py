"""The layout of a folder store, and which files belong to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxloom.engine.partitions import Settings
from fxloom.stores.folder import FolderStore
from fxloom.stores.tree import enclosing_store
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
