"""A file whose prices contradict two stored pairs is refused with the factor, unless the user insists."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from fxloom.bars.bars import Bars
from fxloom.bars.synthetic import synthetic_market
from fxloom.run.ingest import FileReport, ingest
from fxloom.run.settling import IngestOptions
from fxloom.sources import ReadOptions
from fxloom.stores.folder import FolderStore
from tests.engine.test_triangles import scaled
from tests.lakes import write_bars

PAIRS = ("eurusd", "gbpusd", "eurgbp")


@pytest.fixture(scope="module")
def market() -> dict[str, Bars]:
    return synthetic_market(dt.date(2024, 1, 8), dt.date(2024, 1, 20), PAIRS)


@pytest.fixture
def store(tmp_path: Path, market: dict[str, Bars]) -> FolderStore:
    """A store that has two of the three pairs."""
    store = FolderStore(tmp_path / "lake")
    for pair in PAIRS[1:]:
        assert not take(store, tmp_path, pair, market[pair]).refused
    return store


def take(store: FolderStore, folder: Path, pair: str, bars: Bars, trust: bool = False) -> FileReport:
    path = write_bars(folder / f"{pair}.parquet", bars)
    (report,) = ingest(store, [path], ReadOptions(), IngestOptions(trust_prices=trust))
    return report


def test_prices_a_fifth_too_high_are_refused_and_nothing_is_stored(
    store: FolderStore, market: dict[str, Bars], tmp_path: Path
) -> None:
    report = take(store, tmp_path, "eurusd", scaled(market["eurusd"], 1.2))
    assert "1.2 times what the stored eurgbp and gbpusd imply" in report.refused
    assert "--trust-prices" in report.refused
    assert store.bar_months("eurusd") == {}
    assert "eurusd" not in store.settings().pairs  # type: ignore[union-attr]


def test_a_wrong_scale_that_came_first_shows_once_a_triangle_is_complete(
    market: dict[str, Bars], tmp_path: Path
) -> None:
    """One pair in an empty store, a fifth too high: nothing shows it until the third pair arrives."""
    store = FolderStore(tmp_path / "lake")
    assert not take(store, tmp_path, "eurusd", scaled(market["eurusd"], 1.2)).refused
    assert not take(store, tmp_path, "gbpusd", market["gbpusd"]).refused
    report = take(store, tmp_path, "eurgbp", market["eurgbp"])
    assert "its prices are 0.8333 times what the stored eurusd and gbpusd imply" in report.refused


def test_consistent_or_trusted_prices_are_accepted(store: FolderStore, market: dict[str, Bars], tmp_path: Path) -> None:
    assert take(store, tmp_path, "eurusd", scaled(market["eurusd"], 1.2), trust=True).new > 1_000
    other = FolderStore(tmp_path / "other")
    for pair in PAIRS:
        report = take(other, tmp_path, pair, market[pair])
        assert (report.refused, [n for n in report.notes if "contradict" in n]) == ("", [])


def test_a_partial_contradiction_is_noted(store: FolderStore, market: dict[str, Bars], tmp_path: Path) -> None:
    bars = market["eurusd"]
    report = take(store, tmp_path, "eurusd", scaled(bars, 1.1, slice(0, len(bars) // 5)))
    assert report.refused or any("contradict those of eurgbp and gbpusd" in note for note in report.notes)
