"""Audits a store by its partitions' records: the state of each table, and which features are populated."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from fxloom.bars.gaps import Gap
from fxloom.engine.partitions import Corruption, PartitionKey, Record
from fxloom.engine.plan import Plan, PlannedPartition
from fxloom.engine.quality import ColumnStats, findings, jumps, stats_by_feature
from fxloom.features.catalogue import tables
from fxloom.features.feature import Table
from fxloom.features.missing import Reason

Stats = dict[str, ColumnStats]  # by feature
TableState = Literal["POPULATED", "PARTIAL", "WARMUP", "EMPTY", "MISSING"]


@dataclass(frozen=True)
class Finding:
    """Something that the user should look at: the partition, the feature ("" for all of them), and what is wrong."""

    key: PartitionKey
    feature: str
    what: str

    def __str__(self) -> str:
        return f"{self.key}: {self.feature}: {self.what}" if self.feature else f"{self.key}: {self.what}"


@dataclass(frozen=True)
class PartitionAudit:
    """One partition: its rows, how many features are due and populated, missing values by reason, state in the plan."""

    key: PartitionKey
    rows: int
    state: str
    due: int
    populated: int
    reasons: Mapping[str, int]


@dataclass(frozen=True)
class TableAudit:
    """One table: ``partitions`` are stored, of the ``expected`` ones that the stored bars allow.

    ``populated`` counts the features that have a value wherever one is due in the stored partitions. ``empty`` lists,
    per pair, the features that are due but never have a value; ``absent`` lists those of them that need pairs which
    are not stored. ``worst_missing`` is a share (0 to 1).
    """

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
    expected: int = 0
    empty: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    absent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Audit:
    """The audit of a whole store: its tables, corrupt data, and gaps in the source."""

    tables: tuple[TableAudit, ...]
    corrupt: tuple[Corruption, ...] = ()
    gaps: tuple[Gap, ...] = ()

    @property
    def started(self) -> tuple[TableAudit, ...]:
        """The tables with at least one stored partition."""
        return tuple(t for t in self.tables if t.partitions)

    @property
    def populated(self) -> int:
        """How many features of the started tables are populated."""
        return sum(t.populated for t in self.started)

    @property
    def features(self) -> int:
        """How many features the started tables have."""
        return sum(t.features for t in self.started)

    @property
    def empty(self) -> dict[str, list[str]]:
        """Per pair, the features that are due but never have a value."""
        found: dict[str, list[str]] = defaultdict(list)
        for table in self.tables:
            for pair, names in table.empty.items():
                found[pair] += names
        return dict(sorted(found.items()))

    @property
    def findings(self) -> list[Finding]:
        """Everything that the user should look at, of the whole store first, then by table."""
        judged = self.started or self.tables
        return [
            *self._source_gaps(),
            *self._unpopulated_tables(),
            *self._empty(),
            *(f for t in judged for f in t.findings),
        ]

    def _unpopulated_tables(self) -> Iterator[Finding]:
        """One finding for all tables without a stored partition, if other tables have some."""
        names = [t.table for t in self.tables if not t.partitions]
        if self.started and names:
            listed = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
            yield Finding(PartitionKey("features", "", ""), "", f"{len(names)} tables are not populated ({listed})")

    def _empty(self) -> Iterator[Finding]:
        """One finding per pair that has features without a value, naming the first few."""
        for pair, names in self.empty.items():
            listed = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
            absent = sum(len(t.absent.get(pair, ())) for t in self.tables)
            because = f", {absent} of them because pairs that they need are not stored" if absent else ""
            yield Finding(
                PartitionKey("features", pair, ""), "", f"{len(names)} features have no value{because}: {listed}"
            )

    def _source_gaps(self) -> list[Finding]:
        """One finding for all gaps in the source, naming the largest."""
        lacking = [h for h in self.gaps if h.missing or h.days]
        if not lacking:
            return []
        worst = max(lacking, key=lambda h: (len(h.days), h.missing))
        what = f"{len(lacking)} of {len(self.gaps)} pair-months have gaps; worst, {worst.pair} {worst.month}: {worst}"
        return [Finding(PartitionKey("m1", "", ""), "", what)]

    @property
    def summary(self) -> str:
        """One line: how many features and partitions are populated, and which features have no value."""
        if not self.started:
            return "nothing is populated yet"
        # never round up to 100 %
        share = 100 * self.populated / self.features
        percent = 100.0 if self.populated == self.features else min(share, 99.9)
        text = f"{self.populated:,} of {self.features:,} features populated ({percent:.1f} %)"
        if len(self.started) < len(self.tables):
            text += f" in {len(self.started)} of {len(self.tables)} tables"
        stored, expected = (sum(getattr(t, name) for t in self.started) for name in ("partitions", "expected"))
        if stored < expected:
            text += f", {stored:,} of {expected:,} partitions"
        return text + _without_values(self.empty)


def _without_values(empty: Mapping[str, Sequence[str]]) -> str:
    """How many features have no value, by pair, worst first; "" if all have one."""
    worst = sorted(empty.items(), key=lambda entry: -len(entry[1]))
    if not worst:
        return ""
    listed = ", ".join(f"{len(names)} for {pair}" for pair, names in worst[:3])
    more = f" and some for {len(worst) - 3} more pairs" if len(worst) > 3 else ""
    return f"; without a value: {listed}{more}"


@dataclass
class TableRecords:
    """The records of one table, and their column statistics, by partition."""

    records: dict[PartitionKey, Record] = field(default_factory=dict)
    stats: dict[PartitionKey, dict[str, ColumnStats]] = field(default_factory=dict)


def audit(records: Sequence[Record], plan: Plan, corrupt: Sequence[Corruption] = (), gaps: Sequence[Gap] = ()) -> Audit:
    """Judge ``records`` against ``plan``, which lists every partition that the stored bars allow."""
    held: dict[str, TableRecords] = defaultdict(TableRecords)
    for record in records:
        held[record.key.table].records[record.key] = record
        held[record.key.table].stats[record.key] = stats_by_feature(record.quality)
    expected: dict[str, list[PlannedPartition]] = defaultdict(list)
    for partition in plan.partitions:
        expected[partition.key.table].append(partition)
    found = [_table(t, held[t.name], expected[t.name]) for t in tables().values()]
    return Audit(tuple(found), tuple(corrupt), tuple(gaps))


def _table(table: Table, held: TableRecords, expected: Sequence[PlannedPartition]) -> TableAudit:
    populated = [f.name for f in table.features if _feature_populated(f.name, held)]
    proxies = sorted({p for r in held.records.values() for p in r.proxies})
    shares = [s.missing_share for stats in held.stats.values() for s in stats.values()]
    complete = all(partition.key in held.records for partition in expected)
    return TableAudit(
        table.name,
        len(table.features),
        len(held.records),
        sum(r.rows for r in held.records.values()),
        _state(table, held, len(populated), complete),
        len(populated),
        tuple(proxies),
        max(shares, default=0.0),
        tuple(_findings(table.name, held, expected)),
        tuple(_details(held, expected)),
        len(expected),
        _features_where(_never, table, held),
        _features_where(_never_possible_for, table, held),
    )


def _features_where(
    test: Callable[[str, list[Stats]], bool], table: Table, held: TableRecords
) -> dict[str, tuple[str, ...]]:
    """Per pair, the features for which ``test`` is true of the pair's stored months."""
    by_pair: dict[str, list[Stats]] = defaultdict(list)
    for key, stats in held.stats.items():
        by_pair[key.pair].append(stats)
    found = {}
    for pair, months in by_pair.items():
        names = tuple(n for n in table.names if test(n, months))
        if pair and names:
            found[pair] = names
    return found


def _never(name: str, months: list[Stats]) -> bool:
    """Whether a feature is due in some month and has no value in any."""
    stats = [month[name] for month in months if name in month]
    return any(s.due for s in stats) and not any(s.finite for s in stats)


def _never_possible_for(name: str, months: list[Stats]) -> bool:
    """Whether a feature never has a value because pairs that it needs are not stored."""
    return _never(name, months) and all(m[name].possible == 0 and m[name].absent for m in months if name in m)


def _feature_populated(name: str, held: TableRecords) -> bool:
    """Whether a feature is due at least once, and populated wherever it is due."""
    stats = [s[name] for s in held.stats.values() if name in s and s[name].possible > 0]
    return bool(stats) and all(s.populated for s in stats)


def _state(table: Table, held: TableRecords, populated: int, complete: bool) -> TableState:
    if not held.records:
        return "MISSING"
    stats = [s for by_name in held.stats.values() for s in by_name.values()]
    if all(s.due == 0 for s in stats):
        return "WARMUP"
    if all(s.finite == 0 for s in stats):
        return "EMPTY"
    return "POPULATED" if populated == len(table.features) and complete else "PARTIAL"


def _findings(table: str, held: TableRecords, expected: Sequence[PlannedPartition]) -> Iterator[Finding]:
    lacking = [p for p in expected if p.key not in held.records]
    stale = [p for p in expected if p.state == "stale"]
    if lacking:
        yield _of_many(table, lacking, len(expected), "not populated yet")
    if stale:
        yield _of_many(table, stale, len(expected), "stale: bars, settings or formulas have changed")
    for partition in expected:
        record = held.records.get(partition.key)
        if partition.state == "fresh" and record is not None and record.rows != partition.rows:
            yield Finding(record.key, "", f"it has {record.rows} rows, but {partition.rows} bars are stored")
    known = {f.name: f for f in tables()[table].features}
    for key, stats in sorted(held.stats.items()):
        for name, column in stats.items():
            if name in known:  # another version may have stored features that no longer exist
                yield from (Finding(key, name, what) for what in findings(known[name], column))
    yield from _never_possible(table, held)
    yield from _jumps(held)


def _never_possible(table: str, held: TableRecords) -> Iterator[Finding]:
    """One finding each for features whose pairs are absent, for failed fits, and for bars without volume or quotes."""
    absent: set[str] = set()
    possible: set[str] = set()
    failed = without_input = 0
    for stats in held.stats.values():
        absent |= {name for name, s in stats.items() if s.absent}
        possible |= {name for name, s in stats.items() if s.possible > 0}
        failed += sum(s.failed for s in stats.values())
        without_input += sum(s.no_input for s in stats.values())
    if never := absent - possible:
        what = f"{len(never)} features have no value: pairs that they need are not stored"
        yield Finding(PartitionKey(table, "", ""), "", what)
    if failed:
        yield Finding(PartitionKey(table, "", ""), "", f"{failed:,} values missing because a fit failed")
    if without_input:
        what = f"{without_input:,} values missing because bars lack the volume or quotes that their pair has"
        yield Finding(PartitionKey(table, "", ""), "", what)


def _of_many(table: str, partitions: Sequence[PlannedPartition], total: int, what: str) -> Finding:
    """One finding for several ``partitions`` of a table, naming the first."""
    key = partitions[0].key
    first = " ".join(part for part in (key.pair, key.month) if part)
    return Finding(PartitionKey(table, "", ""), "", f"{len(partitions)} of {total} partitions {what} ({first} ...)")


def _jumps(held: TableRecords) -> Iterator[Finding]:
    """Columns whose scale jumps from one stored month to the next, whichever of them was published first."""
    for before, key in itertools.pairwise(sorted(held.stats)):
        if before.pair == key.pair:
            for name, what in jumps(held.stats[before], held.stats[key]).items():
                yield Finding(key, name, what)


def _details(held: TableRecords, expected: Sequence[PlannedPartition]) -> Iterator[PartitionAudit]:
    states = {p.key: str(p.state) for p in expected}
    for key in sorted(set(states) | set(held.records)):
        stats = list(held.stats.get(key, {}).values())
        rows = held.records[key].rows if key in held.records else 0
        due = [s for s in stats if s.possible > 0]
        reasons = {
            Reason.WARM_UP: sum(rows - s.due for s in stats),
            Reason.ABSENT: sum(s.absent for s in stats),
            Reason.GAP: sum(s.gap for s in stats),
            Reason.NO_INPUT: sum(s.no_input for s in stats),
            Reason.UNDEFINED: sum(s.undefined for s in stats),
            Reason.FAILED_FIT: sum(s.failed for s in stats),
            Reason.NONE: sum(s.missing for s in stats),
        }
        state = states.get(key, "without bars")
        counted = {reason.value: count for reason, count in reasons.items()}
        yield PartitionAudit(key, rows, state, len(due), sum(s.populated for s in due), counted)
