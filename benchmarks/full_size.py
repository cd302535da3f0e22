"""Costs at full size: ten years of 28 pairs, 161,400 partitions; and a real year of 28 pairs.

``python -m benchmarks.full_size`` makes the ten-year store (thin bars, synthetic values; 7 GB, some minutes) and prints
what planning, audit, index and reads cost; ``--store DIR`` keeps and reuses it. ``--populate MONTHS`` ingests and
populates a synthetic market of 28 pairs instead, with 1 and 2 workers.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

import polars as pl
import pyarrow.parquet as pq

import fxloom
from benchmarks.full_store import MONTHS, make_full_store, thin_bars
from benchmarks.machine import description
from benchmarks.timing import processor_seconds
from fxloom.bars.pairs import PAIRS
from fxloom.bars.synthetic import synthetic_market
from fxloom.run.populate import populate
from fxloom.stores.folder import FolderStore
from fxloom.stores.frames import bars_table


@dataclass(frozen=True)
class Cost:
    """Seconds of wall and processor time, and the largest memory in bytes."""

    wall: float
    processor: float
    memory: int

    def __str__(self) -> str:
        return f"{self.wall:8.2f} s  {self.processor:8.2f} s processor  {self.memory / 1e6:7,.0f} MB"


def command(*words: str) -> Cost:
    """The cost of one ``fxloom`` command in a process of its own; RuntimeError if it fails."""
    begin = time.perf_counter()
    process = Popen([sys.executable, "-m", "fxloom", *words], stdout=DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"fxloom {' '.join(words)} failed")
    return Cost(time.perf_counter() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss << 10)


def ten_years(root: Path) -> None:
    """Print what the full store costs."""
    store = str(root)
    shutil.rmtree(root / "_index", ignore_errors=True)
    print(f"index rebuilt (populate --plan)   {command('populate', '--plan', '--store', store)}")
    print(f"audit, bars read whole once       {command('audit', '--store', store)}")
    print(f"populate with nothing to do       {_best('populate', '--store', store)}")
    print(f"audit                             {_best('audit', '--store', store)}")
    print(f"audit --json                      {_best('audit', '--json', '--store', store)}")
    opened, last = FolderStore(root), MONTHS[-1]
    bars = thin_bars("eurusd", last)
    opened.write_bars("eurusd", last, bars.take(slice(0, len(bars) - 24)))  # as before its last day came
    try:
        print(f"a day of one pair: plan           {_best('populate', '--plan', '--store', store)}")
    finally:
        opened.write_bars("eurusd", last, bars)
    print(f"one feature, one pair, one day    {1e3 * one_day(root):.1f} ms")


def _best(*words: str) -> Cost:
    return min((command(*words) for _ in range(3)), key=lambda cost: cost.wall)


def one_day(root: Path) -> float:
    """Seconds of a read of one feature of one pair and day, the median of twenty."""

    def read() -> None:
        frame = fxloom.open_store(root).read("bb_width_15_rate", "eurusd", "2023-06-14", "2023-06-15").collect()
        if frame.height != 24:
            raise RuntimeError(f"{frame.height} rows instead of 24")

    spent = []
    for _ in range(20):
        begin = time.perf_counter()
        read()
        spent.append(time.perf_counter() - begin)
    return statistics.median(spent)


def pair_month(root: Path, month: str) -> tuple[float, float]:
    """Processor seconds of all features of eurusd in ``month``: read by fxloom, and by polars laid side by side.

    polars reads the same files, and the panel's for all pairs, and checks neither times nor checksums.
    """
    paths = sorted(root.glob(f"features/*/pair=eurusd/month={month}/part.parquet"))
    panel = root / f"features/cross_sectional_panel/month={month}/part.parquet"
    end = (dt.date.fromisoformat(f"{month}-01") + dt.timedelta(days=32)).replace(day=1).isoformat()

    def ours() -> pl.DataFrame:
        store = fxloom.open_store(root)
        return store.read("*", "eurusd", f"{month}-01", end, allow="all").collect()

    def theirs() -> pl.DataFrame:
        frames = [pl.read_parquet(path, hive_partitioning=False) for path in paths]
        frames.append(pl.read_parquet(panel, hive_partitioning=False).filter(pl.col("pair") == "eurusd").drop("pair"))
        return pl.concat([frames[0], *(frame.drop("ts_utc") for frame in frames[1:])], how="horizontal")

    spent = [(processor_seconds(ours)[0], processor_seconds(theirs)[0]) for _ in range(5)]
    return min(first for first, _ in spent), min(second for _, second in spent)


def real_months(folder: Path, months: int) -> None:
    """Print what ``months`` of a synthetic market of 28 pairs cost, from files to features, with 1 and 2 workers."""
    end = dt.date(2023 + (months // 12), 1 + months % 12, 1)
    files = folder / "files"
    files.mkdir(parents=True)
    for pair, bars in synthetic_market(dt.date(2023, 1, 1), end, PAIRS).items():
        pq.write_table(bars_table(bars), files / f"{pair}.parquet")
    for workers in (1, 2):
        lake = folder / f"lake{workers}"
        print(f"{workers} workers: ingest    {command('ingest', '--store', str(lake), str(files))}")
        if workers == 1:
            print(f"1 worker: populate   {_shares(FolderStore(lake))}")
        else:
            cost = command("populate", "--store", str(lake), "--workers", str(workers))
            busy = cost.processor / cost.wall / workers
            print(f"{workers} workers: populate  {cost}, {100 * (1 - busy):.0f} % waiting")
    ours, polars = pair_month(folder / "lake2", "2023-01")
    ratio = ours / polars
    print(f"all features of a pair-month: {ours:.2f} s of processor time, polars {polars:.2f} s: ratio {ratio:.2f}")


def _shares(store: FolderStore) -> str:
    """Populate in this process; where the time goes."""
    spent = {"reading": 0.0, "writing": 0.0}

    def timed(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **named: Any) -> Any:
            begin = time.perf_counter()
            try:
                return work(*args, **named)
            finally:
                spent[name] += time.perf_counter() - begin

        return run

    for name, kind in (("read_bars", "reading"), ("record", "reading"), ("publish", "writing")):
        setattr(store, name, timed(kind, getattr(store, name)))
    begin, processor = time.perf_counter(), time.process_time()
    summary = populate(store, workers=1)
    wall, processor = time.perf_counter() - begin, time.process_time() - processor
    if summary.troubles:
        raise RuntimeError(str(summary.troubles[0]))
    shares = {"computing": wall - sum(spent.values()), **spent}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    named = ", ".join(f"{100 * seconds / wall:.0f} % {name}" for name, seconds in shares.items())
    return f"{Cost(wall, processor, peak)}, {named}"


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.full_size", description=__doc__)
    options.add_argument("--store", type=Path, help="keep the ten-year store in this folder, and use it if it is there")
    options.add_argument("--populate", type=int, metavar="MONTHS", help="populate so many months of 28 pairs instead")
    chosen = options.parse_args()
    print(description())
    with tempfile.TemporaryDirectory() as folder:
        if chosen.populate:
            real_months(Path(folder), chosen.populate)
            return
        root = chosen.store or Path(folder) / "store"
        if not root.exists():
            make_full_store(root)
        ten_years(root)


if __name__ == "__main__":
    main()
