"""What an audit reports: the state of each table, populated features, findings; and the words for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from fxloom.bars.gaps import Gap
from fxloom.engine.partitions import Corruption, PartitionKey

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
    are not stored. ``worst_missing`` is a share (0 to 1). ``detail`` and all ``findings`` are there if they were asked
    for; otherwise ``more_findings`` counts those that are left out.
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
    more_findings: int = 0


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

    @property
    def finding_count(self) -> int:
        """How many findings there are, with those that are only counted."""
        return len(self.findings) + sum(t.more_findings for t in self.started or self.tables)

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
