"""The benchmarks match the engine: every module imports, and the parts of the engine they use exist."""

from __future__ import annotations

import datetime as dt
import importlib
from pathlib import Path

import numpy as np
import pytest

from benchmarks.libraries import Case, Compute, change_with_beginning, change_with_later_data, change_with_nan
from benchmarks.market import Market, starts
from fxloom.bars.bars import Floats
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
    return Market("a synthetic week", "2024-03", bars)


def test_the_planner_decides_where_a_table_starts(market: Market) -> None:
    """180 clock bars before March 2024 begin on Thursday 29 February; whole days are read."""
    found = starts(market, select_tables(["bqx_momentum"]))
    assert found == {"bqx_momentum": int(dt.datetime(2024, 2, 29, tzinfo=dt.UTC).timestamp()) // 60}


def test_one_table_of_one_pair_is_computed(market: Market) -> None:
    from benchmarks.pair_tables import PairInputs

    inputs = PairInputs(market)
    (computed,) = inputs.compute([t for t in inputs.tables if t.name == "bqx_momentum"])
    assert len(computed.ts) == len(market.bars["eurusd"].between(market.first, 1 << 40))


def test_the_script_gets_the_spread_of_every_pair(market: Market) -> None:
    from benchmarks.panel_tables import PanelInputs

    assert list(PanelInputs(market).spread.columns) == ["eurusd", "gbpusd"]


def test_the_start_up_script_computes_a_table() -> None:
    from benchmarks.start_up import COMPUTE, PREPARE

    names: dict[str, object] = {}
    exec(f"{PREPARE}\nfound = {COMPUTE.format('bqx_momentum')}", names)
    found = names["found"]
    assert isinstance(found, dict)
    assert found["bqx_momentum"].height == 2_000


# -- the probes of benchmarks/libraries.py ---------------------------------------------------------------------------

NOISE = np.random.default_rng(5).normal(size=3_000)


def case_of(compute: Compute, need: int) -> Case:
    return Case("toy", "toy", compute, compute, NOISE, need)


def running_mean(y: Floats) -> Floats:
    return np.cumsum(y) / np.arange(1, len(y) + 1)


def centred_mean(y: Floats) -> Floats:
    return np.convolve(y, np.full(5, 0.2), "same")


def doubled(y: Floats) -> Floats:
    return 2.0 * y


def filled(y: Floats) -> Floats:
    """Every row after a missing value becomes 0."""
    return np.where(np.cumsum(np.isnan(y)) > 0, 0.0, y)


def test_a_mean_from_the_first_bar_depends_on_the_beginning() -> None:
    assert change_with_beginning(doubled, case_of(doubled, 10)) == "exact"
    assert float(change_with_beginning(running_mean, case_of(running_mean, 10))) > 0.1


def test_a_centred_mean_depends_on_later_data() -> None:
    assert change_with_later_data(running_mean, case_of(running_mean, 10)) == "exact"
    assert float(change_with_later_data(centred_mean, case_of(centred_mean, 10))) > 0.1


@pytest.mark.parametrize(
    ("compute", "said"),
    [(doubled, "none"), (running_mean, "100% missing"), (filled, "100% changed")],
)
def test_effects_of_a_missing_value_are_distinguished(compute: Compute, said: str) -> None:
    assert change_with_nan(compute, case_of(compute, 10)) == said
