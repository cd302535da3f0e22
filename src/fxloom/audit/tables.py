"""Audits tables by queries on the statistics of all their partitions' columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from fxloom.audit.report import Audit, Finding, PartitionAudit, TableAudit, TableState
from fxloom.bars.gaps import Gap
from fxloom.engine.partitions import Corruption, PartitionKey
from fxloom.engine.plan import Plan, PlannedPartition
from fxloom.engine.quality import (
    broken_rules,
    is_populated,
    jump_text,
    limits_of,
    possible_rows,
    scale_jumps,
    stats_of,
    texts_of,
)
from fxloom.features.catalogue import tables
from fxloom.features.feature import Table
from fxloom.features.missing import Reason
from fxloom.stores.inventory import Inventory

MOST = 100  # findings listed per table, unless all are asked for; the others are counted

NEVER = (pl.col("due") > 0) & (pl.col("finite") == 0)  # due in some month, and without a value in any
REASONS = {
    Reason.ABSENT: "absent", Reason.GAP: "gap", Reason.NO_INPUT: "no_input", Reason.UNDEFINED: "undefined",
    Reason.FAILED_FIT: "failed", Reason.NONE: "missing",
}  # fmt: skip


class _Columns:
    """Column expressions by attribute, for rules that are written for numbers; "_before" reads the month before."""

    def __init__(self, suffix: str = "") -> None:
        self._suffix = suffix

    def __getattr__(self, name: str) -> pl.Expr:
        return pl.col(name + self._suffix)


def audit(
    inventory: Inventory,
    plan: Plan,
    corrupt: Sequence[Corruption] = (),
    gaps: Sequence[Gap] = (),
    detail: bool = False,
    names: Sequence[str] | None = None,
) -> Audit:
    """Judge the tables ``names`` (None: all) of ``inventory`` against ``plan``, which has every partition due.

    ``detail`` lists every partition, and every finding instead of the first MOST of a table.
    """
    expected: dict[str, list[PlannedPartition]] = {}
    for partition in plan.partitions:
        expected.setdefault(partition.key.table, []).append(partition)
    chosen = [t for t in tables().values() if names is None or t.name in names]
    found = (_audited(t, inventory, expected.get(t.name, []), detail) for t in chosen)
    return Audit(tuple(found), tuple(corrupt), tuple(gaps))


def _audited(table: Table, inventory: Inventory, expected: Sequence[PlannedPartition], detail: bool) -> TableAudit:
    stored = inventory.partitions.filter(pl.col("table") == table.name)
    judged = _Judged(table, stored, _with_limits(table, inventory.statistics(table.name)), expected)
    findings, count = judged.findings(None if detail else MOST)
    return TableAudit(
        table.name,
        len(table.features),
        stored.height,
        int(stored["rows"].sum()),
        judged.state(),
        judged.populated,
        judged.proxies(),
        judged.worst_missing(),
        tuple(findings),
        tuple(judged.details()) if detail else (),
        len(expected),
        judged.lacking(NEVER),
        judged.lacking(NEVER & pl.col("never_possible")),
        count - len(findings),
    )


def _with_limits(table: Table, statistics: pl.DataFrame) -> pl.DataFrame:
    """``statistics`` of the table's features with what is derived from them, each feature's limits and its place.

    Features that another version stored are left out.
    """
    limits = [{"feature": f.name, "place": i, **asdict(limits_of(f))} for i, f in enumerate(table.features)]
    renamed = pl.DataFrame(limits).rename(lambda name: name if name in ("feature", "place") else f"{name}_limit")
    joined = statistics.join(renamed, on="feature", how="inner", maintain_order="left")
    with_possible = joined.with_columns(possible_rows(_Columns()).alias("possible"))
    return with_possible.with_columns(is_populated(_Columns()).alias("populated"))


@dataclass
class _Judged:
    """One table: its stored partitions, the statistics of their columns, and the partitions that are due."""

    table: Table
    stored: pl.DataFrame
    columns: pl.DataFrame
    expected: Sequence[PlannedPartition]

    def __post_init__(self) -> None:
        possible = self.columns.filter(pl.col("possible") > 0)
        self.populated = possible.group_by("place").agg(pl.col("populated").all()).filter("populated").height
        self.rows = {(pair, month): n for pair, month, n in self.stored.select("pair", "month", "rows").iter_rows()}
        self.over_months = self.columns.filter(pl.col("pair") != "").group_by("pair", "place").agg(
            pl.col("feature").first(), pl.col("due").max(), pl.col("finite").max(),
            ((pl.col("possible") == 0) & (pl.col("absent") > 0)).all().alias("never_possible"),
        )  # fmt: skip

    def state(self) -> TableState:
        """The state of the whole table."""
        if not self.stored.height:
            return "MISSING"
        due, finite = self.columns.select(pl.col("due").max(), pl.col("finite").max()).row(0)
        if not due:
            return "WARMUP"
        if not finite:
            return "EMPTY"
        complete = all((p.key.pair, p.key.month) in self.rows for p in self.expected)
        return "POPULATED" if self.populated == len(self.table.features) and complete else "PARTIAL"

    def proxies(self) -> tuple[str, ...]:
        """The inputs that some partition has replaced by a proxy."""
        named = self.stored["proxies"].unique().str.split(",").explode()
        return tuple(sorted({name for name in named if name}))

    def worst_missing(self) -> float:
        """The largest share of a column's possible rows without a value."""
        possible = self.columns.filter(pl.col("possible") > 0)
        worst: Any = possible.select((1 - pl.col("finite") / pl.col("possible")).max()).item() if possible.height else 0
        return float(worst)

    def lacking(self, condition: pl.Expr) -> dict[str, tuple[str, ...]]:
        """Per pair, the features for which ``condition`` holds over all its stored months, in catalogue order."""
        found: dict[str, list[str]] = {}
        chosen = self.over_months.filter(condition).sort("pair", "place")
        for pair, feature in chosen.select("pair", "feature").iter_rows():
            found.setdefault(pair, []).append(feature)
        return {pair: tuple(names) for pair, names in found.items()}

    # -- findings ------------------------------------------------------------------------------------------------

    def findings(self, most: int | None) -> tuple[list[Finding], int]:
        """What the user should look at, and how many findings there are; at most ``most`` on columns are listed."""
        partitions, without = list(self._partitions()), list(self._without_values())
        broken, broken_count = self._broken_rules(most)
        jumps, jump_count = self._jumps(most)
        found = [*partitions, *broken, *without, *jumps]
        return found, len(partitions) + broken_count + len(without) + jump_count

    def _partitions(self) -> Iterator[Finding]:
        lacking = [p for p in self.expected if (p.key.pair, p.key.month) not in self.rows]
        stale = [p for p in self.expected if p.state == "stale"]
        if lacking:
            yield self._of_many(lacking, "not populated yet")
        if stale:
            yield self._of_many(stale, "stale: bars, settings or formulas have changed")
        for partition in self.expected:
            rows = self.rows.get((partition.key.pair, partition.key.month))
            if partition.state == "fresh" and rows is not None and rows != partition.rows:
                yield Finding(partition.key, "", f"it has {rows} rows, but {partition.rows} bars are stored")

    def _of_many(self, partitions: Sequence[PlannedPartition], what: str) -> Finding:
        """One finding for all ``partitions``, naming the first."""
        key = partitions[0].key
        first = " ".join(part for part in (key.pair, key.month) if part)
        count = f"{len(partitions)} of {len(self.expected)} partitions"
        return Finding(PartitionKey(self.table.name, "", ""), "", f"{count} {what} ({first} ...)")

    def _broken_rules(self, most: int | None) -> tuple[list[Finding], int]:
        """The first ``most`` findings on columns that break rules, and how many there are."""
        rules = broken_rules(_Columns(), _Columns("_limit"))
        flags = {name: f"breaks {name}" for name in rules}
        flagged = self.columns.with_columns(rule.fill_null(False).alias(flags[name]) for name, rule in rules.items())
        broken = flagged.filter(pl.any_horizontal(flags.values())).sort("pair", "month", "place")
        count = int(broken.select(pl.sum_horizontal(pl.col(list(flags.values())).sum())).item() or 0)
        features = {f.name: f for f in self.table.features}
        found = []
        for row in (broken if most is None else broken.head(most)).iter_rows(named=True):
            feature, names = features[row["feature"]], [name for name, flag in flags.items() if row[flag]]
            found += [Finding(self._key(row), feature.name, w) for w in texts_of(names, feature, stats_of(row))]
        return found[:most], count

    def _without_values(self) -> Iterator[Finding]:
        """One finding for features without a value because pairs are absent, one for missing values after failed fits,
        and one for those without input.
        """
        by_feature = self.columns.group_by("place").agg((pl.col("absent") > 0).any(), (pl.col("possible") > 0).any())
        never = by_feature.filter(pl.col("absent") & ~pl.col("possible")).height
        failed, no_input = self.columns.select(pl.col("failed").sum(), pl.col("no_input").sum()).row(0)
        key = PartitionKey(self.table.name, "", "")
        if never:
            yield Finding(key, "", f"{never} features have no value: pairs that they need are not stored")
        if failed:
            yield Finding(key, "", f"{failed:,} values missing because a fit failed")
        if no_input:
            what = f"{no_input:,} values missing because bars lack the volume or quotes that their pair has"
            yield Finding(key, "", what)

    def _jumps(self, most: int | None) -> tuple[list[Finding], int]:
        """Columns whose scale jumps from one stored month to the next, whichever of them was published first."""
        used = ("finite", "std", "scale")
        before = (pl.col(name).shift(1).over("pair", "place").alias(f"{name}_before") for name in used)
        follows = self.columns.with_columns(before)  # they are in order of pair and month
        follows = follows.filter((pl.col("std") != 0) & (pl.col("std_before") != 0))
        price = pl.col("scale_before") / pl.col("scale")
        price = pl.when(price.is_finite() & (price > 0)).then(price).otherwise(1.0)
        jumped = follows.filter(scale_jumps(_Columns("_before"), _Columns(), price))
        rows = (jumped if most is None else jumped.head(most)).iter_rows(named=True)
        found = [Finding(self._key(r), r["feature"], jump_text(r["std_before"], r["std"])) for r in rows]
        return found, jumped.height

    # -- detail --------------------------------------------------------------------------------------------------

    def details(self) -> Iterator[PartitionAudit]:
        """Every partition that is stored or due."""
        states = {(p.key.pair, p.key.month): str(p.state) for p in self.expected}
        due = pl.col("possible") > 0
        sums = self.columns.group_by("pair", "month").agg(
            due.sum().alias("features"), (due & pl.col("populated")).sum().alias("populated"),
            (pl.col("rows") - pl.col("due")).sum().alias("early rows"),
            *(pl.col(name).sum() for name in REASONS.values()),
        )  # fmt: skip
        found: dict[tuple[str, str], dict[str, Any]] = {(r["pair"], r["month"]): r for r in sums.iter_rows(named=True)}
        for pair, month in sorted(set(states) | set(self.rows)):
            row = found.get((pair, month), {})
            reasons = {Reason.WARM_UP.value: row.get("early rows", 0)}
            reasons |= {reason.value: row.get(name, 0) for reason, name in REASONS.items()}
            key = PartitionKey(self.table.name, pair, month)
            yield PartitionAudit(
                key, self.rows.get((pair, month), 0), states.get((pair, month), "without bars"),
                row.get("features", 0), row.get("populated", 0), reasons,
            )  # fmt: skip

    def _key(self, row: Mapping[str, Any]) -> PartitionKey:
        return PartitionKey(self.table.name, row["pair"], row["month"])
