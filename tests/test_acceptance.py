"""The sample data end to end: every table is populated, and every finding has a known reason."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fxloom.api import OpenStore, open_store
from fxloom.audit.report import Audit
from fxloom.features.catalogue import tables
from fxloom.run.ingest import ingest
from tests.conftest import DATA

pytestmark = [pytest.mark.data, pytest.mark.slow]

ONE_PAIR = [name for name, t in tables().items() if t.family.scope == "pair"]
OF_PANEL = [name for name, t in tables().items() if t.family.scope == "panel"]

# Expected findings, as "table pair feature: what", and why the data causes them.
REASONS = {
    # HistData-like sources close triangles of crossed pairs exactly, so every residual of the window is 0.
    r"arbitrage eurjpy arb_z: .* undefined by the formula": "market28: usdjpy is crossed from eurjpy and eurusd",
    # The pair's currencies have fewer than three siblings in these stores, or none.
    r"correlation_\w+ \w+ divergence_(base|quote)_(15|60)_\w+: .* undefined .*": "fewer than three siblings",
    r"(correlation|error_correction)_\w+: \d+ features have no value.*": "siblings and legs that are not stored",
    r"(cross_sectional_panel|currency_strength|arbitrage): \d+ features have no value.*": "pairs that are not stored",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[OpenStore]:
    """A store that is removed after its test: together they would take some ten gigabytes."""
    yield open_store(tmp_path / "lake")
    shutil.rmtree(tmp_path / "lake")


def populated(store: OpenStore, name: str, wanted: list[str] | None = None) -> Audit:
    """Ingest and populate a folder of the sample data; nothing is refused, nothing fails."""
    reports = ingest(store.backend, [DATA / name])
    assert [r.refused for r in reports if r.refused] == []
    assert store.populate(tables=wanted, workers=2).troubles == []
    return store.audit(detail=True)


def states(audit: Audit, names: list[str]) -> dict[str, str]:
    return {t.table: t.state for t in audit.tables if t.table in names}


def unexplained(audit: Audit, names: list[str]) -> list[str]:
    """Findings about tables in ``names`` without a known reason."""
    found = [f for f in audit.findings if f.key.table in names]
    reported = [f"{f.key.table} {f.key.pair} {f.feature}: {f.what}".replace("  : ", ": ") for f in found]
    return [line for line in reported if not any(re.fullmatch(reason, line) for reason in REASONS)]


def test_long9(store: OpenStore) -> None:
    """Six months of nine pairs: all 42 tables of one pair, in every partition."""
    audit = populated(store, "long9", ONE_PAIR)
    assert set(states(audit, ONE_PAIR).values()) == {"POPULATED"}
    assert {t.partitions for t in audit.tables if t.table in ONE_PAIR} == {54}
    assert unexplained(audit, ONE_PAIR) == []


def test_market28(store: OpenStore) -> None:
    """All pairs: the whole catalogue."""
    audit = populated(store, "market28")
    assert audit.summary == "1,060 of 1,060 features populated (100.0 %)"
    assert unexplained(audit, [*ONE_PAIR, *OF_PANEL]) == []


def test_panel15(store: OpenStore) -> None:
    """Fifteen pairs with late starts and a week's gap: the rest is complete, and kinds of gaps are distinguished."""
    audit = populated(store, "panel15")
    assert audit.summary.startswith("1,060 of 1,060 features populated (100.0 %)")
    assert len(audit.empty["eurjpy"]) > 50  # no stored pair shares its quote currency
    assert unexplained(audit, [*ONE_PAIR, *OF_PANEL]) == []
    eurjpy = [d for t in audit.tables for d in t.detail if t.table == "correlation_rate" and d.key.pair == "eurjpy"]
    assert [d.rows for d in eurjpy] == [28_797, 25_074]


@pytest.mark.parametrize(
    ("vendor", "in_warmup"),
    [("oanda_2014", set()), ("fxcm_2014", set()), ("fxcm_2012_2013", set())],
)
def test_quotes(store: OpenStore, vendor: str, in_warmup: set[str]) -> None:
    """Two pairs of a vendor on days years apart: each table of one pair is populated, or never due."""
    audit = populated(store, f"quotes/{vendor}")
    found = states(audit, ONE_PAIR)
    assert {name for name, state in found.items() if state == "WARMUP"} == in_warmup
    assert {state for name, state in found.items() if name not in in_warmup} == {"POPULATED"}
    assert unexplained(audit, [*ONE_PAIR, *OF_PANEL]) == []


@pytest.mark.parametrize(
    "name", ["fxcm_csv/gbpusd-m1-bid-2012_head2000.csv", "mt4_export/fxopen_GBPUSD1_with_header.csv"]
)
def test_gates_accept_broker_behaviour(store: OpenStore, name: str) -> None:
    """Bid prices with a spread estimate of 0 throughout; weekends filled with copies of a bar."""
    assert [r.refused for r in ingest(store.backend, [DATA / "exports" / name])] == [""]
    assert store.populate(workers=2).troubles == []
