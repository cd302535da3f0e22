"""Ingest at full size: a HistData year against polars reading the csv, and 28 pairs x 10 years in a new store.

``python -m benchmarks.ingest_full_size`` prints both; the second takes 6 GB of disk and some minutes to prepare.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from benchmarks.timing import processor_seconds
from fxloom.bars.clock import HOUR
from fxloom.bars.pairs import CURRENCIES, PAIRS
from fxloom.run.ingest import FileReport, ingest
from fxloom.stores.folder import FolderStore

YEARS = tuple(range(2014, 2024))
YEAR_BARS = 374_400
EASTERN = 5 * HOUR  # HistData's clock: five hours behind UTC, without daylight saving
VALUES = {"aud": 0.75, "cad": 0.78, "chf": 1.05, "eur": 1.15, "gbp": 1.35, "jpy": 0.009, "nzd": 0.7, "usd": 1.0}


def minutes_of(year: int) -> np.ndarray:
    """The minutes (UTC, since 1970) of ``year`` in which the market is open: Sunday to Friday 17:00 in New York."""
    zone = ZoneInfo("America/New_York")
    first, end = (int(dt.datetime(y, 1, 1, tzinfo=dt.UTC).timestamp()) // 60 for y in (year, year + 1))
    sunday = dt.date(year, 1, 1) - dt.timedelta(days=dt.date(year, 1, 1).isoweekday() % 7)
    parts = []
    while (start := _five_pm(sunday, zone)) < end:
        parts.append(np.arange(start, _five_pm(sunday + dt.timedelta(days=5), zone)))
        sunday += dt.timedelta(days=7)
    minutes = np.concatenate(parts)
    return minutes[(minutes >= first) & (minutes < end)]


def _five_pm(day: dt.date, zone: ZoneInfo) -> int:
    return int(dt.datetime.combine(day, dt.time(17), zone).timestamp()) // 60


def write_year(folder: Path, year: int, pairs: Sequence[str] = PAIRS, rows: int | None = None) -> None:
    """A HistData file (ASCII, M1) of each of ``pairs``, whose triangles close; ``rows``: the first of the year only."""
    minutes = minutes_of(year)[:rows]
    rng = np.random.default_rng(year)
    drift = np.linspace(1, 0, len(minutes))[:, None]  # each year begins and ends at the same values
    path = np.cumsum(rng.standard_normal((len(minutes), len(CURRENCIES))) * 5e-5, axis=0)
    values = np.log([VALUES[c] for c in CURRENCIES]) + path - path[-1] * (1 - drift)
    times = pl.Series((minutes - EASTERN) * 60_000_000).cast(pl.Datetime("us")).dt.strftime("%Y%m%d %H%M%S")
    for pair in pairs:
        digits = 3 if pair.endswith("jpy") else 5
        close = np.exp(values[:, CURRENCIES.index(pair[:3])] - values[:, CURRENCIES.index(pair[3:])]).round(digits)
        opened = np.concatenate([close[:1], close[:-1]])
        wicks = rng.integers(0, 4, (2, len(close))) * 10.0**-digits
        high, low = np.maximum(opened, close) + wicks[0], np.minimum(opened, close) - wicks[1]
        columns = {"time": times, "open": opened, "high": high, "low": low, "close": close, "volume": 0}
        file = folder / f"DAT_ASCII_{pair.upper()}_M1_{year}.csv"
        pl.DataFrame(columns).write_csv(file, include_header=False, separator=";", float_precision=6)


@dataclass(frozen=True)
class YearIngest:
    """Processor seconds of one HistData year and of a small file, and of polars reading the year's csv."""

    bars: int
    year: float
    small: float
    polars: float

    @property
    def ratio(self) -> float:
        """How many times polars' time the ingest takes beyond that of a small file."""
        return (self.year - self.small) / self.polars


def one_year(rounds: int = 5) -> YearIngest:
    """Measured in turns, the least of ``rounds``; each ingest goes into a new store."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = folder / "small"
        small.mkdir()
        write_year(folder, 2023, ("eurusd",), YEAR_BARS)
        write_year(small, 2023, ("eurusd",), 3_000)
        (year_file,), (small_file,) = folder.glob("*.csv"), small.glob("*.csv")
        turns = [
            (
                _new_store(folder, year_file),
                _new_store(folder, small_file),
                processor_seconds(lambda: pl.read_csv(year_file, has_header=False, separator=";"))[0],
            )
            for _ in range(rounds)
        ]
        rows = pl.read_csv(year_file, has_header=False, separator=";").height
    year, few, read = (min(each) for each in zip(*turns, strict=True))
    return YearIngest(rows, year, few, read)


def _new_store(folder: Path, file: Path) -> float:
    with tempfile.TemporaryDirectory(dir=folder) as store:
        seconds, reports = processor_seconds(lambda: ingest(FolderStore(Path(store) / "lake"), [file], workers=1))
    _check(reports)
    return seconds


@dataclass(frozen=True)
class FullIngest:
    """Files, bars, seconds of wall and processor time, and the largest memory of any process in bytes."""

    files: int
    bars: int
    wall: float
    processor: float
    memory: int


def full_size_ingest(
    folder: Path,
    workers: int | None = None,
    years: Sequence[int] = YEARS,
    pairs: Sequence[str] = PAIRS,
    on_progress: Callable[[int, int], None] = lambda _, __: None,
) -> FullIngest:
    """Write yearly files of ``pairs`` to ``folder``/files, and ingest them into a new store, ``folder``/lake."""
    files = folder / "files"
    files.mkdir(parents=True)
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:  # a fork would inherit polars' locks
        list(pool.map(partial(write_year, files, pairs=pairs), years))
    before, begin = _processor(), time.perf_counter()
    reports = ingest(FolderStore(folder / "lake"), [files], workers=workers, on_progress=on_progress)
    wall, processor = time.perf_counter() - begin, _processor() - before
    _check(reports)
    return FullIngest(len(reports), sum(report.new for report in reports), wall, processor, _peak())


def _check(reports: Sequence[FileReport]) -> None:
    if failed := [report for report in reports if report.refused or report.new != report.rows]:
        raise RuntimeError(f"{failed[0].name}: {failed[0].refused or 'not all of its rows are new'}")


def _processor() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _peak() -> int:
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) << 10


def main() -> None:
    year = one_year()
    print(
        f"a HistData year, {year.bars:,} bars: {year.year:.3f} s of processor time, a small file {year.small:.3f} s, "
        f"polars {year.polars:.3f} s: ratio {year.ratio:.1f}"
    )
    with tempfile.TemporaryDirectory() as folder:
        full = full_size_ingest(Path(folder), int(sys.argv[1]) if len(sys.argv) > 1 else None)
    print(
        f"{full.files} files, {full.bars:,} bars: {full.wall:.0f} s, {full.processor:.0f} s of processor time, "
        f"at most {full.memory / 1e6:,.0f} MB in one process"
    )


if __name__ == "__main__":
    main()
