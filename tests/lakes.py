"""Small stores for tests: a synthetic market of two pairs and two months, ingested as a user would."""

from __future__ import annotations

import datetime as dt
import json
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from fxloom.bars.bars import Bars
from fxloom.bars.synthetic import synthetic_market
from fxloom.engine.partitions import PartitionKey
from fxloom.run.ingest import ingest
from fxloom.stores.base import Store
from fxloom.stores.folder import FolderStore
from fxloom.stores.frames import bars_table

PAIRS = ("eurusd", "usdjpy")
START, END = dt.date(2024, 1, 1), dt.date(2024, 3, 1)
QUICK = ["bqx_momentum", "bollinger", "time_features"]  # tables that compile and compute quickly


def write_market(folder: Path, pairs: tuple[str, ...] = PAIRS, start: dt.date = START, end: dt.date = END) -> Path:
    """Parquet files of a synthetic market, one per pair."""
    folder.mkdir(parents=True, exist_ok=True)
    for pair, bars in synthetic_market(start, end, pairs).items():
        write_bars(folder / f"{pair}.parquet", bars)
    return folder


def write_bars(path: Path, bars: Bars) -> Path:
    pq.write_table(bars_table(bars), path)
    return path


def make_lake(root: Path, pairs: tuple[str, ...] = PAIRS, start: dt.date = START, end: dt.date = END) -> FolderStore:
    """A folder store with the bars of a synthetic market."""
    store = FolderStore(root / "lake")
    reports = ingest(store, [write_market(root / "files", pairs, start, end)])
    assert not [r for r in reports if r.refused]
    return store


def partition(store: Store, key: PartitionKey) -> pl.DataFrame:
    """The rows of one partition: ts_utc, pair, features, by time and pair."""
    found = store.partition(key)
    assert found is not None
    return found[1]


def contents(store: Store) -> dict[str, object]:
    """All partitions of a folder store: values and metadata, without creation times."""
    assert isinstance(store, FolderStore)
    found: dict[str, object] = {}
    for path in sorted(store.root.glob("features/**/*.parquet")):
        table = pq.read_table(path, partitioning=None)
        record = json.loads(table.schema.metadata[b"fxloom"])
        record.pop("made")
        columns = {name: table[name].to_numpy().tobytes() for name in table.column_names}
        found[str(path.relative_to(store.root))] = (record, columns)
    return found


DIES = """
import os, signal, sys
from fxloom.cli import main
from fxloom.stores.folder import FolderStore
from fxloom.stores.postgres import PostgresStore
left = int(sys.argv.pop(1))
def deadly(real):
    def publish(*args):
        global left
        real(*args)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return publish
for store in (FolderStore, PostgresStore):
    store.publish = deadly(store.publish)
main(sys.argv[1:])
"""


def killed_populate(address: str, tables: list[str], partitions: int) -> None:
    """Run populate in a new process that kills itself with SIGKILL after publishing ``partitions`` partitions."""
    command = ["populate", "--store", address, "--tables", ",".join(tables), "--workers", "1"]
    run = [sys.executable, "-c", DIES, str(partitions), *command]
    assert subprocess.run(run, stdout=subprocess.DEVNULL, check=False).returncode == -signal.SIGKILL
