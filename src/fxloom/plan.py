"""The plan: which partitions are missing, stale or fresh, and what work makes them. Pure: reads summaries only.

The arithmetic on an example: ``bqx_momentum`` looks back 180 bars. Its partition eurusd 2018-03 starts with the
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

from fxloom.days import Day, History
from fxloom.feature import KEYED_BY_MONTH, Table
from fxloom.fingerprint import formula_digest
from fxloom.months import MINUTES_A_DAY, month_bounds
from fxloom.view import Traits

State = Literal["fresh", "stale", "missing"]


@dataclass(frozen=True)
class Stock:
    """What is stored, as far as a plan needs it: days and traits a pair, the type of features, fingerprints."""

    days: Mapping[str, Mapping[str, Sequence[Day]]]
    traits: Mapping[str, Traits]
    dtype: str
    fingerprints: Mapping[tuple[str, str, str], str]


@dataclass(frozen=True)
class Item:
    """One partition to make: its table, the start of the bars it sees (minute), and the fingerprint it will have."""

    table: str
    pair: str
    month: str
    start: int
    fingerprint: str
    state: State
    rows: int
    before: tuple[str, str] | None = None  # the stored month before it, and the fingerprint this has if it is current


@dataclass(frozen=True)
class Task:
    """Work that shares its bars: all tables of a pair and month (``pair``), or of all pairs and a month ("")."""

    pair: str
    month: str
    items: tuple[Item, ...]
    pairs: tuple[str, ...] = ()

    @property
    def start(self) -> int:
        return min(item.start for item in self.items)

    @property
    def end(self) -> int:
        return month_bounds(self.month)[1]


@dataclass(frozen=True)
class Plan:
    """Every partition asked for, and the tasks that make what is not fresh."""

    items: tuple[Item, ...] = ()
    tasks: tuple[Task, ...] = ()
    states: Mapping[State, int] = field(default_factory=dict)


def make_plan(
    stock: Stock,
    tables: Sequence[Table],
    pairs: Sequence[str] | None = None,
    months: tuple[str, str] | None = None,
    force: bool = False,
) -> Plan:
    """The plan for ``tables``, the given pairs and months (None: all that have bars)."""
    wanted = sorted(stock.days) if pairs is None else sorted(pairs)
    one_pair = [t for t in tables if t.family.scope == "pair"]
    of_panel = [t for t in tables if t.family.scope == "panel"]
    items: list[Item] = []
    if one_pair:
        for pair in wanted:
            items += _pair_items(stock, one_pair, pair, months)
    if of_panel:
        items += _panel_items(stock, of_panel, wanted, months)
    items = list(_linked(items, months))
    return Plan(tuple(items), tuple(_tasks(items, stock, tables, force)), _count(items))


def _count(items: Iterable[Item]) -> dict[State, int]:
    counts: dict[State, int] = {"fresh": 0, "stale": 0, "missing": 0}
    for item in items:
        counts[item.state] += 1
    return counts


def _tasks(items: Sequence[Item], stock: Stock, tables: Sequence[Table], force: bool) -> list[Task]:
    """One task a pair and month, and one a month for the tables of many pairs, oldest month first."""
    panel = {t.name for t in tables if t.family.scope == "panel"}
    groups: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in items:
        if force or item.state != "fresh":
            groups[item.month, "" if item.table in panel else item.pair].append(item)
    everyone = tuple(sorted(stock.days))
    return [
        Task(pair, month, tuple(group), everyone if pair == "" else (pair,))
        for (month, pair), group in sorted(groups.items())
    ]


def _within(month: str, bounds: tuple[str, str] | None) -> bool:
    return bounds is None or bounds[0] <= month <= bounds[1]


def _selected(months: Iterable[str], bounds: tuple[str, str] | None) -> list[str]:
    """The months within ``bounds``, and the one before them, which ``_linked`` takes out again."""
    found = sorted(months)
    return [m for m, after in zip(found, [*found[1:], ""], strict=True) if _within(m, bounds) or _within(after, bounds)]


def _linked(items: Iterable[Item], bounds: tuple[str, str] | None) -> Iterator[Item]:
    """The items within ``bounds``, each told of the one before it; ``items`` in the order of their months."""
    before: dict[tuple[str, str], tuple[str, str]] = {}
    for item in items:
        where = (item.table, item.pair)
        if _within(item.month, bounds):
            yield replace(item, before=before.get(where))
        before[where] = (item.month, item.fingerprint)


def _state(stock: Stock, key: tuple[str, str, str], fingerprint: str) -> State:
    stored = stock.fingerprints.get(key)
    return "missing" if stored is None else "fresh" if stored == fingerprint else "stale"


def _pair_items(stock: Stock, tables: Sequence[Table], pair: str, bounds: tuple[str, str] | None) -> Iterable[Item]:
    by_month = stock.days[pair]
    history = History([day for month in sorted(by_month) for day in by_month[month]])
    for month in _selected(by_month, bounds):
        first, end = month_bounds(month)
        i, j = history.index_of(first), history.index_of(end)
        rows = sum(d.rows for d in history.days[i:j])
        for table in tables:
            k = history.start_for(i, table.lookback)
            print_ = _digest(table, stock, {pair: history.days[k:j]})
            state = _state(stock, (table.name, pair, month), print_)
            yield Item(table.name, pair, month, history.numbers[k] * MINUTES_A_DAY, print_, state, rows)


def _panel_items(
    stock: Stock, tables: Sequence[Table], wanted: Sequence[str], bounds: tuple[str, str] | None
) -> Iterable[Item]:
    """Partitions of tables of many pairs: their bars are those of all stored pairs, whichever are asked for."""
    days = {pair: {d.day: d for ds in months.values() for d in ds} for pair, months in stock.days.items()}
    clock: dict[int, int] = defaultdict(int)  # a lower bound of the panel clock's bars a day
    for by_day in days.values():
        for d in by_day.values():
            clock[d.day] = max(clock[d.day], d.clock)
    numbers = sorted(clock)
    for month in _selected({m for months in stock.days.values() for m in months}, bounds):
        first, end = (minute // MINUTES_A_DAY for minute in month_bounds(month))
        for table in tables:
            start = _panel_start(numbers, clock, first, table.lookback)
            seen = {p: [by_day[n] for n in sorted(by_day) if start <= n < end] for p, by_day in sorted(days.items())}
            print_ = _digest(table, stock, {p: ds for p, ds in seen.items() if ds})
            for pair in [""] if table.name == KEYED_BY_MONTH else wanted:
                if pair and month not in stock.days[pair]:
                    continue
                rows = sum(d.rows for p, ds in seen.items() if pair in ("", p) for d in ds if d.day >= first)
                state = _state(stock, (table.name, pair, month), print_)
                yield Item(table.name, pair, month, start * MINUTES_A_DAY, print_, state, rows)


def _panel_start(numbers: Sequence[int], clock: Mapping[int, int], first: int, lookback: int) -> int:
    """The latest day from which the panel clock surely has ``lookback`` bars before day ``first``."""
    total, start = 0, first
    for number in reversed([n for n in numbers if n < first]):
        if total >= lookback:
            break
        total, start = total + clock[number], number
    return start


def _digest(table: Table, stock: Stock, seen: Mapping[str, Sequence[Day]]) -> str:
    """The fingerprint: formulas, settings and bars that determine the partition, and nothing else."""
    digest = hashlib.blake2b(f"{formula_digest(table)} {stock.dtype}".encode(), digest_size=16)
    for pair, days in seen.items():
        traits = stock.traits[pair]
        flags = [traits.has_volume, traits.has_quotes] if table.family.uses else []
        digest.update(f"{pair} {traits.baseline!r} {flags}".encode())
        for d in days:
            digest.update(f"{d.day}{d.prices}".encode())
            if "volume" in table.family.uses and traits.has_volume:
                digest.update(d.volume.encode())
            if "spread" in table.family.uses and traits.has_quotes:
                digest.update(d.spread.encode())
    return digest.hexdigest()
