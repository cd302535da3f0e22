"""Each table of one pair, fxloom and a script taking turns on one month; and all tables together."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.market import Market, starts
from benchmarks.rivals import Rival, rivals
from benchmarks.rivals.script import Script
from benchmarks.timing import best_in_turns
from fxloom.api.arrays import pair_info_of
from fxloom.bars.clock import ClockBars, on_clock
from fxloom.engine.compute import Computed, Failure, Job, compute_pair
from fxloom.features.catalogue import select_tables
from fxloom.features.feature import Table
from fxloom.features.pair_view import PairFrame

FOUNDATION = ("bqx_momentum", "bollinger", "statistics", "technical", "time_features")  # the first eight tables
ROUNDS = 4
EQUAL = 1e-6  # relative to the value or the feature's standard deviation


@dataclass(frozen=True)
class Comparison:
    """One table: processor seconds of fxloom alone and of the script, and the share of equal values."""

    table: Table
    ours: float
    theirs: float
    rival: Rival
    columns: int
    agreement: float

    @property
    def ratio(self) -> float:
        return self.theirs / self.ours


class PairInputs:
    """The bars of one pair, in the form that tables and scripts take."""

    def __init__(self, market: Market) -> None:
        (self.pair, self.bars), *_ = market.bars.items()
        self.market, self.info = market, pair_info_of(self.bars)
        self.tables = [t for t in select_tables(None) if t.family.scope == "pair"]
        self.starts = starts(market, self.tables)

    def clock(self, tables: list[Table]) -> ClockBars:
        """The bars that ``tables`` read, on the clock."""
        start = min(self.starts[t.name] for t in tables)
        return on_clock(self.bars.between(start, int(self.bars.ts[-1]) + 1))

    def compute(self, tables: list[Table]) -> list[Computed]:
        """Compute ``tables`` for the month: from bars to columns with their statistics."""
        frame = PairFrame(self.pair, self.clock(tables), self.info)
        jobs = [Job(t, self.starts[t.name]) for t in tables]
        return [_required(r) for r in compute_pair(frame, jobs, self.market.first)]


def _required(result: Computed | Failure) -> Computed:
    if isinstance(result, Failure):
        raise RuntimeError(f"{result.table}: {result.why}")
    return result


def compare(inputs: PairInputs, which: Table, rival: Rival) -> Comparison:
    """Time ``which`` against its script in turns, and compare their values on the month's rows."""
    bars = inputs.clock([which])
    shown = bars if rival.stretch is None else _last(bars, which.lookback + rival.stretch)
    competitors = {
        "ours": lambda: inputs.compute([which]),
        "theirs": lambda: rival.compute(Script(inputs.pair, shown, inputs.info, which.domain.name)),
    }
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        inputs.compute([which])  # compile and load first
        seconds, results = best_in_turns(competitors, ROUNDS)
    columns, agreement = _agreement(results["ours"][0], results["theirs"], shown.ts)
    scale = len(bars) / len(shown)
    return Comparison(which, seconds["ours"], scale * seconds["theirs"], rival, columns, agreement)


def _last(bars: ClockBars, n: int) -> ClockBars:
    begin = max(len(bars) - n, 0)
    observed = bars.observed[bars.observed >= begin] - begin
    o, h, l, c = (column[begin:] for column in (bars.open, bars.high, bars.low, bars.close))
    v, s = (None if column is None else column[begin:] for column in (bars.volume, bars.spread))
    return ClockBars(bars.ts[begin:], o, h, l, c, v, s, observed)


def _agreement(ours: Computed, theirs: Mapping[str, object], ts: np.ndarray) -> tuple[int, float]:
    """The number of the script's columns, and the share of values present in both that are equal."""
    keep = ours.ts >= ts[min(ours.table.lookback, len(ts) - 1)]
    rows = np.searchsorted(ts, ours.ts[keep])
    shares = {}
    for feature in ours.table.features:
        if feature.key in theirs:
            shares[feature.key] = _equal_share(ours.columns[feature.name][keep], np.asarray(theirs[feature.key])[rows])
    if unknown := set(theirs) - {f.key for f in ours.table.features}:
        raise KeyError(f"{ours.table.name} has no {sorted(unknown)}")
    return len(shares), float(np.mean(list(shares.values())))


def _equal_share(a: np.ndarray, b: np.ndarray) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    if not both.any():
        return 0.0
    a, b = a[both], b[both].astype(float)
    return float(np.mean(np.abs(a - b) <= EQUAL * np.maximum(np.abs(a), a.std())))


def comparisons(inputs: PairInputs) -> list[Comparison]:
    known = rivals()
    return [compare(inputs, t, known[t.family.name]) for t in inputs.tables]


def together(inputs: PairInputs) -> tuple[float, float]:
    """Processor seconds of all tables of one pair, and of the first eight, with shared work done once."""
    eight = [t for t in inputs.tables if t.family.name in FOUNDATION]
    competitors = {"all": partial(inputs.compute, inputs.tables), "eight": partial(inputs.compute, eight)}
    seconds, _ = best_in_turns(competitors, 2 * ROUNDS)
    return seconds["all"], seconds["eight"]


def in_context(inputs: PairInputs) -> dict[str, float]:
    """Processor seconds of each table when all run together; the first to need shared work is charged."""
    spent: dict[str, list[float]] = {t.name: [] for t in inputs.tables}
    for _ in range(ROUNDS):
        frame = PairFrame(inputs.pair, inputs.clock(inputs.tables), inputs.info)
        begin = time.process_time()
        for result in compute_pair(frame, [Job(t, inputs.starts[t.name]) for t in inputs.tables], inputs.market.first):
            now = time.process_time()
            spent[_required(result).table.name].append(now - begin)
            begin = now
    return {name: min(times) for name, times in spent.items()}
