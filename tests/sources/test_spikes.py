"""A bar that lies apart from calm neighbours was never traded; a market that crashes and comes back was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fxloom.sources.spikes import spikes
from tests.conftest import DATA, real_bars
from tests.sources.test_scale import TIMES, file_of
from tests.sources.vendor_files import accepted, assert_bars, prices

MINUTES = np.arange(400)
PRICES = prices(400)


def judged(table: np.ndarray, ts: np.ndarray = MINUTES) -> list[int]:
    return np.flatnonzero(spikes(ts, table[:, 1], table[:, 2])).tolist()


@pytest.mark.parametrize("factor", [1.05, 0.95, 1.02, 1 / 1.09])
def test_one_bar_that_is_off_and_back_is_quarantined(factor: float, tmp_path: Path) -> None:
    table = PRICES.copy()
    table[200] *= factor
    outcome = accepted(file_of(tmp_path / "eurusd.csv", table))
    assert [(q.line, q.reason) for q in outcome.quarantined] == [
        (202, "it alone is more than 1% off its neighbours, which agree")
    ]
    rest = np.arange(400) != 200
    assert_bars(outcome.bars, [t for t, kept in zip(TIMES, rest, strict=True) if kept], PRICES[rest])


def test_a_bar_that_is_off_and_repeated_is_not_its_own_neighbour(tmp_path: Path) -> None:
    table = PRICES.copy()
    table[200] *= 1.02
    path = file_of(tmp_path / "eurusd.csv", table)
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join([*lines[:202], lines[201], *lines[202:]]), "utf-8")
    outcome = accepted(path)
    assert {q.reason for q in outcome.quarantined} == {"it alone is more than 1% off its neighbours, which agree"}
    rest = np.arange(400) != 200
    assert_bars(outcome.bars, [t for t, kept in zip(TIMES, rest, strict=True) if kept], PRICES[rest])


@pytest.mark.parametrize("places", [[50], [50, 60, 300], [2, 397]])
def test_each_of_several_is_found(places: list[int]) -> None:
    table = PRICES.copy()
    table[places] *= 1.05
    assert judged(table) == places


def traded(path: list[float], calm: int = 100) -> np.ndarray:
    """Minutes that walk along ``path`` between calm ones, each from one point to the next."""
    points = np.concatenate([np.full(calm, path[0]), path, np.full(calm, path[-1])])
    opened, close = points[:-1], points[1:]
    return np.stack([opened, np.maximum(opened, close), np.minimum(opened, close), close], axis=1)


CRASHES = {
    "sterling, October 2016": [1.2610, 1.2600, 1.2350, 1.1850, 1.2080, 1.2250, 1.2330, 1.2380, 1.2410],
    "franc, January 2015": [1.2010, 1.1950, 1.1200, 0.9800, 0.8600, 0.9300, 1.0100, 1.0400, 1.0300, 1.0250],
    "yen, January 2019": [76.5, 76.1, 75.0, 72.2, 70.7, 71.9, 73.3, 74.4, 74.2],
    "down and up in two minutes": [1.2, 1.14, 1.2],
}


@pytest.mark.parametrize("crash", list(CRASHES))
def test_a_crash_is_kept(crash: str) -> None:
    assert judged(traded(CRASHES[crash]), np.arange(len(traded(CRASHES[crash])))) == []


@pytest.mark.parametrize("crash", list(CRASHES))
def test_a_crash_without_the_quotes_between_is_kept(crash: str) -> None:
    """Bars that are points, with nothing between them: a thin feed. But a lone point between calm ones is a spike."""
    points = np.concatenate([np.full(100, CRASHES[crash][0]), CRASHES[crash], np.full(100, CRASHES[crash][-1])])
    found = judged(np.repeat(points[:, None], 4, axis=1), np.arange(len(points)))
    assert found == ([101] if crash == "down and up in two minutes" else [])


def test_a_spike_that_was_traded_within_its_minute_is_kept() -> None:
    table = PRICES.copy()
    table[200, 2] *= 0.97
    assert judged(table) == []


def test_two_bars_alike_a_jump_for_good_and_ends_are_kept() -> None:
    for places in (slice(200, 202), slice(200, None), slice(0, 1), slice(399, None)):
        table = PRICES.copy()
        table[places] *= 1.05
        assert judged(table) == []


def test_bars_far_apart_in_time_are_not_compared() -> None:
    """Before an hour without quotes, a bar has no neighbour on that side."""
    table = PRICES.copy()
    table[200] *= 1.02
    assert judged(table, np.where(MINUTES > 200, MINUTES + 60, MINUTES)) == []
    assert judged(table, np.where(MINUTES > 200, MINUTES + 5, MINUTES)) == [200]


def test_what_usual_moves_are_depends_on_the_file() -> None:
    """Bars that usually move by 0.1 per cent jump by one or two as a matter of course."""
    wild = 1.0 + 1e-3 * np.where(MINUTES % 2, 1, -1)
    wild[200] = 1.02
    assert judged(np.repeat(wild[:, None], 4, axis=1)) == []


def test_little_and_nothing() -> None:
    for n in range(3):
        assert not len(judged(PRICES[:n], MINUTES[:n]))
    assert judged(np.ones((5, 4)), np.arange(5)) == []


@pytest.mark.data
def test_no_bar_of_the_sample_data_is_a_spike() -> None:
    for folder in ("long9", "panel15", "market28"):
        for path in sorted(DATA.glob(f"{folder}/*.parquet")):
            bars = real_bars(f"{folder}/{path.stem}")
            assert not spikes(bars.ts, bars.high, bars.low).any(), path
