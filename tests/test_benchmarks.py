"""The benchmarks still fit the engine: every module imports, and what they take from the engine is there."""

from __future__ import annotations

import datetime as dt
import importlib
from pathlib import Path

import pytest

from benchmarks.market import Market, starts
from fxloom.bars.synthetic import synthetic_market
from fxloom.features.catalogue import select_tables

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"
MODULES = sorted(
    ".".join(path.relative_to(FOLDER.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in FOLDER.rglob("*.py")
    if path.stem != "__main__"
)


@pytest.mark.parametrize("module", MODULES)
def test_every_module_imports(module: str) -> None:
    importlib.import_module(module)


@pytest.fixture(scope="module")
def market() -> Market:
    bars = synthetic_market(dt.date(2024, 2, 26), dt.date(2024, 3, 6), ["eurusd", "gbpusd"])
    return Market("a made-up week", "2024-03", bars)


def test_the_planner_says_where_a_table_starts(market: Market) -> None:
    """180 clock bars before March 2024 begin on Thursday 29 February, and whole days are read."""
    found = starts(market, select_tables(["bqx_momentum"]))
    assert found == {"bqx_momentum": int(dt.datetime(2024, 2, 29, tzinfo=dt.UTC).timestamp()) // 60}


def test_one_table_of_one_pair_is_computed(market: Market) -> None:
    from benchmarks.pair_tables import Ground

    ground = Ground(market)
    (computed,) = ground.compute([t for t in ground.tables if t.name == "bqx_momentum"])
    assert len(computed.ts) == len(market.bars["eurusd"].between(market.first, 1 << 40))


def test_the_spread_of_every_pair_is_given_to_the_script(market: Market) -> None:
    from benchmarks.panel_tables import PanelGround

    assert list(PanelGround(market).spread.columns) == ["eurusd", "gbpusd"]


def test_the_bars_of_a_fresh_process_can_be_made() -> None:
    from benchmarks.start_up import PREPARE

    names: dict[str, object] = {}
    exec(PREPARE, names)
    assert len(names["bars"]) == 2_000  # type: ignore[arg-type]
