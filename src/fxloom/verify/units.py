"""One unit of a verification: the trials of a pair and month, or of all pairs and a month, until a deadline."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from fxloom.bars.bars import Bars
from fxloom.bars.clock import DAY
from fxloom.bars.months import month_bounds
from fxloom.engine.compute import Computed
from fxloom.engine.partitions import PartitionKey, Record, Settings
from fxloom.engine.plan import Task
from fxloom.engine.replay import Replay, Results
from fxloom.features.environment import environment
from fxloom.features.feature import Table
from fxloom.stores.base import Store
from fxloom.verify.trials import Verdicts, causal, from_beginning, from_lookback, in_chunks, minute_by_minute, moments
from fxloom.verify.verdict import EXACT, TrialContext, Verdict, added, compare, elsewhere


@dataclass(frozen=True)
class Effort:
    """How much to test per unit: cuts of causal trials, single minutes, single rows, and days of history."""

    samples: int
    minutes: int
    alone: int
    days: int


EFFORT = {"pair": Effort(samples=3, minutes=12, alone=2, days=366), "panel": Effort(2, minutes=2, alone=1, days=31)}
ELSEWHERE = "populated on another machine or with other libraries: its files are compared within tolerances"


@dataclass
class UnitReport:
    """The result of one unit: digest of its bars, verdicts per feature, finished trials, notes, or why it failed."""

    pair: str
    month: str
    bars: str = ""
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: str = ""
    cut_short: bool = False

    @property
    def name(self) -> str:
        """The pair and month, for messages."""
        return f"{self.pair or 'all pairs'} {self.month}"


def verify_unit(
    store: Store, task: Task, tables: Sequence[Table], samples: int, seed: int, deadline: float
) -> UnitReport:
    """Run the trials of ``task``'s tables until the deadline (``time.time()``), starting with one of each kind."""
    report = UnitReport(task.pair, task.month)
    scope = "pair" if task.pair else "panel"
    chosen = [t for t in tables if t.family.scope == scope]
    replay = make_replay(store, task, chosen, EFFORT[scope].days)
    report.bars = _digest(replay)
    generator = np.random.default_rng([seed, int(task.month.replace("-", "")), *task.pair.encode()])
    base = replay.base()
    cuts = moments(replay, samples or EFFORT[scope].samples, generator)
    for name, verdicts in _trials(store, replay, base, task, cuts, generator, report):
        for feature, verdict in added(verdicts).items():
            report.verdicts.setdefault(feature, Verdict(feature)).add(verdict)
        report.done.append(name)
        if time.time() > deadline:
            report.cut_short = True
            break
    return report


def make_replay(store: Store, task: Task, tables: Sequence[Table], days: int) -> Replay:
    """The bars that the trials of ``task`` need: back to the beginning of history, or ``days`` before the month."""
    settings = store.settings()
    assert settings is not None
    first, end = month_bounds(task.month)
    starts = {p.key.table: p.start for p in task.partitions}
    begin = min(*starts.values(), first - days * DAY)
    bars: dict[str, Bars] = {}
    for pair in task.pairs:
        if len(b := store.read_bars(pair, begin, end)):
            bars[pair] = b
    infos = {pair: settings.pairs[pair] for pair in bars}
    return Replay(task.pair, task.month, first, end, bars, infos, tables, starts)


def _digest(replay: Replay) -> str:
    """A digest of all bars of the unit, by which a report identifies them."""
    digest = hashlib.blake2b(digest_size=8)
    for pair, b in sorted(replay.bars.items()):
        digest.update(pair.encode())
        for column in (b.ts, b.open, b.high, b.low, b.close, b.volume, b.spread):
            digest.update(b"-" if column is None else np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def _trials(
    store: Store,
    replay: Replay,
    base: Results,
    task: Task,
    cuts: Sequence[tuple[str, int]],
    generator: np.random.Generator,
    report: UnitReport,
) -> Iterator[tuple[str, Verdicts]]:
    clock, effort = replay.clock(), EFFORT["pair" if task.pair else "panel"]
    yield "file", against_files(store, replay, base, task, report)
    for kind, cut in cuts[:1]:
        yield f"causal: {kind}", causal(replay, base, kind, cut, generator)
    yield "lookback", from_lookback(replay, base, clock, effort.alone, generator)
    yield "minutes", minute_by_minute(replay, base, clock, effort.minutes, generator)
    yield "chunks", in_chunks(replay, base, clock, generator)
    yield "beginning", from_beginning(replay, base, clock)
    for kind, cut in cuts[1:]:
        yield f"causal: {kind}", causal(replay, base, kind, cut, generator)


# -- reproducible ----------------------------------------------------------------------------------------------------


def against_files(store: Store, replay: Replay, base: Results, task: Task, report: UnitReport) -> Verdicts:
    """Compare what is computed now with what is stored: bit for bit on the machine that populated."""
    settings = store.settings()
    assert settings is not None
    records = {record.key: record for record in store.records(t.name for t in replay.tables)}
    fingerprints = {p.key: p.fingerprint for p in task.partitions}
    for (table, pair), computed in base.items():
        key = PartitionKey(table, pair, replay.month)
        record = records.get(key)
        if key not in fingerprints:
            continue  # a pair that was not requested
        if record is None:
            report.notes.append(f"{table} has not been populated: run `fxloom populate`")
        elif record.fingerprint != fingerprints[key]:
            report.notes.append(f"{table} is stale and its file was not compared: run `fxloom populate`")
        else:
            yield from _against_file(store, settings, record, computed, report)


def _against_file(store: Store, settings: Settings, record: Record, computed: Computed, report: UnitReport) -> Verdicts:
    context = TrialContext("file", "reproducible (computed against the file)", record.key.pair or "all pairs")
    stored = stored_rows(store, record)
    same_place = record.environment == environment()
    if not same_place:
        report.notes.append(ELSEWHERE)
    unit = float(np.finfo(settings.dtype).eps)
    for feature in computed.table.features:
        want = computed.columns[feature.name].astype(settings.dtype).astype(np.float64)
        have = stored[feature.name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        deviation = computed.stats[feature.name].std
        tolerance = EXACT if same_place else elsewhere(feature, deviation, unit)
        yield compare(feature, context, computed.ts, want, have, tolerance)


def stored_rows(store: Store, record: Record) -> pl.DataFrame:
    """The stored rows of one partition, by time and pair; ValueError or StoreError if they cannot be read."""
    first, end = month_bounds(record.key.month)
    frame = store.scan(record.key.table, [record.key.pair] if record.key.pair else None, first, end)
    if frame is None:
        raise ValueError(f"{record.key} has a record but no rows")
    return frame.sort("ts_utc", "pair").collect()
