"""What a store holds, judged from what its partitions say of themselves: state a table, features populated."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from fxloom.catalogue import tables
from fxloom.feature import Table
from fxloom.holes import Hole
from fxloom.plan import Item, Plan
from fxloom.quality import Survey, findings, jumps, surveys_of
from fxloom.stores.base import Damage, Key, Record

TableState = Literal["POPULATED", "PARTIAL", "WARMUP", "EMPTY", "MISSING"]


@dataclass(frozen=True)
class Finding:
    """Something to look at: where, which feature, what."""

    key: Key
    feature: str
    what: str

    def __str__(self) -> str:
        return f"{self.key}: {self.feature}: {self.what}" if self.feature else f"{self.key}: {self.what}"


@dataclass(frozen=True)
class PartitionAudit:
    """One partition: rows, features due and populated, rows missing for each reason, its state against the plan."""

    key: Key
    rows: int
    state: str
    due: int
    populated: int
    reasons: Mapping[str, int]


@dataclass(frozen=True)
class TableAudit:
    """One table over all its partitions."""

    table: str
    features: int
    partitions: int
    rows: int
    state: TableState
    populated: int
    proxies: tuple[str, ...]
    worst_missing: float
    findings: tuple[Finding, ...]
    detail: tuple[PartitionAudit, ...] = ()


@dataclass(frozen=True)
class Audit:
    """The whole store."""

    tables: tuple[TableAudit, ...]
    damages: tuple[Damage, ...] = ()
    holes: tuple[Hole, ...] = ()

    @property
    def populated(self) -> int:
        return sum(t.populated for t in self.tables)

    @property
    def features(self) -> int:
        return sum(t.features for t in self.tables)

    @property
    def findings(self) -> list[Finding]:
        return [*self._lacking(), *(f for t in self.tables for f in t.findings)]

    def _lacking(self) -> list[Finding]:
        """One finding for all holes in the source, naming the largest."""
        lacking = [h for h in self.holes if h.lost or h.days]
        if not lacking:
            return []
        worst = max(lacking, key=lambda h: (len(h.days), h.lost))
        told = f"{len(lacking)} of {len(self.holes)} months of pairs have holes; {worst.pair} {worst.month}: {worst}"
        return [Finding(Key("m1", "", ""), "", told)]

    @property
    def summary(self) -> str:
        share = self.populated / self.features if self.features else 0.0
        # never round up to 100 %
        percent = 100.0 if self.populated == self.features else min(100 * share, 99.9)
        return f"{self.populated:,} of {self.features:,} features populated ({percent:.1f} %)"


@dataclass
class _Held:
    """The records of one table, with their surveys, by partition."""

    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    surveys: dict[tuple[str, str], dict[str, Survey]] = field(default_factory=dict)


def audit(records: Sequence[Record], plan: Plan, damages: Sequence[Damage] = (), holes: Sequence[Hole] = ()) -> Audit:
    """Judge ``records`` against ``plan``, which lists every partition that the stored bars allow."""
    held: dict[str, _Held] = defaultdict(_Held)
    for record in records:
        where = (record.key.pair, record.key.month)
        held[record.key.table].records[where] = record
        held[record.key.table].surveys[where] = surveys_of(record.quality)
    expected: dict[str, list[Item]] = defaultdict(list)
    for item in plan.items:
        expected[item.table].append(item)
    found = [_table(t, held[t.name], expected[t.name]) for t in tables().values()]
    return Audit(tuple(found), tuple(damages), tuple(holes))


def _table(table: Table, held: _Held, expected: Sequence[Item]) -> TableAudit:
    populated = [f.name for f in table.features if _feature_populated(f.name, held)]
    proxies = sorted({p for r in held.records.values() for p in r.proxies})
    shares = [s.missing_share for surveys in held.surveys.values() for s in surveys.values()]
    complete = all((item.pair, item.month) in held.records for item in expected)
    return TableAudit(
        table.name,
        len(table.features),
        len(held.records),
        sum(r.rows for r in held.records.values()),
        _state(table, held, len(populated), complete),
        len(populated) if complete else 0,
        tuple(proxies),
        max(shares, default=0.0),
        tuple(_findings(table.name, held, expected)),
        tuple(_details(held, expected)),
    )


def _feature_populated(name: str, held: _Held) -> bool:
    """Due at least once, and populated wherever it is due."""
    surveys = [s[name] for s in held.surveys.values() if name in s and s[name].possible > 0]
    return bool(surveys) and all(s.populated for s in surveys)


def _state(table: Table, held: _Held, populated: int, complete: bool) -> TableState:
    if not held.records:
        return "MISSING"
    surveys = [s for by_name in held.surveys.values() for s in by_name.values()]
    if all(s.due == 0 for s in surveys):
        return "WARMUP"
    if all(s.finite == 0 for s in surveys):
        return "EMPTY"
    return "POPULATED" if populated == len(table.features) and complete else "PARTIAL"


def _findings(table: str, held: _Held, expected: Sequence[Item]) -> Iterator[Finding]:
    lacking = [i for i in expected if (i.pair, i.month) not in held.records]
    stale = [i for i in expected if i.state == "stale"]
    if lacking:
        yield _of_many(table, lacking, len(expected), "not populated yet")
    if stale:
        yield _of_many(table, stale, len(expected), "stale: bars, settings or formulas have changed")
    for item in expected:
        record = held.records.get((item.pair, item.month))
        if item.state == "fresh" and record is not None and record.rows != item.rows:
            yield Finding(record.key, "", f"{record.rows} rows, but {item.rows} bars")
    known = {f.name: f for f in tables()[table].features}
    for where, surveys in sorted(held.surveys.items()):
        for name, survey in surveys.items():
            if name in known:  # another version may have stored features that are no more
                yield from (Finding(Key(table, *where), name, what) for what in findings(known[name], survey))
    yield from _never_possible(table, held)
    yield from _jumps(table, held)


def _never_possible(table: str, held: _Held) -> Iterator[Finding]:
    """Features that absent pairs leave without a value everywhere, and values lost to failed fits: one finding each."""
    absent: set[str] = set()
    possible: set[str] = set()
    failed = 0
    for surveys in held.surveys.values():
        absent |= {name for name, s in surveys.items() if s.absent}
        possible |= {name for name, s in surveys.items() if s.possible > 0}
        failed += sum(s.failed for s in surveys.values())
    if lost := sorted(absent - possible):
        yield Finding(
            Key(table, "", ""), "", f"{len(lost)} features have no value: pairs that they need are not stored"
        )
    if failed:
        yield Finding(Key(table, "", ""), "", f"{failed:,} values missing because a fit failed")


def _of_many(table: str, items: Sequence[Item], total: int, what: str) -> Finding:
    """One finding for partitions of a table that share it, naming the first."""
    first = " ".join(part for part in (items[0].pair, items[0].month) if part)
    return Finding(Key(table, "", ""), "", f"{len(items)} of {total} partitions {what} ({first} ...)")


def _jumps(table: str, held: _Held) -> Iterator[Finding]:
    """Columns whose scale jumps from one stored month to the next, whichever of them was published first."""
    by_pair: dict[str, list[str]] = defaultdict(list)
    for pair, month in sorted(held.surveys):
        by_pair[pair].append(month)
    for pair, months in by_pair.items():
        for before, month in itertools.pairwise(months):
            for name, what in jumps(held.surveys[pair, before], held.surveys[pair, month]).items():
                yield Finding(Key(table, pair, month), name, what)


def _details(held: _Held, expected: Sequence[Item]) -> Iterator[PartitionAudit]:
    states = {(i.pair, i.month): str(i.state) for i in expected}
    for where in sorted(set(states) | set(held.records)):
        surveys = list(held.surveys.get(where, {}).values())
        rows = held.records[where].rows if where in held.records else 0
        due = [s for s in surveys if s.possible > 0]
        reasons = {
            "warm-up": sum(rows - s.due for s in surveys),
            "absent pair": sum(s.absent for s in surveys),
            "hole in the source": sum(s.hole for s in surveys),
            "undefined": sum(s.undefined for s in surveys),
            "failed fit": sum(s.failed for s in surveys),
            "no reason": sum(s.missing for s in surveys),
        }
        name = next(iter(held.records.values())).key.table if held.records else expected[0].table
        state = states.get(where, "without bars")
        yield PartitionAudit(Key(name, *where), rows, state, len(due), sum(s.populated for s in due), reasons)
