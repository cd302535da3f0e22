"""What a worker does: read the bars of a task, compute its tables, publish those that pass their gates."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence

from fxloom.catalogue import VERSION, tables
from fxloom.clock import on_clock
from fxloom.computing import Computed, Failure, Job, compute_pair, compute_panel, proxies_of
from fxloom.months import month_bounds
from fxloom.plan import Item, Task
from fxloom.quality import Survey, jumps, surveys_of
from fxloom.run.outcome import Outcome, all_failed, outcome
from fxloom.stores import open_backend
from fxloom.stores.base import Key, Record, Settings, Store, StoreError
from fxloom.stores.environment import environment
from fxloom.view import PairFrame


def prepare() -> None:
    """Leave Ctrl-C to the parent, which lets running tasks end, but end with it; keep the engines to one thread."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import pyarrow

    pyarrow.set_cpu_count(1)


def _end_with_parent() -> None:
    """A parent that is killed cannot tell its workers, which would wait for it for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def work(url: str, task: Task) -> list[Outcome]:
    """Do ``task`` on the store at ``url``. What goes wrong is an outcome, not an exception."""
    return work_on(open_backend(url), task)


def work_on(store: Store, task: Task) -> list[Outcome]:
    try:
        settings = store.settings()
        if settings is None:
            return all_failed(task, "the store has no settings")
        computed = _panel(store, settings, task) if task.pair == "" else _pair(store, settings, task)
        return list(_publish_all(store, settings, task, computed))
    except Exception as error:  # noqa: BLE001 - the task is reported as failed with its cause; the others go on
        return all_failed(task, f"{type(error).__name__}: {error}")


def _jobs(task: Task) -> list[Job]:
    """One job a table: in tasks of many pairs the items of a table share their start."""
    return list({item.table: Job(tables()[item.table], item.start) for item in task.items}.values())


def _pair(store: Store, settings: Settings, task: Task) -> Iterator[Computed | Failure]:
    bars = on_clock(store.read_bars(task.pair, task.start, task.end))
    frame = PairFrame(task.pair, bars, settings.pairs[task.pair].traits)
    return compute_pair(frame, _jobs(task), month_bounds(task.month)[0])


def _panel(store: Store, settings: Settings, task: Task) -> Iterator[Computed | Failure]:
    bars = {pair: store.read_bars(pair, task.start, task.end) for pair in task.pairs}
    traits = {pair: settings.pairs[pair].traits for pair, b in bars.items() if len(b)}
    present = {pair: bars[pair] for pair in traits}
    return compute_panel(present, traits, _jobs(task), month_bounds(task.month)[0])


def _publish_all(
    store: Store, settings: Settings, task: Task, computed: Iterator[Computed | Failure]
) -> Iterator[Outcome]:
    items = {(item.table, item.pair): item for item in task.items}
    for result in computed:
        if isinstance(result, Failure):
            lost = [i for i in task.items if i.table == result.table and result.pair in (i.pair, "")]
            yield from (outcome(item, "failed", why=result.why) for item in lost)
        elif (item := items.get((result.table.name, result.pair))) is not None:
            yield _publish(store, settings, item, result)


def _publish(store: Store, settings: Settings, item: Item, computed: Computed) -> Outcome:
    refusals = computed.refusals
    if len(computed.ts) != item.rows:
        refusals.append(f"{len(computed.ts)} rows computed, {item.rows} bars stored")
    refusals += [f"{name}: {why}" for name, why in jumps(_surveys_before(store, item), computed.surveys).items()]
    if refusals:
        more = f" (and {len(refusals) - 3} more)" if len(refusals) > 3 else ""
        return outcome(item, "refused", why="; ".join(refusals[:3]) + more)
    try:
        store.publish(record_for(settings, item, computed), computed.ts, computed.pairs, computed.columns)
    except (OSError, StoreError) as error:
        return outcome(item, "failed", why=f"cannot be written: {error}")
    return outcome(item, "done", rows=len(computed.ts))


def _surveys_before(store: Store, item: Item) -> dict[str, Survey]:
    """Those of the month before, if it is stored and made of the bars and formulas of today."""
    if item.before is None:
        return {}
    month, fingerprint = item.before
    record = store.record(Key(item.table, item.pair, month))
    if record is None or record.fingerprint != fingerprint:
        return {}
    return surveys_of(record.quality)


def record_for(settings: Settings, item: Item, computed: Computed) -> Record:
    key = Key(item.table, item.pair, item.month)
    seen: Sequence[str] = [item.pair] if item.pair else sorted(settings.pairs)
    proxies = sorted({p for pair in seen for p in proxies_of(computed.table, settings.pairs[pair].traits)})
    quality = {name: survey.plain() for name, survey in computed.surveys.items()}
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return Record(key, item.fingerprint, len(computed.ts), VERSION, made, tuple(proxies), quality, environment())
