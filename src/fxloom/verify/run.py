"""Runs the trials over a store: which units, in which order, on which executor, within which budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from fxloom.engine.plan import StoreState, Task, make_plan
from fxloom.features.catalogue import tables as all_tables
from fxloom.features.feature import Table
from fxloom.run.executors import JobsRun, WorkerDiedError, executor_for
from fxloom.run.state import state_of
from fxloom.run.warm import compiling
from fxloom.stores import open_backend
from fxloom.stores.base import Store, StoreError, check_pairs
from fxloom.system.cache import cache_root
from fxloom.verify.report import VerificationReport
from fxloom.verify.units import UnitReport, verify_unit
from fxloom.verify.verdict import Verdict


@dataclass(frozen=True)
class VerifyOptions:
    """Options of a verification: moments per unit (0: the default), seed, deadline (as ``time.time()``)."""

    samples: int
    seed: int
    deadline: float


def verify(
    store: Store,
    tables: Sequence[Table],
    pairs: Sequence[str] | None = None,
    samples: int = 0,
    budget: float = 600.0,
    seed: int = 0,
    workers: int | None = 1,
    on_units: Callable[[int], None] = lambda _: None,
    on_unit: Callable[[UnitReport], None] = lambda _: None,
) -> VerificationReport:
    """Run the trials of ``tables`` on the stored bars, for at most about ``budget`` seconds.

    With one worker everything runs in this process on the given ``tables``; with more, each process looks them up by
    name. ``seed`` determines the order of the units (a pair and month, or all pairs and a month) and everything random.
    ``on_units`` receives the number of units, ``on_unit`` each finished one. NoBarsError if a pair has no bars.
    """
    began = time.time()
    store_state = state_of(store)
    check_pairs(store.url, pairs or (), store_state.days)
    plan = make_plan(store_state, tables, pairs, force=True)
    units = in_trial_order(store_state, plan.tasks, max((t.lookback for t in tables), default=0), seed)
    on_units(len(units))
    report = VerificationReport({n: Verdict(n) for t in tables for n in t.names}, seed=seed)
    options = VerifyOptions(samples, seed, began + budget)
    for unit in _reports(store, units, tables, options, workers):
        report.units.append(unit)
        for name, verdict in unit.verdicts.items():
            report.verdicts[name].add(verdict)
        on_unit(unit)
    report.left_out = len(units) - len(report.units)
    report.seconds = time.time() - began
    return report


def in_trial_order(store_state: StoreState, tasks: Sequence[Task], longest: int, seed: int) -> list[Task]:
    """Units in the order of their trials, such that a short budget still tests every table.

    Populated units of the best month come first (it has the ``longest`` lookback before it, and the most rows): all
    pairs together, then single pairs in random order; then the other months in the same way.
    """
    order = np.random.default_rng(seed).permutation(len(tasks)).tolist()
    priority = {month: _priority(store_state, month, longest) for month in {t.month for t in tasks}}
    rank = {month: i for i, month in enumerate(sorted(priority, key=lambda m: priority[m]))}

    def order_of(task: Task) -> tuple[bool, int, bool]:
        return all(p.state == "missing" for p in task.partitions), rank[task.month], task.pair != ""

    return sorted((tasks[i] for i in order), key=order_of)


def _priority(store_state: StoreState, month: str, longest: int) -> tuple[int, int, str]:
    """A sort key, best first: bars missing before the month, minus the rows of its fullest pair, the month."""
    before = [sum(d.clock for m, days in by.items() if m < month for d in days) for by in store_state.days.values()]
    rows = [sum(d.rows for d in by.get(month, ())) for by in store_state.days.values()]
    return max(longest - max(before, default=0), 0), -max(rows, default=0), month


def _reports(
    store: Store, units: Sequence[Task], tables: Sequence[Table], options: VerifyOptions, workers: int | None
) -> Iterator[UnitReport]:
    cache_root()  # refuse an unsafe cache folder before work begins
    with executor_for(workers, len(units)) as executor:
        if executor.local:
            function = partial(_guarded, store, tables, options)
        else:
            for _ in compiling(executor):
                pass
            function = partial(verify_in_worker, store.address, [t.name for t in tables], options)
        for task, found in JobsRun(executor, function, units, stop=lambda: time.time() > options.deadline):
            if isinstance(found, WorkerDiedError):
                yield UnitReport(task.pair, task.month, error=str(found))
            else:
                yield found


def verify_in_worker(address: str, names: Sequence[str], options: VerifyOptions, task: Task) -> UnitReport:
    """Run the trials of ``task`` in a worker process; ``address`` opens the store and may contain the password."""
    return _guarded(open_backend(address), [all_tables()[name] for name in names], options, task)


def _guarded(store: Store, tables: Sequence[Table], options: VerifyOptions, task: Task) -> UnitReport:
    try:
        return verify_unit(store, task, tables, options.samples, options.seed, options.deadline)
    except (ValueError, StoreError, OSError) as error:
        return UnitReport(task.pair, task.month, error=str(error))
