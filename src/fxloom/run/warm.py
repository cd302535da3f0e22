"""Compile all kernels once, before workers start: they load machine code instead of each making the same."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence

from fxloom.bars import Bars
from fxloom.catalogue import families
from fxloom.clock import on_clock
from fxloom.computing import Failure, Job, compute_pair, compute_panel
from fxloom.feature import Family, Table, tables_of
from fxloom.kernels.jit import cache_root, kernels_digest
from fxloom.lock import lock
from fxloom.market import synthetic_market
from fxloom.view import PairFrame, Traits

PAIRS = ("eurusd", "gbpusd", "usdjpy", "eurgbp", "usdcad")  # holds whole triangles and a whole cointegration system
LONGEST = ("correlation", "hmm_regime", "bqx_momentum", "ssa_features", "volatility_surface", "technical")  # first
START, FIRST, END = dt.date(2024, 1, 1), dt.date(2024, 1, 14), dt.date(2024, 1, 16)


def compiled_marker() -> str:
    return f"compiled-{kernels_digest()}"


def is_warm() -> bool:
    """Whether this machine has compiled these kernels before."""
    return (cache_root() / compiled_marker()).exists()


def warm(workers: int) -> None:
    """Compile every kernel by computing every family on a few made-up bars; another process's turn is awaited."""
    marker = cache_root() / compiled_marker()
    with lock(cache_root() / ".warming", "compiling kernels", wait=600.0):
        if marker.exists():
            return
        names = sorted((family.name for family in families()), key=lambda name: name not in LONGEST)
        if workers == 1:
            for name in names:
                warm_family(name)
        else:
            from fxloom.run.processes import process_pool

            with process_pool(workers) as pool:
                for future in [pool.submit(warm_family, name) for name in names]:
                    future.result()
        marker.touch()


def warm_family(name: str) -> None:
    """Compute the tables of one family on made-up bars with quotes and volume, then on bars without."""
    family = next(f for f in families() if f.name == name)
    market = synthetic_market(START, END, PAIRS)
    bare = {pair: Bars(b.ts, b.open, b.high, b.low, b.close) for pair, b in market.items()}
    _compute(family, market, tables_of(family))
    if family.uses:
        _compute(family, bare, tables_of(family))


def _compute(family: Family, market: dict[str, Bars], tables: Sequence[Table]) -> None:
    start = int(market[PAIRS[0]].ts[0])
    first = (FIRST - dt.date(1970, 1, 1)).days * 1440
    traits = {p: Traits(float(b.close[0]), b.volume is not None, b.spread is not None) for p, b in market.items()}
    jobs = [Job(table, start) for table in tables]
    if family.scope == "panel":
        results = list(compute_panel(market, traits, jobs, first))
    else:
        results = list(compute_pair(PairFrame(PAIRS[0], on_clock(market[PAIRS[0]]), traits[PAIRS[0]]), jobs, first))
    for result in results:
        if isinstance(result, Failure):
            raise RuntimeError(f"{result.table} cannot be computed: {result.why}")


if __name__ == "__main__":  # `python -m fxloom.run.warm`: compile before tests or workers start
    warm(os.cpu_count() or 1)
