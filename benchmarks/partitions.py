"""Writing and reading partitions: the folder store with all tables of one pair and month."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.pair_tables import PairInputs
from fxloom.engine.compute import Computed
from fxloom.engine.partitions import PartitionKey, Record, Settings
from fxloom.features.catalogue import VERSION
from fxloom.stores.folder import FolderStore


@dataclass(frozen=True)
class Throughput:
    """One operation: MB of float32 values and of files, seconds of processor and wall time."""

    what: str
    memory: float
    files: float
    processor: float
    wall: float


def throughputs(inputs: PairInputs) -> list[Throughput]:
    """The best of three runs each of writing and reading all tables of the month."""
    computed = inputs.compute(inputs.tables)
    memory = sum(4.0 * len(c.ts) * (2 + len(c.columns)) for c in computed) / 1e6
    with tempfile.TemporaryDirectory() as folder:
        store = FolderStore(Path(folder) / "store")
        store.write_settings(Settings())
        write = _fastest(lambda: _publish(store, inputs.market.month, computed))
        files = sum(p.stat().st_size for p in Path(folder).rglob("*.parquet")) / 1e6
        read = _fastest(lambda: [_read(store, c.table.name) for c in computed])
        records = _fastest(store.records)
    done = {
        "write (flushed and renamed)": write,
        "read (checksums verified)": read,
        "read the records of the files": records,
    }
    return [Throughput(what, memory, files, *seconds) for what, seconds in done.items()]


def _publish(store: FolderStore, month: str, computed: list[Computed]) -> None:
    for part in computed:
        quality = {name: stats.plain() for name, stats in part.stats.items()}
        key = PartitionKey(part.table.name, part.pair, month)
        store.publish(Record(key, "0" * 32, len(part.ts), VERSION, "", (), quality), part.ts, part.pairs, part.columns)


def _read(store: FolderStore, table: str) -> pl.DataFrame:
    frame = store.scan(table, None, None, None)
    if frame is None:
        raise RuntimeError(f"{table} was not written")
    return frame.collect()


def _fastest(work: Callable[[], object]) -> tuple[float, float]:
    measured = []
    for _ in range(3):
        begin = time.process_time(), time.perf_counter()
        work()
        measured.append((time.process_time() - begin[0], time.perf_counter() - begin[1]))
    return min(cpu for cpu, _ in measured), min(wall for _, wall in measured)
