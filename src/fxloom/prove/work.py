"""One unit of a proof: the trials of a pair and month, or of all pairs and a month, against one deadline."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from fxloom.bars import Bars
from fxloom.computing import Computed
from fxloom.feature import Table
from fxloom.months import month_bounds
from fxloom.plan import Task
from fxloom.prove.scene import Results, Scene
from fxloom.prove.trials import causal, from_beginning, from_lookback, in_chunks, minute_by_minute, moments
from fxloom.prove.verdict import FITTED, RECURSIVE, Verdict, added, compare
from fxloom.stores.base import Record, Settings, Store
from fxloom.stores.environment import environment

HISTORY = 366 * 1440  # minutes of history before the month that "from the beginning" reaches back at most
MINUTES = {"pair": 12, "panel": 2}  # rows that are computed one by one
SAMPLES = {"pair": 3, "panel": 2}  # moments of causal trials, unless asked otherwise


@dataclass
class UnitReport:
    """What came of one unit: verdicts a feature, trials done and left out for want of time, or why it failed."""

    pair: str
    month: str
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    left_out: int = 0
    notes: list[str] = field(default_factory=list)
    error: str = ""


def prove_unit(
    store: Store, task: Task, tables: Sequence[Table], samples: int, seed: int, deadline: float
) -> UnitReport:
    """All trials of ``task``'s tables; what the deadline (time.time()) cuts off is counted as left out."""
    report = UnitReport(task.pair, task.month)
    scope = "pair" if task.pair else "panel"
    chosen = [t for t in tables if t.family.scope == scope]
    scene = make_scene(store, task, chosen)
    words = [seed, int(task.month.replace("-", "")), *task.pair.encode()]
    generator = np.random.default_rng(words)
    base = scene.base()
    cuts = moments(scene, samples or SAMPLES[scope], generator)
    for name, verdicts in _trials(store, scene, base, task, cuts, MINUTES[scope], generator, report):
        for feature, verdict in added(verdicts).items():
            report.verdicts.setdefault(feature, Verdict(feature)).add(verdict)
        report.done.append(name)
        if time.time() > deadline:
            report.notes.append("cut short by the budget")
            break
    return report


def make_scene(store: Store, task: Task, tables: Sequence[Table]) -> Scene:
    """The stage of ``task``: bars back to the beginning of history, or a year of it."""
    settings = store.settings()
    assert settings is not None
    first, end = month_bounds(task.month)
    starts = {item.table: item.start for item in task.items}
    begin = min(*starts.values(), first - HISTORY)
    bars: dict[str, Bars] = {}
    for pair in task.pairs:
        if len(b := store.read_bars(pair, begin, end)):
            bars[pair] = b
    traits = {pair: settings.pairs[pair].traits for pair in bars}
    return Scene(task.pair, task.month, first, end, bars, traits, tables, starts)


def _trials(
    store: Store,
    scene: Scene,
    base: Results,
    task: Task,
    cuts: Sequence[tuple[str, int]],
    minutes: int,
    generator: np.random.Generator,
    report: UnitReport,
) -> Iterator[tuple[str, Iterator[Verdict]]]:
    clock = scene.clock()
    yield "reproducible", reproducible(store, scene, base, task, report)
    for kind, cut in cuts[:1]:
        yield f"causal {kind}", causal(scene, base, kind, cut, generator)
    yield "lookback", from_lookback(scene, base, clock)
    yield "chunks", in_chunks(scene, base, clock, generator)
    for kind, cut in cuts[1:2]:
        yield f"causal {kind}", causal(scene, base, kind, cut, generator)
    yield "minutes", minute_by_minute(scene, base, clock, minutes, generator)
    if clock[0] < min(scene.starts.values()):
        yield "beginning", from_beginning(scene, base, clock)
    for kind, cut in cuts[2:]:
        yield f"causal {kind}", causal(scene, base, kind, cut, generator)


# -- reproducible ----------------------------------------------------------------------------------------------------


def reproducible(store: Store, scene: Scene, base: Results, task: Task, report: UnitReport) -> Iterator[Verdict]:
    """What is computed now against what is stored; bit for bit on the machine that populated."""
    settings = store.settings()
    assert settings is not None
    records = {(r.key.table, r.key.pair, r.key.month): r for r in store.records(t.name for t in scene.tables)}
    fingerprints = {(i.table, i.pair): i.fingerprint for i in task.items}
    for (table, pair), computed in base.items():
        record = records.get((table, pair, scene.month))
        if record is None:
            report.notes.append(f"{table} is not populated: not compared with a file")
        elif record.fingerprint != fingerprints.get((table, pair)):
            report.notes.append(f"{table} is stale: not compared with its file")
        else:
            yield from _against_file(store, settings, record, computed, report)


def _against_file(
    store: Store, settings: Settings, record: Record, computed: Computed, report: UnitReport
) -> Iterator[Verdict]:
    stored = stored_rows(store, record)
    here = record.environment == environment()
    if not here:
        report.notes.append("populated on another machine or with other libraries: compared within tolerances")
    ulp = float(np.finfo(settings.dtype).eps)
    for feature in computed.table.features:
        want = computed.columns[feature.name].astype(settings.dtype).astype(np.float64)
        have = stored[feature.name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        if len(have) != len(want):
            have = np.full(len(want), np.inf)
        relative = 0.0 if here else ulp + (FITTED if feature.column.anchor == "week" else RECURSIVE)
        yield compare(feature, "reproducible (file)", record.key.pair, computed.ts, want, have, here, relative)


def stored_rows(store: Store, record: Record) -> pl.DataFrame:
    """The rows of one partition as stored, by time and pair."""
    first, end = month_bounds(record.key.month)
    frame = store.scan(record.key.table, [record.key.pair] if record.key.pair else None, first, end)
    if frame is None:
        raise ValueError(f"{record.key} has a record but no rows")
    return frame.sort("ts_utc", "pair").collect()
