"""Compiles all kernels once, before workers start, so that they load machine code instead of each compiling it."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fxloom.bars.bars import Bars
from fxloom.bars.pairs import PairInfo
from fxloom.bars.synthetic import synthetic_market
from fxloom.engine.compute import Failure, Job, compute_tables
from fxloom.features.catalogue import families
from fxloom.features.feature import Family, Table, tables_of
from fxloom.kernels.jit import kernels_digest
from fxloom.run.executors import Executor, JobsRun, executor_for
from fxloom.system.cache import cache_root, report_once, write_private
from fxloom.system.lock import lock

PAIRS = (
    "eurusd",
    "gbpusd",
    "usdjpy",
    "eurgbp",
    "usdcad",
)  # include complete triangles and a complete cointegration system
LONGEST = ("correlation", "hmm_regime", "bqx_momentum", "ssa_features", "volatility_surface", "technical")  # first
START, FIRST, END = dt.date(2024, 1, 1), dt.date(2024, 1, 14), dt.date(2024, 1, 16)


def compiled_marker() -> str:
    """The name of the file in the cache folder that marks the current kernels as compiled."""
    return f"compiled-{kernels_digest()}"


@dataclass(frozen=True)
class Compiled:
    """The event after each family's kernels are compiled: ``done`` of ``total`` families."""

    done: int
    total: int


def compiling(executor: Executor) -> Iterator[Compiled]:
    """Compile every kernel by computing every family on a few synthetic bars, unless that was done before.

    Waits for another process that is compiling. Without a cache folder there is nothing to share, and each worker
    compiles what it needs. The same happens if a worker dies here or a family cannot be compiled; the tasks that need
    that family then report the reason. Raises UnsafeCacheError like ``cache_root``.
    """
    root = cache_root()
    if root is None:
        return
    marker = root / compiled_marker()
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(lock(root / ".warming", "compiling kernels", wait=600.0))
        except OSError as error:
            report_once(f"the cache folder cannot be used ({error})")
            return
        if not marker.exists():
            yield from _compiling(executor, marker)


def _compiling(executor: Executor, marker: Path) -> Iterator[Compiled]:
    names = sorted((family.name for family in families()), key=lambda name: name not in LONGEST)
    yield Compiled(0, len(names))
    failures: list[str] = []
    for done, (_, failure) in enumerate(JobsRun(executor, _warm_or_reason, names), 1):
        failures += [str(failure)] if failure is not None else []
        yield Compiled(done, len(names))
    if not failures:
        try:
            write_private(marker, b"")
        except OSError as error:
            report_once(f"compiled kernels cannot be cached ({error})")


def _warm_or_reason(name: str) -> str | None:
    try:
        warm_family(name)
    except Exception as error:  # noqa: BLE001 - the tasks that need these kernels fail with the same reason
        return f"{name}: {error}"
    return None


def warm(workers: int) -> None:
    """Compile every kernel in ``workers`` processes; 1 means this process."""
    with executor_for(workers, len(families())) as executor:
        for _ in compiling(executor):
            pass


def warm_family(name: str) -> None:
    """Compute the tables of one family on synthetic bars with quotes and volume, then on bars without."""
    family = next(f for f in families() if f.name == name)
    market = synthetic_market(START, END, PAIRS)
    bare = {pair: Bars(b.ts, b.open, b.high, b.low, b.close) for pair, b in market.items()}
    _compute(family, market, tables_of(family))
    if family.uses:
        _compute(family, bare, tables_of(family))


def _compute(family: Family, market: dict[str, Bars], tables: Sequence[Table]) -> None:
    start = int(market[PAIRS[0]].ts[0])
    first = (FIRST - dt.date(1970, 1, 1)).days * 1440
    infos = {p: PairInfo(float(b.close[0]), b.volume is not None, b.spread is not None) for p, b in market.items()}
    jobs = [Job(table, start) for table in tables]
    pair = "" if family.scope == "panel" else PAIRS[0]
    for result in compute_tables(pair, market, infos, jobs, first):
        if isinstance(result, Failure):
            raise RuntimeError(f"{result.table} cannot be computed: {result.why}")


if __name__ == "__main__":  # `python -m fxloom.run.warm`: compile before tests or workers start
    warm(os.cpu_count() or 1)
