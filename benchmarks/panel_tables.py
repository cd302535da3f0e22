"""The seven tables of many pairs: fxloom against pandas and statsmodels, and the time and memory of all of them."""

from __future__ import annotations

import gc
import multiprocessing
import sys
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from benchmarks.market import Market, starts
from benchmarks.pair_tables import EQUAL
from benchmarks.rivals import PANEL, PanelRival
from benchmarks.rivals.panel import PanelScript
from benchmarks.timing import processor_seconds
from fxloom.api.arrays import pair_info_of
from fxloom.engine.compute import Computed, Failure, Job, compute_panel
from fxloom.features.catalogue import select_tables
from fxloom.features.domain import RATE
from fxloom.features.feature import Table
from fxloom.features.panel_view import PanelFrame
from fxloom.series.panel import own_spread


class PanelInputs:
    """The bars of all pairs, in the form that tables and scripts take."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.tables = [t for t in select_tables(None) if t.family.scope == "panel"]
        self.starts = starts(market, self.tables)
        self.begin = min(self.starts.values())
        end = 1 + max(int(b.ts[-1]) for b in market.bars.values())
        self.bars = {p: b.between(self.begin, end) for p, b in market.bars.items()}
        self.infos = {p: pair_info_of(b) for p, b in market.bars.items()}

    def compute(self, tables: list[Table]) -> list[Computed]:
        """Compute ``tables`` of the month for every pair."""
        jobs = [Job(t, self.starts[t.name]) for t in tables]
        return [_required(r) for r in compute_panel(self.bars, self.infos, jobs, self.market.first)]

    @cached_property
    def frame(self) -> PanelFrame:
        return PanelFrame(self.bars, self.infos)

    @cached_property
    def spread(self) -> pd.DataFrame:
        """Every pair's own spread on the panel clock, precomputed for the script."""
        return pd.DataFrame(own_spread(self.frame.view(RATE)).T, columns=list(self.frame.pairs))


def _required(result: Computed | Failure) -> Computed:
    if isinstance(result, Failure):
        raise RuntimeError(f"{result.table}: {result.why}")
    return result


@dataclass(frozen=True)
class PanelComparison:
    """One table: processor seconds of fxloom alone and of the script, columns of the script, equal values."""

    table: Table
    ours: float
    theirs: float
    rival: PanelRival
    columns: int
    agreement: float

    @property
    def ratio(self) -> float:
        return self.theirs / self.ours


def compare_panel(inputs: PanelInputs, which: Table) -> PanelComparison:
    """Time ``which`` against its script on the month's last rows, and compare their values there."""
    rival = PANEL[which.family.name]
    inputs.compute([which])  # compiled and loaded
    ours, parts = processor_seconds(lambda: inputs.compute([which]))
    total = len(inputs.frame.ts)
    begin = total - rival.rows - rival.before
    script = PanelScript(inputs.frame, which.domain.name, inputs.spread, begin)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        theirs, values = processor_seconds(lambda: rival.compute(script))
    wanted = int((inputs.frame.ts >= inputs.market.first).sum())
    columns, agreement = _agreement(which, parts, values, script.ts, rival.before)
    return PanelComparison(which, ours, theirs * wanted / rival.rows, rival, columns, agreement)


def _agreement(
    which: Table, parts: list[Computed], values: Mapping[str, pd.DataFrame], ts: np.ndarray, before: int
) -> tuple[int, float]:
    shares = [
        _equal_share(part, f.name, values[f.key], ts, before)
        for f in which.features
        if f.key in values
        for part in parts
    ]
    return len(values), float(np.nanmean(shares))


def _equal_share(part: Computed, name: str, theirs: pd.DataFrame, ts: np.ndarray, before: int) -> float:
    keep = part.ts >= ts[before]
    rows = np.searchsorted(ts, part.ts[keep])
    places = theirs.columns.get_indexer(part.pairs if part.pairs is not None else [part.pair] * len(part.ts))[keep]
    a, b = part.columns[name][keep], theirs.to_numpy()[rows, places]
    both = np.isfinite(a) & np.isfinite(b)
    if not both.any():
        return float("nan")
    a, b = a[both], b[both]
    return float(np.mean(np.abs(a - b) <= EQUAL * np.maximum(np.abs(a), a.std())))


def together() -> tuple[float, float, float]:
    """Processor and wall seconds of the seven tables of the month, and the peak memory (GiB) of their process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured)


def _measured() -> tuple[float, float, float]:
    from benchmarks.market import all_pairs

    inputs = PanelInputs(all_pairs())
    used = []
    for _ in range(2):  # the first run loads the kernels
        begin = time.process_time(), time.perf_counter()
        jobs = [Job(t, inputs.starts[t.name]) for t in inputs.tables]
        for result in compute_panel(inputs.bars, inputs.infos, jobs, inputs.market.first):
            _required(result)
        used.append((time.process_time() - begin[0], time.perf_counter() - begin[1]))
        gc.collect()
    return *min(used), peak_memory()


def peak_memory() -> float:
    """The peak resident memory of this process in GiB, NaN if the system does not report it."""
    try:
        import resource
    except ImportError:
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**30 if sys.platform == "darwin" else 2**20)
