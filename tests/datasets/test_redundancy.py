"""Redundancy: planted duplicates and constants are found, and every dropped feature has a duplicate that is kept."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fxloom.bars.bars import Floats
from fxloom.bars.months import month_bounds
from fxloom.cli import main
from fxloom.datasets import redundancy as module
from fxloom.datasets.redundancy import NearDuplicates, Redundancy, correlations_of, groups_of, redundancy
from fxloom.features.catalogue import tables
from fxloom.run.populate import populate
from fxloom.stores.base import NoBarsError
from fxloom.stores.folder import FolderStore
from tests.lakes import make_lake

N = 4_000


def columns() -> dict[str, Floats]:
    """a, a linear image of a, its negative, a near copy, and independent b and c; the first values are missing."""
    g = np.random.default_rng(11)
    a, b, c = g.standard_normal((3, N))
    found = {"a": a, "image": 3.0 * a - 7.0, "mirror": -a, "near": a + 0.02 * b, "b": b, "c": c}
    for i, column in enumerate(found.values()):
        column[: 10 * i] = np.nan
    return found


@pytest.mark.parametrize("block", [1, 2, 4, 128])
def test_correlations_do_not_depend_on_the_block_size(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    held = columns()
    found = correlations_of(list(held), held.__getitem__)
    for i, x in enumerate(held):
        for j, y in enumerate(held):
            both = ~(np.isnan(held[x]) | np.isnan(held[y]))
            assert found[i, j] == pytest.approx(np.corrcoef(held[x][both], held[y][both])[0, 1], abs=1e-12)


def test_columns_with_too_few_common_values_are_not_compared() -> None:
    held = columns()
    held["a"][: N // 2], held["image"][N // 2 :] = np.nan, np.nan
    assert np.isnan(correlations_of(["a", "image"], held.__getitem__)[0, 1])


def test_groups_are_connected_near_duplicates() -> None:
    duplicates = [NearDuplicates("a", "b", 1.0), NearDuplicates("d", "e", -1.0), NearDuplicates("b", "c", 1.0)]
    assert groups_of(["e", "d", "c", "x", "b", "a"], duplicates) == [["c", "b", "a"], ["e", "d"]]
    assert groups_of(["x"], []) == []


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    """A populated store in whose bollinger_rate two columns are planted: a duplicate and a constant."""
    store = make_lake(tmp_path_factory.mktemp("duplicates"), ("eurusd",), dt.date(2024, 1, 1), dt.date(2024, 1, 20))
    assert not populate(store, tables=["bollinger_rate", "bqx_momentum"], workers=1).troubles
    (record,) = store.records(["bollinger_rate"])
    rows = store.scan("bollinger_rate", None, None, None)
    assert rows is not None
    held = rows.collect()
    names = tables()["bollinger_rate"].names
    planted = {n: held[n].to_numpy().astype(np.float64) for n in names}
    planted[names[1]] = 2.0 * planted[names[0]] + 1.0
    planted[names[2]] = np.full(held.height, 0.5)
    store.publish(dataclasses.replace(record, quality={}), held["ts_utc"].dt.epoch("s").to_numpy() // 60, None, planted)
    return store


def test_planted_near_duplicates_and_constants_are_found_in_a_store(lake: FolderStore) -> None:
    names = tables()["bollinger_rate"].names
    found = redundancy(lake, ["eurusd"])
    assert (found.months, found.chosen, found.features) == (("2024-01",), True, 47)
    assert found.constant == {names[2]: 0.5}
    assert [(t.first, t.second) for t in found.duplicates if t.exact and t.first in names] == [(names[0], names[1])]
    assert {names[0], names[1]} in [{d.feature, d.kept} for d in found.drops]
    check_drops(found)


def check_drops(found: Redundancy) -> None:
    dropped = {d.feature for d in found.drops}
    kept = {d.kept for d in found.drops} - {""}
    assert not dropped & kept
    lookback = {f.name: f.column.lookback for t in tables().values() for f in t.features}
    for drop in found.drops:
        assert not drop.kept or lookback[drop.kept] <= lookback[drop.feature]
    assert all(t.first in dropped or t.second in dropped for t in found.duplicates)


def test_the_command(lake: FolderStore, capsys: pytest.CaptureFixture[str]) -> None:
    names = tables()["bollinger_rate"].names
    assert main(["redundancy", "--store", lake.url, "--pairs", "EURUSD", "--months", "2024-01"]) == 0
    out = capsys.readouterr().out
    assert f"{names[0]}\t{names[1]}\t+1.000000\texact" in out
    assert f"could be dropped: {names[2]}: constant at 0.5 in all compared rows" in out
    assert "47 features, " in out
    assert main(["redundancy", "--store", lake.url, "--pairs", "eurusd", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["constant"] == {names[2]: 0.5}


def test_missing_inputs_are_reported(lake: FolderStore, tmp_path: Path) -> None:
    with pytest.raises(NoBarsError, match="no bars of gbpusd"):
        redundancy(lake, ["gbpusd"])
    with pytest.raises(NoBarsError, match="no bars from 2023-05 to 2023-05"):
        redundancy(lake, ["eurusd"], ("2023-05", "2023-05"))
    with pytest.raises(ValueError, match="threshold"):
        redundancy(lake, ["eurusd"], threshold=0.0)
    assert main(["redundancy", "--store", str(tmp_path / "none"), "--pairs", "eurusd"]) == 1


@pytest.fixture(scope="module")
def two_pairs(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    """Two pairs: in one of them two columns are positively proportional, in the other negatively."""
    store = make_lake(
        tmp_path_factory.mktemp("pairs"), ("eurusd", "usdjpy"), dt.date(2024, 1, 10), dt.date(2024, 2, 10)
    )
    assert not populate(store, tables=["statistics_rate"], workers=1).troubles
    for record in store.records(["statistics_rate"]):
        rows = store.scan("statistics_rate", [record.key.pair], *month_bounds(record.key.month))
        assert rows is not None
        held = rows.collect()
        names = tables()["statistics_rate"].names
        planted = {n: held[n].to_numpy().astype(np.float64) for n in names}
        planted[names[1]] = 3.0 * planted[names[0]]
        planted[names[2]] = planted[names[0]] * (1.0 if record.key.pair == "eurusd" else -1.0)
        planted[names[3]] = np.exp(planted[names[0]] / 10.0)
        ts = held["ts_utc"].dt.epoch("s").to_numpy() // 60
        store.publish(dataclasses.replace(record, quality={}), ts, None, planted)
    return store


def found_in(store: FolderStore, pairs: list[str], **options: Any) -> set[tuple[str, str]]:
    names = tables()["statistics_rate"].names[:4]
    found = redundancy(store, pairs, ("2024-01", "2024-02"), **options)
    assert not found.chosen
    place = {n: str(i) for i, n in enumerate(names)}
    return {(place[d.first], place[d.second]) for d in found.duplicates if d.first in place and d.second in place}


def test_near_duplicates_must_hold_in_every_pair_and_month(two_pairs: FolderStore) -> None:
    assert ("0", "2") in found_in(two_pairs, ["eurusd"])
    assert ("0", "2") in found_in(two_pairs, ["usdjpy"])
    assert ("0", "2") not in found_in(two_pairs, ["eurusd", "usdjpy"])
    assert ("0", "1") in found_in(two_pairs, ["eurusd", "usdjpy"])


def test_rank_correlation_finds_nonlinear_duplicates(two_pairs: FolderStore) -> None:
    assert ("0", "3") not in found_in(two_pairs, ["usdjpy"], threshold=0.9999999)
    assert ("0", "3") in found_in(two_pairs, ["usdjpy"], threshold=0.9999999, method="spearman")
    with pytest.raises(ValueError, match="unknown method 'kendall', expected one of pearson, spearman"):
        found_in(two_pairs, ["usdjpy"], method="kendall")
