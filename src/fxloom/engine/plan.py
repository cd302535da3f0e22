"""Plans which partitions are missing, stale or fresh, and the tasks that compute them. Pure: reads summaries only.

An example: ``bqx_momentum`` looks back 180 bars. Its partition eurusd 2018-03 starts with the
first bar of 2018-03-01; the latest day with 180 clock bars between its first bar and that one is, say, 2018-02-28.
So the computation sees the bars from 2018-02-28 00:00 to the end of March, and the fingerprint covers the digests
of exactly those days, the formulas, and the settings that the table depends on.
"""

from __future__ import annotations

import contextlib
import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from fxloom.bars.clock import DAY
from fxloom.bars.days import DaySummary
from fxloom.bars.months import month_bounds
from fxloom.bars.pairs import PairInfo
from fxloom.engine.fingerprints import TableInputs, digest_of
from fxloom.engine.pair_days import PairDays, PanelClock
from fxloom.engine.partitions import PartitionKey
from fxloom.features.feature import Table

State = Literal["fresh", "stale", "missing"]


@dataclass(frozen=True)
class StoreState:
    """What a plan needs to know about the store: days and settings per pair, float type, fingerprints."""

    days: Mapping[str, Mapping[str, Sequence[DaySummary]]]
    infos: Mapping[str, PairInfo]
    dtype: str
    fingerprints: Mapping[PartitionKey, str]


@dataclass(frozen=True, slots=True)
class PlannedPartition:
    """One partition: its key, the minute (since 1970) from which it sees bars, and the fingerprint it will have.

    ``rows`` is how many it will have. ``before``: the previous month's key, and its fingerprint if it is current.
    """

    key: PartitionKey
    start: int
    fingerprint: str
    state: State
    rows: int
    before: tuple[PartitionKey, str] | None = None


@dataclass(frozen=True)
class Task:
    """Work on the same bars: the tables of one pair and month, or (``pair`` "") the panel tables of one month."""

    pair: str
    month: str
    partitions: tuple[PlannedPartition, ...]
    pairs: tuple[str, ...] = ()

    @property
    def start(self) -> int:
        return min(partition.start for partition in self.partitions)

    @property
    def end(self) -> int:
        return month_bounds(self.month)[1]


@dataclass(frozen=True)
class Plan:
    """Every requested partition, and the tasks that compute those that are not fresh."""

    partitions: tuple[PlannedPartition, ...] = ()
    tasks: tuple[Task, ...] = ()
    states: Mapping[State, int] = field(default_factory=dict)


def make_plan(
    store_state: StoreState,
    tables: Sequence[Table],
    pairs: Sequence[str] | None = None,
    months: tuple[str, str] | None = None,
    force: bool = False,
) -> Plan:
    """The plan for ``tables`` of the given pairs and months (first and last, "YYYY-MM"); None means all with bars.

    ``force`` plans tasks for fresh partitions too. KeyError if one of ``pairs`` has no bars.
    """
    wanted = sorted(store_state.days) if pairs is None else sorted(pairs)
    one_pair = [t for t in tables if t.family.scope == "pair"]
    of_panel = [t for t in tables if t.family.scope == "panel"]
    planned: list[PlannedPartition] = []
    with _garbage_collection_paused():
        inputs = [TableInputs.of(table, store_state.dtype) for table in one_pair]
        for pair in wanted if inputs else ():
            planned += _pair_partitions(store_state, inputs, pair, months)
        if of_panel:
            planned += _panel_partitions(store_state, of_panel, wanted, months)
        return Plan(tuple(planned), tuple(_tasks(planned, store_state, tables, force)), _count(planned))


@contextlib.contextmanager
def _garbage_collection_paused() -> Iterator[None]:
    """A full plan makes a million small objects without cycles; the collector would walk them again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _count(planned: Iterable[PlannedPartition]) -> dict[State, int]:
    counts: dict[State, int] = {"fresh": 0, "stale": 0, "missing": 0}
    for partition in planned:
        counts[partition.state] += 1
    return counts


def _tasks(
    planned: Sequence[PlannedPartition], store_state: StoreState, tables: Sequence[Table], force: bool
) -> list[Task]:
    """One task per pair and month, and one per month for the panel tables, oldest month first."""
    panel = {t.name for t in tables if t.family.scope == "panel"}
    groups: dict[tuple[str, str], list[PlannedPartition]] = defaultdict(list)
    for partition in planned:
        if force or partition.state != "fresh":
            key = partition.key
            groups[key.month, "" if key.table in panel else key.pair].append(partition)
    everyone = tuple(sorted(store_state.days))
    return [
        Task(pair, month, tuple(group), everyone if pair == "" else (pair,))
        for (month, pair), group in sorted(groups.items())
    ]


def _within(month: str, bounds: tuple[str, str] | None) -> bool:
    return bounds is None or bounds[0] <= month <= bounds[1]


def _selected(months: Iterable[str], bounds: tuple[str, str] | None) -> list[str]:
    """The months within ``bounds``, and the one before them, which the first of them is linked to."""
    found = sorted(months)
    return [m for m, after in zip(found, [*found[1:], ""], strict=True) if _within(m, bounds) or _within(after, bounds)]


def _state(store_state: StoreState, key: PartitionKey, fingerprint: str) -> State:
    stored = store_state.fingerprints.get(key)
    return "missing" if stored is None else "fresh" if stored == fingerprint else "stale"


def _pair_partitions(
    store_state: StoreState, tables: Sequence[TableInputs], pair: str, bounds: tuple[str, str] | None
) -> Iterator[PlannedPartition]:
    by_month = store_state.days[pair]
    days = PairDays(by_month)
    info = store_state.infos[pair]
    prepared = [(t, t.columns(info), f"{t.head}\n{t.pair_text(pair, info)}") for t in tables]
    before: dict[str, tuple[PartitionKey, str]] = {}
    for month in _selected(by_month, bounds):
        first, end = month_bounds(month)
        i, j = days.history.index_of(first), days.history.index_of(end)
        for table, columns, text in prepared:
            k = days.history.start_for(i, table.lookback)
            key = PartitionKey(table.name, pair, month)
            fingerprint = digest_of(text + days.digest(k, j, *columns))
            if _within(month, bounds):
                yield PlannedPartition(
                    key, days.history.numbers[k] * DAY, fingerprint, _state(store_state, key, fingerprint),
                    days.rows[month], before.get(table.name),
                )  # fmt: skip
            before[table.name] = (key, fingerprint)


def _panel_partitions(
    store_state: StoreState, tables: Sequence[Table], wanted: Sequence[str], bounds: tuple[str, str] | None
) -> Iterator[PlannedPartition]:
    """Partitions of panel tables, which see the bars of all stored pairs, whichever pairs are requested."""
    days = {pair: PairDays(months) for pair, months in sorted(store_state.days.items())}
    infos = store_state.infos
    clock = PanelClock(days.values())
    inputs = [(table, TableInputs.of(table, store_state.dtype)) for table in tables]
    before: dict[tuple[str, str], tuple[PartitionKey, str]] = {}
    for month in _selected({m for months in store_state.days.values() for m in months}, bounds):
        first, end = (minute // DAY for minute in month_bounds(month))
        for table, seen in inputs:
            start = clock.start_for(first, seen.lookback)
            fingerprint = seen.fingerprint(
                infos, {p: d.between(start, end, *seen.columns(infos[p])) for p, d in days.items()}
            )
            for pair in [""] if table.holds_all_pairs else wanted:
                if pair and month not in store_state.days[pair]:
                    continue
                rows = days[pair].rows[month] if pair else sum(d.rows.get(month, 0) for d in days.values())
                key = PartitionKey(table.name, pair, month)
                if _within(month, bounds):
                    state = _state(store_state, key, fingerprint)
                    link = before.get((table.name, pair))
                    yield PlannedPartition(key, start * DAY, fingerprint, state, rows, link)
                before[table.name, pair] = (key, fingerprint)
