"""Proof on the user's own bars: nothing looks ahead, values do not depend on where a computation begins, files hold
what is computed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field

import numpy as np

from fxloom.feature import Table
from fxloom.plan import Stock, Task, make_plan
from fxloom.populate import stock_of
from fxloom.prove.verdict import Verdict
from fxloom.prove.work import UnitReport, prove_unit
from fxloom.stores import open_backend
from fxloom.stores.base import Store, StoreError


@dataclass(frozen=True)
class Call:
    """How a proof is to go: moments a unit (0: as the budget allows), seed, deadline (time.time()), processes."""

    samples: int
    seed: int
    deadline: float
    workers: int


@dataclass
class Proof:
    """The verdicts a feature over all units, and what was and was not tested."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    units: list[UnitReport] = field(default_factory=list)
    left_out: int = 0
    seconds: float = 0.0
    seed: int = 0

    @property
    def failures(self) -> list[Verdict]:
        return [v for v in self.verdicts.values() if not v.holds]

    @property
    def errors(self) -> list[str]:
        return [f"{u.name}: {u.error}" for u in self.units if u.error]

    @property
    def complete(self) -> bool:
        """Whether every unit had all its trials."""
        return not self.left_out and not any(u.cut_short or u.error for u in self.units)

    @property
    def untested(self) -> dict[str, list[str]]:
        """Features that were not put to every trial, or in a cut-short proof never had a value; the trials missed."""
        missed = {v.feature: v.untried for v in self.verdicts.values() if v.untried}
        if not self.complete:
            missed |= {v.feature: ["a value"] for v in self.verdicts.values() if v.empty and not v.untried}
        return missed

    @property
    def told(self) -> dict[str, str]:
        """A word or two a feature. "no values": not one in all that was tested, so there was nothing to prove."""
        untested = self.untested

        def word(verdict: Verdict) -> str:
            if not verdict.holds:
                return "FAILS"
            return "untested" if verdict.feature in untested else "no values" if verdict.empty else "holds"

        return {v.feature: word(v) for v in self.verdicts.values()}

    @property
    def holds(self) -> bool:
        return bool(self.verdicts) and not self.failures and not self.errors and not self.untested


def prove(
    store: Store,
    tables: Sequence[Table],
    pairs: Sequence[str] | None = None,
    samples: int = 0,
    budget: float = 600.0,
    seed: int = 0,
    workers: int = 1,
    on_units: Callable[[int], None] = lambda _: None,
    on_unit: Callable[[UnitReport], None] = lambda _: None,
) -> Proof:
    """Put ``tables`` to trial on the stored bars for about ``budget`` seconds at most.

    With one worker everything runs in this process, on the very ``tables`` given; with more they are looked up by
    name in each. ``seed`` decides the order of the units (a pair and month, or all pairs and a month) and all that
    is drawn at random. StoreError if the store has no bars of the pairs.
    """
    began = time.time()
    stock = stock_of(store)
    if unknown := sorted(set(pairs or ()) - set(stock.days)):
        raise StoreError(f"no bars of {', '.join(unknown)} in {store.url}; it has {', '.join(sorted(stock.days))}")
    plan = make_plan(stock, tables, pairs, force=True)
    units = drawn(stock, plan.tasks, max((t.lookback for t in tables), default=0), seed)
    on_units(len(units))
    proof = Proof({n: Verdict(n) for t in tables for n in t.names}, seed=seed)
    call = Call(samples, seed, began + budget, min(workers, max(len(units), 1)))
    for report in _reports(store, units, tables, call):
        proof.units.append(report)
        for name, verdict in report.verdicts.items():
            proof.verdicts[name].add(verdict)
        on_unit(report)
    proof.left_out = len(units) - len(proof.units)
    proof.seconds = time.time() - began
    return proof


def drawn(stock: Stock, tasks: Sequence[Task], longest: int, seed: int) -> list[Task]:
    """Units in the order of their trials, so that a short budget still tries every table.

    First the populated ones of the best month (the ``longest`` lookback lies before it, and it has the most rows):
    all pairs, then the pairs as the seed draws them; then the other months in the same way.
    """
    order = np.random.default_rng(seed).permutation(len(tasks)).tolist()
    worth = {month: _worth(stock, month, longest) for month in {t.month for t in tasks}}
    rank = {month: i for i, month in enumerate(sorted(worth, key=lambda m: worth[m]))}

    def turn(task: Task) -> tuple[bool, int, bool]:
        return all(item.state == "missing" for item in task.items), rank[task.month], task.pair != ""

    return sorted((tasks[i] for i in order), key=turn)


def _worth(stock: Stock, month: str, longest: int) -> tuple[int, int, str]:
    """Less is better: bars that lack before the month, minus its rows (of the pair that has most), the month."""
    before = [sum(d.clock for m, days in by.items() if m < month for d in days) for by in stock.days.values()]
    rows = [sum(d.rows for d in by.get(month, ())) for by in stock.days.values()]
    return max(longest - max(before, default=0), 0), -max(rows, default=0), month


def _reports(store: Store, units: Sequence[Task], tables: Sequence[Table], call: Call) -> Iterator[UnitReport]:
    if call.workers > 1:
        yield from _in_processes(store, units, tables, call)
        return
    for i, task in enumerate(units):
        if i and time.time() > call.deadline:
            return
        yield _guarded(store, task, tables, call)


def _in_processes(store: Store, units: Sequence[Task], tables: Sequence[Table], call: Call) -> Iterator[UnitReport]:
    from fxloom.run.processes import process_pool
    from fxloom.run.warm import warm

    warm(call.workers)
    names, left = [t.name for t in tables], list(units)
    running: dict[Future[UnitReport], Task] = {}
    try:
        with process_pool(call.workers) as pool:
            while left or running:
                while left and len(running) < call.workers and (time.time() < call.deadline or left[0] is units[0]):
                    task = left.pop(0)
                    running[pool.submit(prove_in_worker, store.url, task, names, call)] = task
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    report = future.result()
                    running.pop(future)
                    yield report
                if time.time() > call.deadline:
                    left.clear()
    except BrokenProcessPool:
        why = "the worker process died (killed, or out of memory)"
        yield from (UnitReport(task.pair, task.month, error=why) for task in running.values())


def prove_in_worker(url: str, task: Task, names: Sequence[str], call: Call) -> UnitReport:
    from fxloom.catalogue import tables

    return _guarded(open_backend(url), task, [tables()[name] for name in names], call)


def _guarded(store: Store, task: Task, tables: Sequence[Table], call: Call) -> UnitReport:
    try:
        return prove_unit(store, task, tables, call.samples, call.seed, call.deadline)
    except (ValueError, StoreError, OSError) as error:
        return UnitReport(task.pair, task.month, error=str(error))
