"""Plans which partitions are missing, stale or fresh, and the tasks that compute them. Pure: reads summaries only.

An example: ``bqx_momentum`` looks back 180 bars. Its partition eurusd 2018-03 starts with the
first bar of 2018-03-01; the latest day with 180 clock bars between its first bar and that one is, say, 2018-02-28.
So the computation sees the bars from 2018-02-28 00:00 to the end of March, and the fingerprint covers the digests
of exactly those days, the formulas, and the settings that the table depends on.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from fxloom.bars.clock import DAY
from fxloom.bars.days import DaySummary, History
from fxloom.bars.months import month_bounds
from fxloom.bars.pairs import PairInfo
from fxloom.engine.partitions import PartitionKey
from fxloom.features.feature import Table
from fxloom.features.fingerprint import formula_digest

State = Literal["fresh", "stale", "missing"]


@dataclass(frozen=True)
class StoreState:
    """What a plan needs to know about the store: days and settings per pair, float type, fingerprints."""

    days: Mapping[str, Mapping[str, Sequence[DaySummary]]]
    infos: Mapping[str, PairInfo]
    dtype: str
    fingerprints: Mapping[PartitionKey, str]


@dataclass(frozen=True)
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
        """The first minute (since 1970) of the bars that the task needs."""
        return min(partition.start for partition in self.partitions)

    @property
    def end(self) -> int:
        """The minute (since 1970) after the last one of the month."""
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
    if one_pair:
        for pair in wanted:
            planned += _pair_partitions(store_state, one_pair, pair, months)
    if of_panel:
        planned += _panel_partitions(store_state, of_panel, wanted, months)
    planned = list(_linked(planned, months))
    return Plan(tuple(planned), tuple(_tasks(planned, store_state, tables, force)), _count(planned))


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
    """The months within ``bounds`` and the one before them, which ``_linked`` drops again."""
    found = sorted(months)
    return [m for m, after in zip(found, [*found[1:], ""], strict=True) if _within(m, bounds) or _within(after, bounds)]


def _linked(planned: Iterable[PlannedPartition], bounds: tuple[str, str] | None) -> Iterator[PlannedPartition]:
    """The partitions within ``bounds``, each with its predecessor; ``planned`` is ordered by month."""
    before: dict[tuple[str, str], tuple[PartitionKey, str]] = {}
    for partition in planned:
        key = partition.key
        if _within(key.month, bounds):
            yield replace(partition, before=before.get((key.table, key.pair)))
        before[key.table, key.pair] = (key, partition.fingerprint)


def _state(store_state: StoreState, key: PartitionKey, fingerprint: str) -> State:
    stored = store_state.fingerprints.get(key)
    return "missing" if stored is None else "fresh" if stored == fingerprint else "stale"


def _pair_partitions(
    store_state: StoreState, tables: Sequence[Table], pair: str, bounds: tuple[str, str] | None
) -> Iterator[PlannedPartition]:
    by_month = store_state.days[pair]
    history = History([day for month in sorted(by_month) for day in by_month[month]])
    for month in _selected(by_month, bounds):
        first, end = month_bounds(month)
        i, j = history.index_of(first), history.index_of(end)
        rows = sum(d.rows for d in history.days[i:j])
        for table in tables:
            k = history.start_for(i, table.lookback)
            fingerprint = fingerprint_of(table, store_state.infos, store_state.dtype, {pair: history.days[k:j]})
            key = PartitionKey(table.name, pair, month)
            state = _state(store_state, key, fingerprint)
            yield PlannedPartition(key, history.numbers[k] * DAY, fingerprint, state, rows)


def _panel_partitions(
    store_state: StoreState, tables: Sequence[Table], wanted: Sequence[str], bounds: tuple[str, str] | None
) -> Iterator[PlannedPartition]:
    """Partitions of panel tables, which see the bars of all stored pairs, whichever pairs are requested."""
    days = {pair: {d.day: d for ds in months.values() for d in ds} for pair, months in store_state.days.items()}
    clock: dict[int, int] = defaultdict(int)  # a lower bound of the panel clock's bars per day
    for by_day in days.values():
        for d in by_day.values():
            clock[d.day] = max(clock[d.day], d.clock)
    numbers = sorted(clock)
    for month in _selected({m for months in store_state.days.values() for m in months}, bounds):
        first, end = (minute // DAY for minute in month_bounds(month))
        for table in tables:
            start = _panel_start(numbers, clock, first, table.lookback)
            seen = {p: [by_day[n] for n in sorted(by_day) if start <= n < end] for p, by_day in sorted(days.items())}
            fingerprint = fingerprint_of(table, store_state.infos, store_state.dtype, seen)
            for pair in [""] if table.holds_all_pairs else wanted:
                if pair and month not in store_state.days[pair]:
                    continue
                rows = sum(d.rows for p, ds in seen.items() if pair in ("", p) for d in ds if d.day >= first)
                key = PartitionKey(table.name, pair, month)
                state = _state(store_state, key, fingerprint)
                yield PlannedPartition(key, start * DAY, fingerprint, state, rows)


def _panel_start(numbers: Sequence[int], clock: Mapping[int, int], first: int, lookback: int) -> int:
    """The latest day from which the panel clock has at least ``lookback`` bars before day ``first``."""
    total, start = 0, first
    for number in reversed([n for n in numbers if n < first]):
        if total >= lookback:
            break
        total, start = total + clock[number], number
    return start


def fingerprint_of(
    table: Table, infos: Mapping[str, PairInfo], dtype: str, seen: Mapping[str, Sequence[DaySummary]]
) -> str:
    """The fingerprint of a partition: covers the formulas, settings and bars that determine it, and nothing else.

    ``seen``: the days that its computation reads, by pair in sorted order; pairs without days are ignored.
    """
    digest = hashlib.blake2b(f"{formula_digest(table)} {dtype}".encode(), digest_size=16)
    for pair, days in seen.items():
        if not days:
            continue
        info = infos[pair]
        flags = [info.has_volume, info.has_quotes] if table.family.uses else []
        digest.update(f"{pair} {info.baseline!r} {flags}".encode())
        for d in days:
            digest.update(f"{d.day}{d.prices}".encode())
            if "volume" in table.family.uses and info.has_volume:
                digest.update(d.volume.encode())
            if "spread" in table.family.uses and info.has_quotes:
                digest.update(d.spread.encode())
    return digest.hexdigest()
