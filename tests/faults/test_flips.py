"""One flipped bit anywhere in any kind of store file: reads return what was written, or name the file."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fxloom.bars.months import month_bounds
from fxloom.engine.partitions import PartitionKey
from fxloom.run.outcomes import record_outcomes, troubles_of
from fxloom.run.populate import plan_for, populate
from fxloom.run.results import PartitionResult
from fxloom.stores.base import StoreError
from fxloom.stores.folder import FolderStore
from tests.lakes import QUICK, make_lake

FLIPS = 24 * int(os.environ.get("FXLOOM_FAULTS") or 4)  # per kind of file and half; 33,600 in total under make faults


@dataclass
class Count:
    """Flips tried, detected, and without effect on what is read."""

    flips: int = 0
    named: int = 0
    harmless: int = 0


@pytest.fixture(scope="module")
def count() -> Iterator[dict[str, Count]]:
    counts: dict[str, Count] = {}
    yield counts
    for kind, c in counts.items():
        print(f"\nflips in {kind}: {c.flips}, {c.named} named, {c.harmless} without effect, 0 silent")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    store = make_lake(tmp_path_factory.mktemp("full"), ("eurusd",), dt.date(2024, 1, 30), dt.date(2024, 2, 3))
    assert not populate(store, tables=QUICK, workers=1).troubles
    return store


@pytest.fixture
def lake(full: FolderStore, tmp_path: Path) -> FolderStore:
    return FolderStore(shutil.copytree(full.root, tmp_path / "lake"))


def plain_bars(store: FolderStore, month: str) -> Any:
    """Everything that can be read from a month of bars."""
    bars = store.read_bars("eurusd", *month_bounds(month))
    columns = (bars.ts, bars.open, bars.high, bars.low, bars.close, bars.volume, bars.spread)
    return [None if c is None else c.tobytes() for c in columns], store.bar_months("eurusd")[month]


def plain_partition(store: FolderStore, table: str, month: str) -> Any:
    """Everything that can be read from a partition, including its record."""
    keys = [r.key for r in store.records([table]) if r.key.month == month]
    if not keys:
        (corrupt,) = store.find_corrupt()
        raise StoreError(f"{corrupt.where}: {corrupt.why}")
    found = store.partition(keys[0])
    assert found is not None
    return asdict(found[0]), [column.to_list() for column in found[1].fill_nan(None)]


def flip_everywhere(
    path: Path, read: Callable[[], Any], halves: list[tuple[int, int]], count: Count, shown: str = ""
) -> None:
    """Flip bits within the bounds of each of ``halves``, one at a time, and read."""
    content, before = path.read_bytes(), read()
    generator = np.random.default_rng(len(content))
    for begin, end in halves:
        for at in generator.integers(begin, end, FLIPS).tolist():
            flipped = bytearray(content)
            flipped[at] ^= 1 << int(generator.integers(8))
            path.write_bytes(bytes(flipped))
            count.flips += 1
            named = ""
            try:
                assert read() == before, f"byte {at} of {len(content)}"
            except StoreError as error:
                named = str(error)
            assert not named or (shown or str(path)) in named, f"byte {at}: {named}"
            count.named, count.harmless = count.named + bool(named), count.harmless + (not named)
    path.write_bytes(content)
    assert read() == before


def footer_of(path: Path) -> int:
    content = path.read_bytes()
    return len(content) - 8 - int.from_bytes(content[-8:-4], "little")


def test_bars(lake: FolderStore, count: dict[str, Count]) -> None:
    path = lake.root / "m1/pair=eurusd/month=2024-02/bars.parquet"
    halves = [(0, footer_of(path)), (footer_of(path), path.stat().st_size)]
    flip_everywhere(
        path, lambda: plain_bars(FolderStore(lake.root), "2024-02"), halves, count.setdefault("bars", Count())
    )


@pytest.mark.parametrize("table", ["bollinger_rate", "time_features"])
def test_features(table: str, lake: FolderStore, count: dict[str, Count]) -> None:
    path = lake.root / f"features/{table}/pair=eurusd/month=2024-02/part.parquet"
    halves = [(0, footer_of(path)), (footer_of(path), path.stat().st_size)]
    tally = count.setdefault(f"features of {table}", Count())
    flip_everywhere(path, lambda: plain_partition(FolderStore(lake.root), table, "2024-02"), halves, tally)


def test_settings(lake: FolderStore, count: dict[str, Count]) -> None:
    path = lake.root / "settings.json"
    tally = count.setdefault("settings", Count())
    flip_everywhere(path, lambda: FolderStore(lake.root).settings(), [(0, path.stat().st_size)], tally)


def test_outcomes(lake: FolderStore, count: dict[str, Count]) -> None:
    """Why partitions were not written: what `read` says of them is as recorded, or the document is named."""
    keys = [PartitionKey("bollinger_rate", "eurusd", "2024-02"), PartitionKey("time_features", "eurusd", "2024-02")]
    lost = [PartitionResult(key, "refused", why="its values jump by a factor of 1,000") for key in keys]
    record_outcomes(lake, plan_for(lake), lost)
    path = lake.root / "outcomes.json"
    assert sorted(troubles_of(lake)) == sorted(keys)
    halves = [(0, path.stat().st_size)]
    tally = count.setdefault("outcomes", Count())
    flip_everywhere(path, lambda: troubles_of(FolderStore(lake.root)), halves, tally, f"outcomes.json in {lake.url}")
