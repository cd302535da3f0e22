"""Populates a store: plans, computes what is not fresh, and reports."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from fxloom.engine.plan import Plan, Task, make_plan
from fxloom.features.catalogue import select_tables, tables
from fxloom.run.executors import Executor, JobsRun, WorkerDiedError, executor_for
from fxloom.run.executors.processes import free_memory
from fxloom.run.outcomes import record_outcomes
from fxloom.run.results import PartitionResult, all_failed
from fxloom.run.state import ready_settings, requested_state
from fxloom.run.warm import Compiled, compiling
from fxloom.stores.base import Store, StoreError
from fxloom.system.cache import cache_root

# For estimates only; includes reading, statistics and writing. Measured on a two-core server of 2025.
SECONDS_PER_VALUE = 9e-8
BYTES_PER_VALUE = {"float32": 3.3, "float64": 6.5}  # real bars take 2.8 as float32
PANEL_BYTES = 3 << 30  # the most that a panel task may take


@dataclass(frozen=True)
class Estimate:
    """The approximate cost of a plan: number of values, seconds on one core, bytes on disk."""

    values: int
    seconds: float
    bytes: int


@dataclass(frozen=True)
class Planned:
    """The first event of a run: what it will do."""

    plan: Plan
    estimate: Estimate


@dataclass(frozen=True)
class TaskDone:
    """The event after each task: the results of its partitions."""

    task: Task
    results: list[PartitionResult]


Event = Planned | Compiled | TaskDone


@dataclass
class Summary:
    """The summary of a run: its plan, and the results so far."""

    plan: Plan
    results: list[PartitionResult] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Count what ``event`` reports."""
        if isinstance(event, Planned):
            self.plan = event.plan
        elif isinstance(event, TaskDone):
            self.results.extend(event.results)

    def count(self, result: str) -> int:
        """The number of partitions whose result is ``result``: "done", "refused" or "failed"."""
        return sum(r.result == result for r in self.results)

    @property
    def troubles(self) -> list[PartitionResult]:
        """The partitions that were refused or failed."""
        return [r for r in self.results if r.result != "done"]


def plan_for(
    store: Store,
    pairs: Sequence[str] | None = None,
    months: tuple[str, str] | None = None,
    tables: Sequence[str] | None = None,
    force: bool = False,
) -> Plan:
    """The plan of a run; NoBarsError for pairs or months without bars, KeyError for unknown tables."""
    state = requested_state(store, pairs, months)
    return make_plan(state, select_tables(tables), pairs, months, force)


def estimate(plan: Plan, dtype: str) -> Estimate:
    """The approximate cost of the tasks of ``plan``; ``dtype`` is "float32" or "float64"."""
    values = sum(p.rows * len(tables()[p.key.table].features) for task in plan.tasks for p in task.partitions)
    return Estimate(values, values * SECONDS_PER_VALUE, int(values * BYTES_PER_VALUE[dtype]))


def check_room(store: Store, need: Estimate) -> None:
    """StoreError if the disk is too full for ``need``."""
    free = store.free_bytes()
    if free is not None and need.bytes > free:
        raise StoreError(
            f"{store.url} has {free / 1e9:.1f} GB of free space, but this needs about {need.bytes / 1e9:.1f} GB: free "
            "some space, or populate fewer tables or months"
        )


def populating(
    store: Store,
    pairs: Sequence[str] | None = None,
    months: tuple[str, str] | None = None,
    tables: Sequence[str] | None = None,
    workers: int | None = None,
    force: bool = False,
    wait: float = 0.0,
) -> Iterator[Event]:
    """Bring the requested partitions up to date, yielding events; the work is done while you iterate.

    ``months``: first and last, "YYYY-MM". ``workers``: how many processes (None: one per processor; 1: this one).
    ``wait``: seconds to wait for another writer. A task that fails is reported in its results; the others continue.
    StoreError if the store has no bars or no space, KeyError for an unknown table, LockedError if another writer
    holds the store, UnsafeCacheError if others may write to the folder of compiled kernels.
    """
    settings = ready_settings(store)
    with store.exclusive("populate", wait):
        plan = plan_for(store, pairs, months, tables, force)
        need = estimate(plan, settings.dtype)
        check_room(store, need)
        yield Planned(plan, need)
        if plan.tasks:
            cache_root()  # an unsafe cache folder is refused before work begins
            with executor_for(workers, len(plan.tasks)) as executor:
                if not executor.local:
                    yield from compiling(executor)
                yield from _recorded(store, plan, run_tasks(store, plan.tasks, executor))


def populate(
    store: Store,
    pairs: Sequence[str] | None = None,
    months: tuple[str, str] | None = None,
    tables: Sequence[str] | None = None,
    workers: int | None = None,
    force: bool = False,
    wait: float = 0.0,
    on_event: Callable[[Event], None] = lambda _: None,
) -> Summary:
    """Run ``populating`` to its end and sum it up; ``on_event`` receives each event."""
    summary = Summary(Plan())
    for event in populating(store, pairs, months, tables, workers, force, wait):
        summary.add(event)
        on_event(event)
    return summary


def _recorded(store: Store, plan: Plan, events: Iterable[TaskDone]) -> Iterator[TaskDone]:
    """Pass on ``events``; however they end, record what was refused or failed."""
    results: list[PartitionResult] = []
    try:
        for event in events:
            results += event.results
            yield event
    finally:
        try:
            record_outcomes(store, plan, results)
        except (StoreError, OSError) as error:  # the results themselves are still reported
            logging.getLogger("fxloom").warning(
                "fxloom: could not record which partitions were refused or failed: %s", error
            )


def run_tasks(store: Store, tasks: Sequence[Task], executor: Executor) -> Iterator[TaskDone]:
    """Run ``tasks`` on ``executor``, yielding the results of each as it ends."""
    from fxloom.run.workers import work, work_on

    function = partial(work_on, store) if executor.local else partial(work, store.address)
    for task, found in JobsRun(executor, function, tasks, _may_start):
        yield TaskDone(task, all_failed(task, str(found)) if isinstance(found, WorkerDiedError) else found)


def _may_start(task: Task, running: Collection[Task]) -> bool:
    """Run two panel tasks at once only if there is memory for both."""
    return bool(task.pair) or all(t.pair for t in running) or free_memory() > PANEL_BYTES
