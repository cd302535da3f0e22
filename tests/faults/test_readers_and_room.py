"""Readers during writes, full disks, read-only stores, and memory limits."""

from __future__ import annotations

import datetime as dt
import os
import resource
import subprocess
import sys
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pytest

from fxloom.run.ingest import ingest
from fxloom.run.populate import populate
from fxloom.stores.atomic import INCOMING
from fxloom.stores.folder import FolderStore
from tests.faults.victims import (
    checksum_of,
    populating,
    populating_often,
    reading,
    result_of,
    start,
    unprivileged,
    with_file_limit,
)
from tests.lakes import QUICK, contents, make_lake

ROUNDS = max(int(os.environ.get("FXLOOM_FAULTS") or 8) // 4, 2)


@pytest.fixture
def lake(tmp_path: Path) -> FolderStore:
    return make_lake(tmp_path, ("eurusd", "gbpusd"), dt.date(2024, 1, 25), dt.date(2024, 2, 6))


def test_a_reader_never_sees_half_a_partition(lake: FolderStore) -> None:
    assert not populate(lake, tables=QUICK, workers=1).troubles
    before = contents(lake)
    paths = sorted(str(p.relative_to(lake.root)) for p in lake.root.glob("features/**/part.parquet"))
    reader, reported = start(reading, lake.url, {name: checksum_of(lake.root / name) for name in paths})
    written = 0
    for _ in range(ROUNDS):
        assert result_of(populating, lake.url, True) == []
        written += len(paths)
    reported.send("enough")
    reads, wrong = reported.recv()
    reader.join()
    print(f"\nreader: {reads} reads while {written} partitions were replaced, {len(wrong)} not whole")
    assert reads >= len(paths)
    assert wrong == []
    assert contents(lake) == before


def polars_rows(folder: Path) -> int:
    return pl.read_parquet(folder).height


def pyarrow_rows(folder: Path) -> int:
    return int(ds.dataset(folder, partitioning="hive").to_table().num_rows)


def pandas_rows(folder: Path) -> int:
    return len(pd.read_parquet(folder))


def duckdb_rows(folder: Path) -> int:
    duckdb = pytest.importorskip("duckdb")
    query = f"select count(*) from read_parquet('{folder}/**/*.parquet')"
    return int(duckdb.connect().execute(query).fetchall()[0][0])


LIBRARIES = {"polars": polars_rows, "pyarrow": pyarrow_rows, "pandas": pandas_rows, "duckdb": duckdb_rows}


@pytest.mark.parametrize("library", list(LIBRARIES))
def test_folder_readers_see_exactly_the_published_rows(library: str, lake: FolderStore) -> None:
    """While all partitions are replaced, and with leftovers of killed writers present."""
    assert not populate(lake, tables=QUICK, workers=1).troubles
    (lake.root / INCOMING).mkdir(exist_ok=True)
    (lake.root / INCOMING / f"{'0' * 32}.tmp").write_bytes(b"PAR1 half")
    folder, count = lake.root / "features" / "bollinger_rate", LIBRARIES[library]
    whole = count(folder)
    assert whole == sum(r.rows for r in lake.records(["bollinger_rate"]))
    writer, reported = start(populating_often, lake.url, ROUNDS)
    reads, wrong = 0, []
    while not reported.poll() or not reads:
        found = count(folder)
        reads += 1
        if found != whole:
            wrong.append(found)
    assert reported.recv() == []
    writer.join()
    print(f"\n{library}: {reads} reads of the folder beside {ROUNDS} rewrites, {len(wrong)} wrong")
    assert (reads > 0, wrong) == (True, [])


@pytest.mark.parametrize("limit", [100, 20_000])
def test_a_full_disk_leaves_only_whole_files(limit: int, lake: FolderStore, tmp_path: Path) -> None:
    files = str(tmp_path / "files")
    fresh = FolderStore(tmp_path / "fresh")
    status, reported = result_of(with_file_limit, "ingest", fresh.url, files, limit)
    assert (status, "free some space and run the command again" in reported) == (1, True)
    assert not list(fresh.root.glob("**/*.tmp"))
    assert not [r for r in ingest(fresh, [files]) if r.refused]
    assert result_of(with_file_limit, "populate", lake.url, files, limit)[0] == 1
    assert not list(lake.root.glob("**/*.tmp"))
    held = contents(lake)
    assert not populate(lake, tables=QUICK, workers=1).troubles
    assert not populate(fresh, tables=QUICK, workers=1).troubles
    assert contents(lake) == contents(fresh)
    assert {key: contents(lake)[key] for key in held} == held


def test_a_read_only_store(lake: FolderStore, tmp_path: Path) -> None:
    assert not populate(lake, tables=["bqx_momentum"], workers=1).troubles
    before = contents(lake)
    everything = [lake.root, *lake.root.glob("**/*")]
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    for work in ("ingest", "populate"):
        status, reported = result_of(unprivileged, work, lake.url, str(tmp_path / "files"))
        assert (status, "cannot be written to" in reported) == (1, True), reported
    assert result_of(unprivileged, "audit", lake.url, "") == (0, "")
    assert contents(lake) == before
    for path in everything:
        path.chmod(0o755)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory")
@pytest.mark.parametrize("gigabytes", [0.8, 1.0, 1.4, 2.0] if ROUNDS > 10 else [1.0])
def test_running_out_of_memory_ends_the_run_and_corrupts_nothing(
    gigabytes: float, lake: FolderStore, tmp_path: Path
) -> None:
    """Memory may run out in the parent, a worker or Arrow's threads; valid bars are never reported as corrupt."""
    bars = {path: path.read_bytes() for path in lake.root.glob("m1/**/*.parquet")}
    for command in (["populate", "--workers", "2", "--tables", ",".join(QUICK)], ["ingest", str(tmp_path / "files")]):
        program = [sys.executable, "-m", "fxloom", command[0], "--store", lake.url, *command[1:]]
        limit = int(gigabytes * 1e9)
        ended = subprocess.run(
            program, capture_output=True, check=False, timeout=1200,
            preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),  # type: ignore[misc]
        )  # fmt: skip
        print(f"\n{command[0]} with {gigabytes} GB of address space: status {ended.returncode}")
    assert {path: path.read_bytes() for path in lake.root.glob("m1/**/*.parquet")} == bars
    assert not list(lake.root.glob("quarantine/*"))
    assert not populate(lake, tables=QUICK, workers=1).troubles
