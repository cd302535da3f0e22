"""Copies of stores that are idle, are written to meanwhile, or are corrupt."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fxloom.engine.partitions import PartitionKey
from fxloom.run.copy import copy_store
from fxloom.run.populate import plan_for, populate
from fxloom.stores.base import StoreError
from fxloom.stores.folder import FolderStore
from fxloom.stores.memory import MemoryStore
from tests.lakes import contents, make_lake

TABLES = ["bqx_momentum", "bollinger"]


@pytest.fixture
def lake(tmp_path: Path) -> FolderStore:
    store = make_lake(tmp_path, ("eurusd", "gbpusd"), dt.date(2024, 1, 25), dt.date(2024, 2, 6))
    assert not populate(store, tables=TABLES, workers=1).troubles
    return store


def test_a_copy_is_the_same(lake: FolderStore, tmp_path: Path) -> None:
    target = FolderStore(tmp_path / "copy")
    report = copy_store(lake, target)
    assert (report.bars, report.partitions, report.present) == (4, 12, 0)
    assert (report.corrupt, report.changed) == ((), ())
    assert (contents(target), target.settings()) == (contents(lake), lake.settings())
    assert copy_store(lake, target).present == 16


def test_a_store_that_changes_meanwhile_is_copied_consistently(lake: FolderStore, tmp_path: Path) -> None:
    """Each partition is republished with other bars during the copy: rows and record stay consistent."""
    target = FolderStore(tmp_path / "copy")
    moved: list[PartitionKey] = []

    def move(_: PartitionKey) -> None:
        if moved:
            return
        for month in ("2024-01", "2024-02"):
            bars = lake.read_bars("eurusd", 28_400_000, 1 << 40)
            rows = bars.between(28_400_000, 28_445_760) if month == "2024-01" else bars.between(28_445_760, 1 << 40)
            close = np.where(np.arange(len(rows)) % 2, rows.high, rows.low)
            lake.write_bars("eurusd", month, replace(rows, close=close), "bid")
        moved.extend(r.key for r in populate(FolderStore(lake.root), tables=TABLES, workers=1).results)

    report = copy_store(lake, target, move)
    assert len(moved) == 6
    assert len(report.changed) >= 3  # both months of bars, and the partitions copied before
    whole = contents(lake)
    late = [key for key, value in contents(target).items() if value == whole[key]]
    assert len(late) >= 10
    states = plan_for(target, tables=TABLES).states
    assert states["stale"] > 0  # computed from bars that the copy lacks, which is reported
    again = copy_store(lake, target)
    assert (again.changed, contents(target)) == ((), whole)
    assert plan_for(target, tables=TABLES).states["fresh"] == 12


def test_a_corrupt_partition_is_reported_and_the_others_copied(lake: FolderStore, tmp_path: Path) -> None:
    path = next(lake.root.glob("features/bollinger_rate/pair=eurusd/month=2024-02/*.parquet"))
    content = bytearray(path.read_bytes())
    content[2000] ^= 1
    path.write_bytes(bytes(content))
    target = FolderStore(tmp_path / "copy")
    report = copy_store(lake, target)
    assert report.partitions == 11
    assert [str(path) in c.why for c in report.corrupt] == [True]
    assert len(target.records()) == 11


def test_settings_are_copied_with_the_bars(lake: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted copy has the settings of the pairs whose bars it has."""
    target = MemoryStore()
    write, written = target.write_bars, []

    def some(pair: str, *rest: object) -> None:
        if pair == "gbpusd":
            raise StoreError("no more")
        written.append(pair)
        write(pair, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(target, "write_bars", some)
    with pytest.raises(StoreError, match="no more"):
        copy_store(lake, target)
    settings = target.settings()
    assert settings is not None
    assert list(settings.pairs) == ["eurusd"]
    monkeypatch.undo()
    copy_store(lake, target)
    assert target.settings() == lake.settings()
