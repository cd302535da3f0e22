"""Files are read once each, in as many processes as asked for, and the store is the same whatever their number."""

from __future__ import annotations

import datetime as dt
import os
import random
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from fxloom.run import reading
from fxloom.run.executors import processes
from fxloom.run.ingest import FileReport, ingest
from fxloom.run.settling import IngestOptions
from fxloom.sources import ReadOptions, parsing
from fxloom.sources import reading as sources_reading
from fxloom.sources.records import FileResult
from fxloom.sources.walk import Found
from fxloom.stores.folder import FolderStore
from tests.sources.vendor_files import market_minutes, mt4, prices

PAIRS = ("eurusd", "eurgbp", "gbpusd")


@pytest.fixture
def always_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even small files are read in processes."""
    monkeypatch.setattr(reading, "BYTES_PER_PROCESS", 1)


def write_file(path: Path, first: dt.date, weeks: int = 2, level: float = 1.1, seed: int = 1) -> Path:
    """A file of MetaTrader's minute bars whose weeks are on UTC+0."""
    path.parent.mkdir(parents=True, exist_ok=True)
    times = market_minutes(first, weeks)
    path.write_text("\n".join(map(mt4, times, prices(len(times), level, seed))))
    return path


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Overlapping files, a zip, a tar, a file that is refused and one that is left out."""
    root = tmp_path / "files"
    found = [
        write_file(root / f"{pair}_{n}.csv", dt.date(2024, 1, 7 + 7 * n), 3, level, seed=n)
        for pair, level in zip(PAIRS, (1.1, 0.85, 1.27), strict=True)
        for n in range(3)
    ]
    inside = [write_file(root / "in" / f"usdjpy_{n}.csv", dt.date(2024, 2, 4 + 7 * n), 2, 150, n) for n in range(3)]
    with zipfile.ZipFile(root / "usdjpy.zip", "w") as archive:
        for path in inside[:2]:
            archive.write(path, path.name)
    with tarfile.open(root / "usdjpy.tar.gz", "w:gz") as tar:
        for path in inside:
            tar.add(path, path.name)
    (root / "eurusd_daily.csv").write_text("Date,Open,High,Low,Close\n2024-01-02,1,1,1,1\n2024-01-03,1,1,1,1\n")
    (root / "notes.pdf").write_text("not data")
    return [*found, root / "usdjpy.zip", root / "usdjpy.tar.gz", root / "eurusd_daily.csv", root / "notes.pdf"]


def ingested(root: Path, paths: list[Path], **options: Any) -> tuple[list[FileReport], dict[str, bytes]]:
    reports = ingest(FolderStore(root), paths, ReadOptions(zone="utc"), **options)
    stored = {
        str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file() and ".lock" not in p.name
    }
    return reports, stored


@pytest.mark.usefixtures("always_processes")
def test_neither_processes_nor_the_order_of_paths_change_the_store(files: list[Path], tmp_path: Path) -> None:
    reports, stored = ingested(tmp_path / "one", files, workers=1)
    assert len(reports) == 9 + 2 + 3 + 1 + 1
    assert [bool(r.refused) for r in reports].count(True) >= 1
    assert len([name for name in stored if name.startswith("m1/")]) >= 4
    random.Random(5).shuffle(files)
    assert ingested(tmp_path / "four", [*files, files[0].parent / "usdjpy.zip"], workers=4) == (reports, stored)


@pytest.mark.parametrize(
    ("reading_options", "options"),
    [
        (ReadOptions(zone="utc"), IngestOptions()),
        (ReadOptions(), IngestOptions()),
        (ReadOptions(zone="+2", trust_zone=True, stamp="close"), IngestOptions(replace=True)),
        (ReadOptions(pair="eurusd", format="mt4"), IngestOptions(volume=False, quotes=False)),
        (ReadOptions(), IngestOptions(trust_prices=True)),
    ],
)
def test_every_file_is_parsed_once(
    reading_options: ReadOptions, options: IngestOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        write_file(tmp_path / "files" / f"eurusd_{n}.csv", dt.date(2024, 1, 7 + 7 * n), 2)
    parsed: list[str] = []
    parse = parsing.parsed

    def counted(entry: Any, *rest: Any) -> Any:
        parsed.append(Path(entry.name).name)
        return parse(entry, *rest)

    monkeypatch.setattr(sources_reading, "parsed", counted)
    reports = ingest(FolderStore(tmp_path / "lake"), [tmp_path / "files"], reading_options, options)
    assert len(reports) == 3
    assert parsed == [f"eurusd_{n}.csv" for n in range(3)]


def test_one_or_two_small_files_start_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "ProcessExecutor", lambda *_: pytest.fail("a process was started"))
    paths = [write_file(tmp_path / f"{pair}.csv", dt.date(2024, 1, 7), 2) for pair in PAIRS[:2]]
    assert len(ingest(FolderStore(tmp_path / "lake"), paths, workers=4)) == 2


def dying(found: Found, options: ReadOptions) -> list[FileResult]:
    """Read ``found``, unless its name says that the process dies of it."""
    if "1" in Path(found.name).name:
        os._exit(9)
    return sources_reading.results_of(found, options)


@pytest.mark.usefixtures("always_processes")
def test_a_worker_that_dies_refuses_its_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "results_of", dying)
    for n in range(4):
        write_file(tmp_path / "files" / f"eurusd_{n}.csv", dt.date(2024, 1, 7 + 7 * n), 1)
    reports = ingest(FolderStore(tmp_path / "lake"), [tmp_path / "files"], ReadOptions(zone="utc"), workers=2)
    assert [Path(r.name).name for r in reports] == [f"eurusd_{n}.csv" for n in range(4)]
    assert [bool(r.new) for r in reports] == [True, False, True, True]
    assert "its worker process died 2 times while running it alone: killed, or out of memory" in reports[1].refused
    assert "split the file by month" in reports[1].refused


def test_progress_counts_files_and_those_in_archives(files: list[Path], tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    ingest(FolderStore(tmp_path / "lake"), files, on_progress=lambda done, known: seen.append((done, known)))
    assert [done for done, _ in seen] == list(range(17))
    assert seen[0] == (0, 14)  # the tar counts as one until it is opened
    assert seen[-1] == (16, 16)
