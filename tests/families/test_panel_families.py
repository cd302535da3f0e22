"""The families of many pairs against a slow twin written from the page, on a made-up panel with holes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from fxloom.bars.pairs import PAIRS
from fxloom.families import arbitrage, correlation, cross_sectional_panel, currency_strength, error_correction
from fxloom.features.domain import BOTH, RATE, Domain
from fxloom.features.feature import Columns
from fxloom.series.siblings import system_of
from tests.families.cross_section_reference import legs_of, slow_correction, slow_cross_section
from tests.families.panel_reference import (
    Twin,
    frame_of,
    slow_arbitrage,
    slow_correlation,
    slow_strength,
)
from tests.markets import SOME, START, flat_bars, panel

ROWS = (14, 29, 75, 119, 120, 240, 313, 314, 360, 424, 470, 560, 640, 699, 700, 735, 790, 905, 960, 1099)


def compare(
    columns: Columns,
    slow: Callable[[Twin, str, int], dict[str, float]],
    reference: Twin,
    rows: Sequence[int],
    pairs: Sequence[str],
    tolerance: float = 1e-9,
) -> None:
    """Every column at sampled bars: the twin's number, or missing where the twin has none; most are there."""
    compared = there = 0
    scale = {name: float(np.nanstd(column)) for name, column in columns.items()}
    for p in pairs:
        i = reference.pairs.index(p)
        for t in rows:
            if not reference.here[p][t]:
                continue
            want = slow(reference, p, t)
            assert set(want) == set(columns)
            for name, value in want.items():
                got = columns[name][i, t]
                compared, there = compared + 1, there + (not np.isnan(got))
                slack = tolerance * max(abs(value), scale[name])
                assert (np.isnan(got) and np.isnan(value)) or abs(got - value) <= slack, (name, p, t, got, value)
    assert there > 0.6 * compared > 0


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_correlation_is_what_the_page_says(domain: Domain) -> None:
    frame = frame_of(panel())
    columns = correlation.compute(frame.view(domain))
    compare(columns, slow_correlation, Twin(frame, domain.name), ROWS, ("audnzd", "eurusd", "usdjpy"))


def test_currency_strength_is_what_the_page_says() -> None:
    frame = frame_of(panel())
    columns = currency_strength.compute(frame.view(RATE))
    compare(columns, slow_strength, Twin(frame), ROWS, SOME)


def test_arbitrage_is_what_the_page_says() -> None:
    frame = frame_of(panel())
    columns = arbitrage.compute(frame.view(RATE))
    compare(columns, slow_arbitrage, Twin(frame), ROWS, SOME)


def test_the_cross_section_is_what_the_page_says() -> None:
    frame = frame_of(panel())
    columns = cross_sectional_panel.compute(frame.view(RATE))
    compare(columns, slow_cross_section, Twin(frame), ROWS, ("audnzd", "eurusd", "usdjpy", "eurchf"))


def test_the_systems_are_those_of_the_page() -> None:
    assert all(list(system_of(p)) == legs_of(p) for p in PAIRS)


@pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)
def test_error_correction_is_what_statsmodels_finds(domain: Domain) -> None:
    frame = frame_of(panel(("eurgbp", "eurusd", "usdcad"), 1_900, seed=5, holes=False))
    columns = error_correction.compute(frame.view(domain))
    rows = (1_560, 1_619, 1_620, 1_800, 1_899)
    compare(columns, slow_correction, Twin(frame, domain.name), rows, ("eurusd",), tolerance=1e-6)
    assert np.isnan(columns["coint_ect"][:, :1_440]).all()


def test_rank_stability_leaves_out_pairs_that_were_absent_before() -> None:
    """Four pairs fall into the same order as an hour before; a fifth, absent then, would have had a momentum of 0."""
    n, moves = 200, {"audusd": 4e-5, "eurusd": 2e-5, "gbpusd": -2e-5, "nzdusd": -4e-5, "usdcad": 3e-5}
    ts = START + np.arange(n)
    close = {p: 1.2 * np.exp(step * np.arange(n)) for p, step in moves.items()}
    bars = {p: flat_bars(ts, c) for p, c in close.items()}
    bars["usdcad"] = bars["usdcad"].take(
        (ts < START + 20) | (ts >= START + 140)
    )  # its price moved, its bars are missing
    values = cross_sectional_panel.compute(frame_of(bars, quotes=False).view(RATE))["panel_rank_stability"]
    assert values[0, 139] == 1.0
    np.testing.assert_array_equal(values[:, 141:199], np.ones((5, 58)))
