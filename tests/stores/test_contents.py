"""The index of a folder store: it speeds a store up, never changes what the store says, and can always be lost."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from fxloom.engine.partitions import Settings
from fxloom.stores import contents, index
from fxloom.stores.folder import FolderStore
from fxloom.stores.inventory import Inventory
from tests.stores.conformance import MARCH, TABLE, some_bars, some_columns, some_record

FAULTS = int(os.environ.get("FXLOOM_FAULTS") or 20)  # twice as many flips per file of the index
MONTHS = {"2018-02": MARCH - 40_320, "2018-03": MARCH, "2018-04": MARCH + 44_640}
PAIRS = ("eurusd", "usdjpy", "gbpusd")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderStore:
    """Nine months of bars and nine partitions, in a store that indexes them however few they are."""
    monkeypatch.setattr(contents, "WORTH_SAVING", 1)
    store = FolderStore(tmp_path / "lake")
    store.write_settings(Settings())
    for pair in PAIRS:
        for month, first in MONTHS.items():
            store.write_bars(pair, month, some_bars(first))
            publish(store, pair, month)
    return store


def publish(store: FolderStore, pair: str, month: str, **changed: Any) -> None:
    store.publish(some_record(pair, month, **changed), MONTHS[month] + np.arange(200), None, some_columns())


def plain(inventory: Inventory) -> tuple[list[Any], list[Any]]:
    return inventory.partitions.rows(), inventory.statistics(TABLE).rows()


def indexed(store: FolderStore) -> list[Path]:
    return sorted((store.root / index.FOLDER).glob("*"))


def from_files(store: FolderStore) -> tuple[tuple[list[Any], list[Any]], Any]:
    """What a store without an index says."""
    shutil.rmtree(store.root / index.FOLDER, ignore_errors=True)
    return plain(store.inventory()), store.all_days()


def read_files(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are opened from now on to learn what they hold."""
    opened: list[str] = []
    for name in ("read_record", "read_note", "read_bars_file"):
        real = getattr(contents, name)

        def counted(*args: Any, _real: Any = real) -> Any:
            opened.extend(str(a.relative_to(store.root)) for a in args if isinstance(a, Path))
            return _real(*args)

        monkeypatch.setattr(contents, name, counted)
    return opened


def test_an_indexed_store_says_the_same_without_opening_files(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = from_files(store)
    assert {path.name.partition("-")[0] for path in indexed(store)} == {"parts", "stats", "days"}
    opened = read_files(store, monkeypatch)
    again = FolderStore(store.root)
    assert (plain(again.inventory()), again.all_days()) == expected
    assert opened == []


def test_only_what_has_changed_is_read_again(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from_files(store)
    opened = read_files(store, monkeypatch)
    publish(store, "usdjpy", "2018-03", fingerprint="new", value=9.0)
    store.write_bars("gbpusd", "2018-04", some_bars(MONTHS["2018-04"], 50))
    shutil.rmtree(store.root / "features" / TABLE / "pair=eurusd" / "month=2018-02")
    partitions, statistics = plain(store.inventory())
    days = store.all_days()
    assert opened == [
        f"features/{TABLE}/pair=usdjpy/month=2018-03/part.parquet", "m1/pair=gbpusd/month=2018-04/bars.parquet",
    ]  # fmt: skip
    assert ((partitions, statistics), days) == from_files(store)
    assert (TABLE, "usdjpy", "2018-03", "new") in [row[:4] for row in partitions]
    assert not any(row[1:3] == ("eurusd", "2018-02") for row in partitions)


@pytest.mark.parametrize("kind", ["parts", "stats", "days", "folders"])
@pytest.mark.parametrize("damage", ["deleted", "emptied", "cut", "a bit", "foreign", "a folder"])
def test_a_damaged_index_changes_nothing(store: FolderStore, kind: str, damage: str) -> None:
    expected = from_files(store)
    assert store.find_corrupt() == []
    for path in indexed(store):
        if path.name.startswith(kind):
            content = bytearray(path.read_bytes())
            path.unlink()
            content[len(content) // 2] ^= 1
            damaged = {"emptied": b"", "cut": content[:100], "a bit": content, "foreign": b"not ours"}
            if damage in damaged:
                path.write_bytes(bytes(damaged[damage]))
            elif damage == "a folder":
                path.mkdir()
    again = FolderStore(store.root)
    assert (plain(again.inventory()), again.all_days()) == expected
    assert again.find_corrupt() == []


def test_flips_in_an_index_are_without_effect(store: FolderStore) -> None:
    expected = from_files(store)
    store.find_corrupt()
    rng = np.random.default_rng(1)
    for path in indexed(store):
        content = path.read_bytes()
        for at in rng.integers(len(content), size=2 * FAULTS):
            flipped = bytearray(content)
            flipped[at] ^= 1 << int(rng.integers(8))
            path.write_bytes(bytes(flipped))
            again = FolderStore(store.root)
            assert (plain(again.inventory()), again.all_days()) == expected
            path.write_bytes(content)


def test_an_index_of_another_version_is_neither_read_nor_removed(store: FolderStore) -> None:
    expected = from_files(store)
    schema = contents.PARTS | {"later": pl.Int64}
    later = index.Index(store.root, {"parts": schema})
    assert later.segments("parts") == []
    name = later.add("parts", [pl.DataFrame(schema=schema)])
    assert name is not None
    assert (plain(store.inventory()), store.all_days()) == expected
    assert later.names("parts") == [name]


def test_a_file_put_back_with_other_content_and_the_same_size_is_read_again(store: FolderStore) -> None:
    publish(store, "eurusd", "2018-03", fingerprint="aa")
    from_files(store)
    path = store.root / "features" / TABLE / "pair=eurusd" / "month=2018-03" / "part.parquet"
    size = path.stat().st_size
    publish(store, "eurusd", "2018-03", fingerprint="bb")
    assert path.stat().st_size == size
    assert (TABLE, "eurusd", "2018-03", "bb") in [row[:4] for row in store.inventory().partitions.rows()]


def test_many_segments_are_merged(store: FolderStore) -> None:
    from_files(store)
    for n in range(12):
        publish(store, "eurusd", "2018-03", fingerprint=f"f{n}")
        FolderStore(store.root).inventory()
    assert len([path for path in indexed(store) if path.name.startswith("parts")]) <= index.MOST_SEGMENTS + 1
    found = plain(FolderStore(store.root).inventory())
    assert found == from_files(store)[0]


def test_a_look_at_some_tables_does_not_forget_the_others(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from_files(store)
    monkeypatch.setattr(contents, "MOST_SEGMENTS", 0)
    before = indexed(store)
    assert store.inventory(["reg_rate"]).partitions.height == 0
    assert indexed(store) == before
    opened = read_files(store, monkeypatch)
    assert store.inventory().partitions.height == 9
    assert opened == []


def test_two_processes_at_once_agree(store: FolderStore) -> None:
    expected = from_files(store)
    shutil.rmtree(store.root / index.FOLDER)

    def look(_: int) -> Any:
        own = FolderStore(store.root)
        return plain(own.inventory()), own.all_days()

    with ThreadPoolExecutor(4) as pool:
        assert all(found == expected for found in pool.map(look, range(16)))


def test_a_store_that_cannot_be_written_to_is_read_without_an_index(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = from_files(store)
    shutil.rmtree(store.root / index.FOLDER)

    def refused(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "read-only")

    monkeypatch.setattr(os, "mkdir", refused)
    monkeypatch.setattr(Path, "mkdir", refused)
    assert (plain(store.inventory()), store.all_days()) == expected
    assert not indexed(store)


def test_a_user_who_does_not_own_the_store_leaves_nothing_in_it(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else an audit by root would create folders that the owner's next populate could not write to."""
    expected = from_files(store)
    shutil.rmtree(store.root / index.FOLDER)
    before = sorted(store.root.rglob("*"))
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert (plain(store.inventory()), store.all_days()) == expected
    assert store.find_corrupt() == []
    assert sorted(store.root.rglob("*")) == before


def test_files_beside_partitions_are_found_whether_indexed_or_not(store: FolderStore) -> None:
    for _ in range(2):
        assert store.find_corrupt() == []
    beside = store.root / "features" / TABLE / "pair=eurusd" / "month=2018-03" / "part (copy).parquet"
    beside.write_bytes(b"x")
    for _ in range(2):
        assert [found.where for found in store.find_corrupt()] == [str(beside)]
    beside.unlink()
    assert store.find_corrupt() == []


def test_bars_are_read_whole_once(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert store.find_corrupt() == []
    opened = read_files(store, monkeypatch)
    assert store.find_corrupt() == []
    assert opened == []
    path = store.root / "m1" / "pair=eurusd" / "month=2018-03" / "bars.parquet"
    content = bytearray(path.read_bytes())
    content[300] ^= 4
    path.write_bytes(bytes(content))
    for _ in range(2):
        assert [found.where for found in store.find_corrupt()] == [str(path)]
    assert set(opened) == {"m1/pair=eurusd/month=2018-03/bars.parquet"}
