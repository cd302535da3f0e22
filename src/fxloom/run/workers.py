"""Runs a task: reads its bars, computes its tables, and publishes those that pass their gates."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from fxloom.bars.bars import Bars
from fxloom.bars.days import summarise_days
from fxloom.bars.months import month_bounds
from fxloom.engine.compute import Computed, Failure, Job, compute_tables, proxies_of
from fxloom.engine.fingerprints import fingerprint_of
from fxloom.engine.partitions import Record, Settings
from fxloom.engine.plan import PlannedPartition, Task
from fxloom.engine.quality import ColumnStats, jumps, stats_by_feature
from fxloom.features.catalogue import VERSION, tables
from fxloom.features.environment import environment
from fxloom.run.results import PartitionResult, all_failed
from fxloom.stores import open_backend
from fxloom.stores.base import Store, StoreError


def work(url: str, task: Task) -> list[PartitionResult]:
    """Run ``task`` on the store at ``url``. Failures are returned as results, not raised."""
    return work_on(open_backend(url), task)


def work_on(store: Store, task: Task) -> list[PartitionResult]:
    """Run ``task`` on an open store; see ``work``."""
    try:
        settings = store.settings()
        if settings is None:
            return all_failed(task, f"the store {store.url} has no settings: ingest bars first")
        bars = {pair: store.read_bars(pair, task.start, task.end) for pair in task.pairs}
        if changed := _changed(settings, task, bars):
            return all_failed(task, changed)
        return list(_publish_all(store, settings, task, _computed(settings, task, bars)))
    except Exception as error:  # noqa: BLE001 - the task is reported as failed with its cause; the others continue
        return all_failed(task, f"{type(error).__name__}: {error}")


def _changed(settings: Settings, task: Task, bars: Mapping[str, Bars]) -> str:
    """Why nothing can be published: bars or settings have changed since the plan was made; "" if they have not."""
    days = {pair: summarise_days(b) for pair, b in sorted(bars.items())}
    for name, start, fingerprint in sorted({(p.key.table, p.start, p.fingerprint) for p in task.partitions}):
        seen = {pair: [d for d in ds if d.first >= start] for pair, ds in days.items()}
        if fingerprint_of(tables()[name], settings.pairs, settings.dtype, seen) != fingerprint:
            return "bars or settings have changed since the plan was made: run populate again"
    return ""


def _computed(settings: Settings, task: Task, bars: Mapping[str, Bars]) -> Iterator[Computed | Failure]:
    """Compute all tables of ``task``, one job per table: the partitions of a panel table share their start."""
    starts = {partition.key.table: partition.start for partition in task.partitions}
    jobs = [Job(tables()[name], start) for name, start in starts.items()]
    return compute_tables(task.pair, bars, settings.pairs, jobs, month_bounds(task.month)[0])


def _publish_all(
    store: Store, settings: Settings, task: Task, computed: Iterator[Computed | Failure]
) -> Iterator[PartitionResult]:
    planned = {(p.key.table, p.key.pair): p for p in task.partitions}
    for result in computed:
        if isinstance(result, Failure):
            failed = [k for p in task.partitions if (k := p.key).table == result.table and result.pair in (k.pair, "")]
            yield from (PartitionResult(key, "failed", why=result.why) for key in failed)
        elif (partition := planned.get((result.table.name, result.pair))) is not None:
            yield _publish(store, settings, partition, result)


def _publish(store: Store, settings: Settings, planned: PlannedPartition, computed: Computed) -> PartitionResult:
    refusals = computed.refusals
    if len(computed.ts) != planned.rows:
        refusals.append(f"{len(computed.ts)} rows computed, {planned.rows} bars stored")
    refusals += _too_large(settings.dtype, computed)
    refusals += [f"{name}: {why}" for name, why in jumps(_stats_before(store, planned), computed.stats).items()]
    if refusals:
        more = f" (and {len(refusals) - 3} more)" if len(refusals) > 3 else ""
        return PartitionResult(planned.key, "refused", why="; ".join(refusals[:3]) + more)
    try:
        store.publish(record_for(settings, planned, computed), computed.ts, computed.pairs, computed.columns)
    except (OSError, StoreError) as error:
        return PartitionResult(planned.key, "failed", why=f"cannot be written: {error}")
    return PartitionResult(planned.key, "done", rows=len(computed.ts))


def _too_large(dtype: str, computed: Computed) -> list[str]:
    """Refusals of columns whose finite values would overflow the store's float type."""
    largest = float(np.finfo(dtype).max)
    bounds = {name: max(abs(s.low or 0.0), abs(s.high or 0.0)) for name, s in computed.stats.items()}
    return [f"{name}: {bound:.3g} is too large for {dtype}" for name, bound in bounds.items() if bound > largest]


def _stats_before(store: Store, planned: PlannedPartition) -> dict[str, ColumnStats]:
    """The previous month's statistics, if it is stored and was computed from the current bars and formulas."""
    if planned.before is None:
        return {}
    key, fingerprint = planned.before
    record = store.record(key)
    if record is None or record.fingerprint != fingerprint:
        return {}
    return stats_by_feature(record.quality)


def record_for(settings: Settings, planned: PlannedPartition, computed: Computed) -> Record:
    """The record of a partition that is about to be published."""
    pair = planned.key.pair
    seen: Sequence[str] = [pair] if pair else sorted(settings.pairs)
    proxies = sorted({p for pair in seen for p in proxies_of(computed.table, settings.pairs[pair])})
    quality = {name: stats.plain() for name, stats in computed.stats.items()}
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return Record(
        planned.key, planned.fingerprint, len(computed.ts), VERSION, made, tuple(proxies), quality, environment()
    )
