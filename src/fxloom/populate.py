"""Populate: plan, then run what is not fresh, and sum up."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from fxloom.catalogue import select_tables, tables
from fxloom.plan import Plan, Stock, Task, make_plan
from fxloom.run.outcome import Outcome
from fxloom.stores.base import Settings, Store, StoreError

# For estimates only, reading, surveying and writing included; measured on a two-core server of 2025.
SECONDS_A_VALUE = 9e-8
BYTES_A_VALUE = {"float32": 3.3, "float64": 6.5}  # real bars take 2.8 as float32


@dataclass(frozen=True)
class Estimate:
    """About what a plan takes: values, seconds on one core, bytes on disk."""

    values: int
    seconds: float
    bytes: int


@dataclass
class Summary:
    """What a populate did."""

    plan: Plan
    outcomes: list[Outcome] = field(default_factory=list)

    def count(self, result: str) -> int:
        return sum(o.result == result for o in self.outcomes)

    @property
    def troubles(self) -> list[Outcome]:
        return [o for o in self.outcomes if o.result != "done"]


def stock_of(store: Store) -> Stock:
    """What is stored, for the planner; StoreError if nothing has been ingested."""
    settings = ready_settings(store)
    fingerprints = {(r.key.table, r.key.pair, r.key.month): r.fingerprint for r in store.records()}
    days = {pair: store.bar_months(pair) for pair in settings.pairs}
    stored = {pair: months for pair, months in days.items() if months}
    return Stock(stored, {p: i.traits for p, i in settings.pairs.items()}, settings.dtype, fingerprints)


def ready_settings(store: Store) -> Settings:
    settings = store.settings()
    if settings is None or not settings.pairs:
        raise StoreError(f"{store.url} has no bars yet: `fxloom ingest --store {store.url} PATH` brings them in")
    return settings


def plan_for(
    store: Store,
    pairs: Sequence[str] | None = None,
    months: tuple[str, str] | None = None,
    tables: Sequence[str] | None = None,
    force: bool = False,
) -> Plan:
    """The plan of a populate; StoreError or KeyError if pairs or tables are not there."""
    stock = stock_of(store)
    unknown = sorted(set(pairs or ()) - set(stock.days))
    if unknown:
        raise StoreError(f"no bars of {', '.join(unknown)} in {store.url}; it has {', '.join(sorted(stock.days))}")
    return make_plan(stock, select_tables(tables), pairs, months, force)


def estimate(plan: Plan, dtype: str) -> Estimate:
    """Values, time and room that the tasks of ``plan`` take, roughly."""
    values = sum(item.rows * len(tables()[item.table].features) for task in plan.tasks for item in task.items)
    return Estimate(values, values * SECONDS_A_VALUE, int(values * BYTES_A_VALUE[dtype]))


def check_room(store: Store, plan: Plan) -> None:
    """StoreError if the disk is too full for ``plan``."""
    free = store.free_bytes()
    need = estimate(plan, ready_settings(store).dtype).bytes
    if free is not None and need > free:
        raise StoreError(f"{store.url} has room for {free / 1e9:.1f} GB, this takes about {need / 1e9:.1f} GB")


def run_plan(store: Store, plan: Plan, workers: int | None = None) -> Iterator[tuple[Task, list[Outcome]]]:
    """Do the tasks of ``plan``, in this process if ``workers`` is 1; yields outcomes as tasks end."""
    workers = workers or os.cpu_count() or 1
    if workers == 1 or len(plan.tasks) == 1:
        from fxloom.run.worker import work_on

        yield from ((task, work_on(store, task)) for task in plan.tasks)
    else:
        from fxloom.run.processes import run_in_processes
        from fxloom.run.warm import warm
        from fxloom.run.worker import work

        warm(workers)
        yield from run_in_processes(store.address, plan.tasks, min(workers, len(plan.tasks)), work)


def populate(
    store: Store,
    pairs: Sequence[str] | None = None,
    months: tuple[str, str] | None = None,
    tables: Sequence[str] | None = None,
    workers: int | None = None,
    force: bool = False,
    wait: float = 0.0,
    on_plan: Callable[[Plan], None] = lambda _: None,
    on_task: Callable[[Task, list[Outcome]], None] = lambda _, __: None,
) -> Summary:
    """Bring the asked-for partitions up to date; failures are in the summary, the rest is done."""
    ready_settings(store)
    with store.exclusive("populate", wait):
        summary = Summary(plan_for(store, pairs, months, tables, force))
        check_room(store, summary.plan)
        on_plan(summary.plan)
        for task, outcomes in run_plan(store, summary.plan, workers):
            summary.outcomes.extend(outcomes)
            on_task(task, outcomes)
    return summary
