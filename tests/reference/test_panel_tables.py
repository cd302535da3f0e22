"""The 172 panel features against their definitions, recomputed from scratch on every stored row."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache, partial

import numpy as np
import polars as pl
import pytest

from fxloom.api import compute
from fxloom.bars.bars import Bars
from fxloom.bars.pairs import PAIRS
from fxloom.features.catalogue import tables
from fxloom.series.siblings import system_of
from tests.conftest import DATA, real_bars
from tests.markets import panel, panel_of_five
from tests.reference import cross_section, relatives
from tests.reference.market import build
from tests.reference.panel import Panel

TABLES = (
    "correlation_rate", "correlation_bqx", "cross_sectional_panel", "currency_strength", "arbitrage",
    "error_correction_rate", "error_correction_bqx",
)  # fmt: skip
DEFINITIONS: dict[str, Callable[[Panel, str], dict[str, np.ndarray]]] = {
    "correlation": relatives.correlation,
    "cross_sectional_panel": cross_section.cross_sectional_panel,
    "currency_strength": cross_section.currency_strength,
    "arbitrage": cross_section.arbitrage,
}
FITS = 12  # rows of error correction, each a Johansen fit
REOPENING = 25_362_720 + 6 * 60  # Friday 23 March 2018, 06:00: before a weekend after which one broker opens first


def real() -> dict[str, Bars]:
    pairs = [p for p in PAIRS if (DATA / f"panel15/{p}.parquet").exists()]
    bars = {p: real_bars(f"panel15/{p}").between(REOPENING, REOPENING + 5_500) for p in pairs}
    return {p: b for p, b in bars.items() if len(b)}


CASES: dict[str, tuple[Callable[[], dict[str, Bars]], tuple[str, ...]]] = {
    "five currencies": (panel_of_five, ("eurusd", "gbpusd")),
    "eleven pairs": (partial(panel, n=1_900), ("eurusd", "usdjpy", "audnzd", "eurchf")),
    "panel15": (real, ("eurusd", "audcad", "eurjpy")),
}
NAMES = [pytest.param("five currencies"), pytest.param("eleven pairs"), pytest.param("panel15", marks=pytest.mark.data)]


@cache
def panels(name: str) -> tuple[dict[str, pl.DataFrame], dict[str, Panel]]:
    bars = CASES[name][0]()
    markets = {
        p: build(p, b.ts.tolist(), (b.open, b.high, b.low, b.close), b.volume, b.spread) for p, b in bars.items()
    }
    frames = compute(bars, baseline="first close", tables=TABLES, complete=True)
    return frames, {d: Panel(markets, d) for d in ("rate", "bqx")}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("table", TABLES)
def test_panel_features_match_their_definitions(table: str, name: str) -> None:
    frames, by_domain = panels(name)
    p = by_domain[tables()[table].domain.name]
    wrong = []
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for pair in CASES[name][1]:
            frame = frames[table].filter(pl.col("pair") == pair)
            wrong += differences(table, frame, p, pair)
    assert not wrong, "\n".join(wrong[:40])


def differences(table: str, frame: pl.DataFrame, p: Panel, pair: str) -> list[str]:
    ts = frame["ts_utc"].dt.epoch("us").to_numpy() // 60_000_000
    rows, positions = np.arange(len(ts)), np.searchsorted(p.ts, ts)
    if table.startswith("error"):
        rows = np.unique(np.linspace(min(1_500, len(ts) // 2), len(ts) - 1, FITS).astype(int))
        fitted = [relatives.error_correction(p, pair, int(positions[i])) for i in rows]
        want = {key: np.array([f[key] for f in fitted]) for key in fitted[0]}
    else:
        definition = DEFINITIONS[tables()[table].family.name]
        want = {key: np.asarray(values)[positions] for key, values in definition(p, pair).items()}
    assert set(want) == {f.key for f in tables()[table].features}
    return [line for f in tables()[table].features for line in differing_rows(f.name, frame, rows, want[f.key])]


def differing_rows(name: str, frame: pl.DataFrame, rows: np.ndarray, want: np.ndarray) -> list[str]:
    column = frame[name].to_numpy()
    got, tolerance = column[rows], 1e-6 if name.startswith("coint_") and "resid" not in name else 1e-9
    near = np.abs(got - want) <= tolerance * np.maximum(np.abs(want), np.nanstd(column))
    if (wrong := ~near & ~(np.isnan(got) & np.isnan(want))).any():
        i = int(np.flatnonzero(wrong)[0])
        return [f"{name}: {wrong.sum()} of {len(rows)} rows, at {rows[i]} {got[i]!r}, not {want[i]!r}"]
    return [] if near.sum() >= 3 or frame["pair"][0] != "eurusd" else [f"{name}: compared {near.sum()} times"]


@pytest.mark.parametrize("pair", PAIRS)
def test_systems_of_pairs_match_their_definitions(pair: str) -> None:
    assert list(system_of(pair)) == relatives.system(pair, PAIRS)
