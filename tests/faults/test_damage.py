"""Store files truncated or overwritten by others: detected, reported, and repaired by running again."""

from __future__ import annotations

import datetime as dt
import os
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from fxloom.cli import main
from fxloom.run.ingest import ingest
from fxloom.run.populate import populate
from fxloom.stores.base import StoreError
from fxloom.stores.folder import FolderStore
from tests.lakes import QUICK, contents, make_lake, partition

Damaging = Callable[[bytes, np.random.Generator], bytes]
CASES = max(int(os.environ.get("FXLOOM_FAULTS") or 8) // 4, 2)  # random files per kind of damage


@dataclass(frozen=True)
class Whole:
    root: Path
    files: Path
    features: dict[str, object]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    root = tmp_path_factory.mktemp("whole")
    store = make_lake(root, ("eurusd", "gbpusd"), dt.date(2024, 1, 25), dt.date(2024, 2, 6))
    assert not populate(store, tables=QUICK, workers=1).troubles
    return Whole(store.root, root / "files", contents(store))


@pytest.fixture
def lake(whole: Whole, tmp_path: Path) -> FolderStore:
    return FolderStore(shutil.copytree(whole.root, tmp_path / "lake"))


def cut(data: bytes, generator: np.random.Generator) -> bytes:
    return data[: int(generator.integers(len(data)))]


def emptied(_data: bytes, _generator: np.random.Generator) -> bytes:
    return b""


def garbage(data: bytes, generator: np.random.Generator) -> bytes:
    return generator.bytes(len(data))


def lengthened(data: bytes, generator: np.random.Generator) -> bytes:
    return data + generator.bytes(100)


def spoilt(data: bytes, generator: np.random.Generator) -> bytes:
    """Overwrite part of the pages and keep the footer."""
    begin = int(generator.integers(4, len(data) // 4))
    return data[:begin] + generator.bytes(64) + data[begin + 64 :]


def a_bit(data: bytes, generator: np.random.Generator) -> bytes:
    """Flip one bit in the first half of the file: in a page, not in the footer."""
    at = int(generator.integers(200, len(data) // 2))
    return data[:at] + bytes([data[at] ^ 1 << int(generator.integers(8))]) + data[at + 1 :]


@pytest.mark.parametrize("corruption", [cut, emptied, garbage, lengthened], ids=lambda d: d.__name__)
def test_a_partition_without_a_footer_is_reported_and_recomputed(
    corruption: Damaging, lake: FolderStore, whole: Whole, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = np.random.default_rng(1)
    paths = sorted(lake.root.glob("features/**/part.parquet"))
    for path in generator.choice(np.array(paths, dtype=object), CASES):
        path.write_bytes(corruption(path.read_bytes(), generator))
        assert main(["audit", "--store", lake.url]) == 1
        assert f"CORRUPT {path}" in capsys.readouterr().out
        assert populate(FolderStore(lake.root), tables=QUICK, workers=1).count("done") == 1
        assert contents(lake) == whole.features


@pytest.mark.parametrize("corruption", [spoilt, a_bit], ids=lambda d: d.__name__)
def test_corrupt_pages_fail_their_checksum_and_the_report_names_the_fix(
    corruption: Damaging, lake: FolderStore, whole: Whole, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = np.random.default_rng(2)
    paths = sorted(lake.root.glob("features/**/part.parquet"))
    for path in generator.choice(np.array(paths, dtype=object), CASES):
        path.write_bytes(corruption(path.read_bytes(), generator))
        assert main(["audit", "--store", lake.url, "--whole"]) == 1
        (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("CORRUPT"))
        assert str(path) in line
        cure = shlex.split(line.split("`")[1])
        assert main([*cure, "--store", lake.url, "--workers", "1"]) == 0
        assert contents(lake) == whole.features
        assert not lake.verify()


@pytest.mark.parametrize("corruption", [cut, emptied, garbage, spoilt, a_bit], ids=lambda d: d.__name__)
def test_corrupt_bars_stop_dependent_work_and_are_replaced_by_ingest(
    corruption: Damaging, lake: FolderStore, whole: Whole, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = np.random.default_rng(3)
    path = lake.root / "m1/pair=eurusd/month=2024-02/bars.parquet"
    spoilt_file = corruption(path.read_bytes(), generator)
    path.write_bytes(spoilt_file)
    assert main(["audit", "--store", lake.url]) == 1
    reported = capsys.readouterr()
    assert str(path) in reported.out + reported.err
    assert "ingest the bars of eurusd 2024-02 again" in reported.out + reported.err
    command = ["populate", "--store", lake.url, "--tables", "bollinger", "--force", "--workers", "1"]
    assert main(command) == 1
    assert contents(lake) == whole.features
    capsys.readouterr()
    (report,) = ingest(FolderStore(lake.root), [whole.files / "eurusd.parquet"])
    assert "bars of eurusd 2024-02 were corrupt" in report.notes[-1]
    (kept,) = lake.root.glob("quarantine/m1-eurusd-2024-02-*")
    assert str(kept) in report.notes[-1]
    assert kept.read_bytes() == spoilt_file
    assert report.new == len(lake.read_bars("eurusd", 28_445_760, 1 << 40))
    assert not populate(FolderStore(lake.root), tables=QUICK, workers=1).plan.tasks
    assert main(["audit", "--store", lake.url]) == 0


def test_unreadable_bars_are_not_reported_as_corrupt(
    lake: FolderStore, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more_files(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    before = {path: path.read_bytes() for path in lake.root.glob("m1/**/*.parquet")}
    monkeypatch.setattr("fxloom.stores.folder.pq.ParquetFile", no_more_files)
    assert main(["ingest", "--store", lake.url, str(whole.files)]) == 1
    assert {path: path.read_bytes() for path in lake.root.glob("m1/**/*.parquet")} == before


def test_corrupt_settings_stop_everything_and_name_the_fix(
    lake: FolderStore, whole: Whole, capsys: pytest.CaptureFixture[str]
) -> None:
    (lake.root / "settings.json").write_bytes(b'{"baseline": 12')
    for command in (["audit"], ["populate"], ["ingest", str(whole.files)], ["verify"]):
        assert main([command[0], "--store", lake.url, *command[1:]]) == 1
        assert "settings.json is corrupt" in capsys.readouterr().err
    assert contents(lake) == whole.features


def test_reading_a_flipped_bit_is_right_or_names_the_file(lake: FolderStore) -> None:
    """A flip in the pages is always detected; one in the footer is detected or changes no value."""
    key = max(r.key for r in lake.records(["bollinger_rate"]))
    path = lake.root / f"features/{key.table}/pair={key.pair}/month={key.month}/part.parquet"
    before, content, generator = partition(lake, key), path.read_bytes(), np.random.default_rng(4)
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    named = {True: 0, False: 0}
    for begin, end in ((4, footer), (footer, len(content))):
        for at in generator.integers(begin, end, 10 * CASES):
            flipped = bytearray(content)
            flipped[at] ^= 1 << int(generator.integers(8))
            path.write_bytes(bytes(flipped))
            try:
                assert partition(FolderStore(lake.root), key).equals(before, null_equal=True), at
            except StoreError as error:
                named[bool(at < footer)] += str(path) in str(error)
    assert named[True] == 10 * CASES
    assert named[False] > 0
