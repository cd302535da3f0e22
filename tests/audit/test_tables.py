"""The audit: states, reasons, findings and gaps, from planted records and day summaries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fxloom.api import open_store
from fxloom.audit.report import Audit, TableAudit
from fxloom.audit.run import audit_store
from fxloom.audit.tables import audit as audit_columns
from fxloom.bars.bars import Bars
from fxloom.bars.days import DaySummary, summarise_days
from fxloom.bars.gaps import Gap, find_gaps
from fxloom.bars.synthetic import synthetic_market
from fxloom.cli import main
from fxloom.engine.partitions import Corruption, PartitionKey, Record
from fxloom.engine.plan import Plan, PlannedPartition
from fxloom.engine.quality import JUMP_LIMIT
from fxloom.run.ingest import ingest
from fxloom.run.populate import populate
from fxloom.stores.folder import FolderStore
from fxloom.stores.inventory import inventory_of
from tests.lakes import make_lake, write_bars
from tests.markets import flat_bars

TABLE = "bollinger_rate"
GOOD = {"due": 20_000, "finite": 20_000, "low": 0.1, "high": 0.9, "std": 0.2, "run": 3, "still": 3}


def record(month: str = "2024-01", pair: str = "eurusd", **of_all: Any) -> Record:
    from fxloom.features.catalogue import tables

    quality = {name: {**GOOD, **of_all} for name in tables()[TABLE].names}
    return Record(PartitionKey(TABLE, pair, month), f"{pair} {month}", 25_000, 1, "", quality=quality)


def item(month: str = "2024-01", pair: str = "eurusd", state: str = "fresh", rows: int = 25_000) -> PlannedPartition:
    return PlannedPartition(PartitionKey(TABLE, pair, month), 0, f"{pair} {month}", state, rows)  # type: ignore[arg-type]


def audit(records: list[Record], plan: Plan, corrupt: Sequence[Corruption] = (), detail: bool = True) -> Audit:
    return audit_columns(inventory_of(records), plan, corrupt, detail=detail)


def judged(records: list[Record], items: list[PlannedPartition]) -> TableAudit:
    found = audit(records, Plan(tuple(items)))
    return next(t for t in found.tables if t.table == TABLE)


def reported(table: TableAudit) -> list[str]:
    return [str(f) for f in table.findings]


def test_a_populated_table() -> None:
    table = judged([record()], [item()])
    assert (table.state, table.populated, table.features, reported(table)) == ("POPULATED", 10, 10, [])


def test_states() -> None:
    assert judged([], [item()]).state == "MISSING"
    assert judged([record(due=0, finite=0)], [item()]).state == "WARMUP"
    assert judged([record(finite=0, undefined=20_000)], [item()]).state == "EMPTY"
    assert judged([record(finite=19_000, missing=1_000)], [item()]).state == "PARTIAL"
    assert judged([record()], [item(), item("2024-02")]).state == "PARTIAL"


def test_findings_on_partitions() -> None:
    table = judged([record()], [item(), item("2024-02", state="missing")])
    assert reported(table) == [f"{TABLE}: 1 of 2 partitions not populated yet (eurusd 2024-02 ...)"]
    assert (table.populated, table.partitions, table.expected) == (10, 1, 2)
    assert Audit((table,)).summary == "10 of 10 features populated (100.0 %), 1 of 2 partitions"
    table = judged([record()], [item(state="stale")])
    assert reported(table) == [
        f"{TABLE}: 1 of 1 partitions stale: bars, settings or formulas have changed (eurusd 2024-01 ...)"
    ]
    table = judged([record()], [item(rows=25_001)])
    assert reported(table) == [f"{TABLE} eurusd 2024-01: it has 25000 rows, but 25001 bars are stored"]


def test_columns_whose_scale_jumps_from_the_previous_month() -> None:
    before, after = record(), record("2024-02", std=0.2 * JUMP_LIMIT * 1.01)
    table = judged([before, after], [item(), item("2024-02")])
    assert len(table.findings) == 10
    assert (
        reported(table)[0]
        == f"{TABLE} eurusd 2024-02: bb_width_15_rate: standard deviation 202, but 0.2 in the month before"
    )
    calm = record("2024-02", std=0.2 * JUMP_LIMIT * 0.99)
    assert not reported(judged([before, calm], [item(), item("2024-02")]))
    shrunk = record("2024-02", std=0.2 / JUMP_LIMIT / 1.01)
    assert len(judged([before, shrunk], [item(), item("2024-02")]).findings) == 10
    few = record("2024-02", std=1e9, finite=1_000, due=1_000)
    assert not reported(judged([before, few], [item(), item("2024-02")]))


def test_a_removed_feature_does_not_stop_the_audit() -> None:
    old = record()
    old = replace(old, quality=old.quality | {"bb_gone_rate": dict(GOOD)})
    assert judged([old], [item()]).populated == 10


def test_the_detail_distinguishes_missing_values() -> None:
    partial = record(finite=14_000, undefined=500, absent=1_000, gap=1_500, no_input=500, failed=2_000, missing=500)
    (detail,) = judged([partial], [item()]).detail
    assert detail.reasons == {
        "warm-up": 50_000, "absent pair": 10_000, "gap in the source": 15_000, "no input": 5_000,
        "undefined": 5_000, "failed fit": 20_000, "no reason": 5_000,
    }  # fmt: skip


def test_populated_share_is_never_rounded_up() -> None:
    table = judged([record()], [item()])
    almost = Audit((replace(table, features=100_000, populated=99_999),))
    assert almost.summary == "99,999 of 100,000 features populated (99.9 %)"
    assert Audit((table,), (Corruption("x", "y"),)).summary == "10 of 10 features populated (100.0 %)"


def test_summary_counts_the_requested_tables() -> None:
    found = audit([record()], Plan((item(),)))
    assert found.summary == "10 of 10 features populated (100.0 %) in 1 of 49 tables"
    assert audit([], Plan((item(),))).summary == "nothing is populated yet"


def test_features_without_values_for_a_pair_are_reported() -> None:
    hollow = record(pair="usdjpy")
    hollow.quality["bb_width_15_rate"] = {"due": 20_000, "finite": 0, "absent": 20_000}
    found = audit([record(), hollow], Plan((item(), item(pair="usdjpy"))))
    assert found.empty == {"usdjpy": ["bb_width_15_rate"]}
    assert found.summary.endswith("; without a value: 1 for usdjpy")
    what = "1 features have no value, 1 of them because pairs that they need are not stored: bb_width_15_rate"
    assert f"features usdjpy: {what}" in [str(f) for f in found.findings]
    assert audit([record(), hollow, record("2024-02", "usdjpy")], Plan()).empty == {}


# -- gaps ------------------------------------------------------------------------------------------------------------


def by_month(bars: Bars) -> dict[str, list[DaySummary]]:
    found: dict[str, list[DaySummary]] = {}
    for day in summarise_days(bars):
        found.setdefault(str(np.datetime64(day.day, "D").astype("datetime64[M]")), []).append(day)
    return found


def minutes(day: str, begin: int, end: int) -> np.ndarray:
    return int(np.datetime64(day, "m").astype(int)) + np.arange(begin, end)


def test_gaps_while_another_pair_traded() -> None:
    whole = np.concatenate([minutes(f"2024-01-0{d}", 0, 1440) for d in (8, 9)])
    gappy = np.concatenate(
        [minutes("2024-01-08", 0, 600), minutes("2024-01-08", 800, 1440), minutes("2024-01-09", 0, 1440)]
    )
    quiet = np.delete(whole, [100, 101, 500])
    found = find_gaps({p: by_month(flat_bars(t)) for p, t in (("a", whole), ("b", gappy), ("c", quiet))})
    assert found == [
        Gap("a", "2024-01", 2880, 0, 0, ()),
        Gap("b", "2024-01", 2680, 0, 200, ()),
        Gap("c", "2024-01", 2877, 3, 0, ()),
    ]


def test_days_without_bars() -> None:
    friday_and_tuesday = np.concatenate([minutes("2024-01-05", 0, 1440), minutes("2024-01-09", 0, 1440)])
    (alone,) = find_gaps({"a": by_month(flat_bars(friday_and_tuesday))})
    assert (alone.days, alone.missing) == (("2024-01-08",), 0)  # no Saturday, no Sunday
    monday = minutes("2024-01-08", 0, 1440)
    both = find_gaps({"a": by_month(flat_bars(friday_and_tuesday)), "b": by_month(flat_bars(monday))})
    assert (both[0].days, both[0].missing) == (("2024-01-08",), 1440)
    assert (
        str(both[0]) == "1 trading days without bars (2024-01-08), 1,440 minutes without bars while other pairs traded"
    )
    christmas = np.concatenate([minutes("2023-12-22", 0, 1440), minutes("2023-12-26", 0, 1440)])
    assert find_gaps({"a": by_month(flat_bars(christmas))})[0].days == ()


@pytest.fixture(scope="module")
def gappy(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    """Six dollar pairs, all but eurusd without two days, and a table that needs the others."""
    folder = tmp_path_factory.mktemp("gappy")
    market = synthetic_market(
        dt.date(2024, 1, 1), dt.date(2024, 1, 20), ("eurusd", "gbpusd", "usdchf", "eurgbp", "eurchf", "gbpchf")
    )
    begin = int(np.datetime64("2024-01-16", "m").astype(int))
    for pair, bars in market.items():
        keep = (bars.ts < begin) | (bars.ts >= begin + 2_880) | (pair == "eurusd")
        write_bars(folder / f"{pair}.parquet", bars.take(keep))
    store = FolderStore(folder / "lake")
    assert not [r for r in ingest(store, sorted(folder.glob("*.parquet"))) if r.refused]
    assert not populate(store, tables=["currency_strength"], workers=1).troubles
    return store


def test_a_gap_is_distinguished_from_an_absent_pair(gappy: FolderStore) -> None:
    found = open_store(gappy.root).audit(detail=True)
    (table,) = (t for t in found.tables if t.table == "currency_strength")
    detail = {d.key.pair: d.reasons for d in table.detail}
    assert detail["eurusd"]["gap in the source"] > 2_000  # while the others had no bars
    assert detail["gbpusd"]["gap in the source"] == 0
    assert all(reasons["no reason"] == 0 for reasons in detail.values())
    lost = {h.pair: h for h in found.gaps}
    assert lost["eurusd"].days == ()
    assert lost["gbpusd"].days == ("2024-01-16", "2024-01-17")
    assert lost["gbpusd"].missing > 2_800
    assert str(found.findings[0]).startswith("m1: 5 of 6 pair-months have gaps; worst, ")


def test_the_detail_lists_the_gaps(gappy: FolderStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--store", gappy.url, "--detail"]) == 0
    out = capsys.readouterr().out
    assert "pair\tmonth\tbars\tfilled minutes\tmissing minutes\tdays without bars" in out
    (line,) = (line for line in out.splitlines() if line.startswith("gbpusd\t2024-01\t"))
    assert line.endswith("2024-01-16, 2024-01-17")
    assert "gap in the source" in out


def test_pairs_that_are_not_stored_are_absent(tmp_path: Path) -> None:
    store = make_lake(tmp_path, ("eurusd",), dt.date(2024, 1, 1), dt.date(2024, 1, 12))
    assert not populate(store, tables=["currency_strength"], workers=1).troubles
    found = audit_store(store, detail=True)
    (table,) = (t for t in found.tables if t.table == "currency_strength")
    reasons = [d.reasons for d in table.detail]
    assert sum(r["absent pair"] for r in reasons) > 10_000
    assert sum(r["gap in the source"] for r in reasons) == 0
    assert "features have no value: pairs that they need are not stored" in " ".join(reported(table))


def test_tables_not_requested_are_one_finding() -> None:
    found = [str(f) for f in audit([record()], Plan((item(),))).findings]
    assert found == ["features: 48 tables are not populated (bqx_momentum, reg_rate, reg_bqx ...)"]
