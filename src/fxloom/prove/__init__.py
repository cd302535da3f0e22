"""Proof on the user's own bars: nothing looks ahead, values do not depend on where a computation begins, files hold
what is computed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict, dataclass, field

import numpy as np

import fxloom
from fxloom.feature import Table
from fxloom.fingerprint import formula_digest, versions
from fxloom.plan import Task, make_plan
from fxloom.populate import stock_of
from fxloom.prove.verdict import Verdict
from fxloom.prove.work import UnitReport, prove_unit
from fxloom.stores import open_backend
from fxloom.stores.base import Store, StoreError
from fxloom.stores.environment import environment


@dataclass
class Proof:
    """The verdicts a feature over all units, and what was and was not tested."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    units: list[UnitReport] = field(default_factory=list)
    untested: list[str] = field(default_factory=list)
    seconds: float = 0.0
    seed: int = 0

    @property
    def failures(self) -> list[Verdict]:
        return [v for v in self.verdicts.values() if not v.holds]

    @property
    def errors(self) -> list[str]:
        return [f"{u.pair or 'all pairs'} {u.month}: {u.error}" for u in self.units if u.error]

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
    on_unit: Callable[[UnitReport], None] = lambda _: None,
) -> Proof:
    """Put ``tables`` to trial on the stored bars for at most about ``budget`` seconds.

    With one worker everything runs in this process, on the very ``tables`` given; with more they are looked up by
    name in each. Units (a pair and month, or all pairs and a month) are drawn in an order that ``seed`` decides, the
    tables of many pairs first.
    """
    began = time.time()
    stock = stock_of(store)
    plan = make_plan(stock, tables, pairs, force=True)
    proof = Proof(seed=seed)
    deadline = began + budget
    for report in _reports(store, _drawn(plan.tasks, seed), tables, samples, seed, deadline, workers):
        proof.units.append(report)
        for name, verdict in report.verdicts.items():
            proof.verdicts.setdefault(name, Verdict(name)).add(verdict)
        on_unit(report)
    proof.verdicts = {n: proof.verdicts[n] for t in tables for n in t.names if n in proof.verdicts}
    proof.untested = [n for t in tables for n in t.names if n not in proof.verdicts]
    proof.seconds = time.time() - began
    return proof


def _drawn(tasks: Sequence[Task], seed: int) -> list[Task]:
    """Tasks in the order of their trials: one of all pairs first, then pairs drawn at random, later months first."""
    order = np.random.default_rng(seed).permutation(len(tasks)).tolist()
    shuffled = [tasks[i] for i in order]
    months = sorted({t.month for t in tasks}, reverse=True)
    shuffled.sort(key=lambda t: (months.index(t.month) > 0, bool(t.pair)))
    return shuffled


def _reports(
    store: Store, tasks: Sequence[Task], tables: Sequence[Table], samples: int, seed: int, deadline: float, workers: int
) -> Iterator[UnitReport]:
    if workers == 1:
        for i, task in enumerate(tasks):
            if i and time.time() > deadline:
                return
            yield _guarded(store, task, tables, samples, seed, deadline)
        return
    from fxloom.run.processes import process_pool
    from fxloom.run.warm import warm

    warm(workers)
    names = [t.name for t in tables]
    with process_pool(workers) as pool:
        running: set[Future[UnitReport]] = set()
        left = list(tasks)
        while left or running:
            while left and len(running) < workers and (time.time() < deadline or not running):
                running.add(pool.submit(prove_in_worker, store.url, left.pop(0), names, samples, seed, deadline))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
            if time.time() > deadline:
                left.clear()


def prove_in_worker(url: str, task: Task, names: Sequence[str], samples: int, seed: int, deadline: float) -> UnitReport:
    from fxloom.catalogue import tables

    return _guarded(open_backend(url), task, [tables()[name] for name in names], samples, seed, deadline)


def _guarded(store: Store, task: Task, tables: Sequence[Table], samples: int, seed: int, deadline: float) -> UnitReport:
    try:
        return prove_unit(store, task, tables, samples, seed, deadline)
    except (ValueError, StoreError, OSError) as error:
        return UnitReport(task.pair, task.month, error=str(error))


def certificate(proof: Proof, tables: Sequence[Table]) -> str:
    """What was tested, on what, when, with which formulas and libraries, and every verdict, as JSON."""
    return json.dumps(
        {
            "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "fxloom": fxloom.__version__,
            "holds": proof.holds,
            "seed": proof.seed,
            "seconds": round(proof.seconds, 1),
            "environment": environment(),
            "versions": versions(True),
            "formulas": {t.name: formula_digest(t) for t in tables},
            "units": [
                {"pair": u.pair, "month": u.month, "trials": u.done, "notes": sorted(set(u.notes)), "error": u.error}
                for u in proof.units
            ],
            "untested": proof.untested,
            "verdicts": [_plain(v) for v in proof.verdicts.values()],
        },
        indent=1,
    )


def _plain(verdict: Verdict) -> dict[str, object]:
    plain: dict[str, object] = {"feature": verdict.feature, "holds": verdict.holds, "rows": dict(verdict.compared)}
    if verdict.worst:
        plain["worst"] = verdict.worst
    if verdict.first is not None:
        plain |= {"differing": dict(verdict.differing), "first": asdict(verdict.first)}
    return plain
