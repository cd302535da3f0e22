"""The command `verify`: files, budgets and other machines, its report and its exit status."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from fxloom.bars.bars import Floats
from fxloom.cli import main
from fxloom.engine.partitions import Record
from fxloom.engine.plan import make_plan
from fxloom.features.catalogue import select_tables, tables
from fxloom.features.feature import Feature, Table
from fxloom.run.populate import populate
from fxloom.run.state import state_of
from fxloom.stores.base import Store
from fxloom.stores.folder import FolderStore
from fxloom.verify.run import in_trial_order, verify
from fxloom.verify.units import stored_rows
from fxloom.verify.verdict import KINDS, TRIALS, Tolerance, TrialContext, compare, elsewhere
from tests.lakes import make_lake

TABLES = ["bqx_momentum", "bollinger_rate", "technical_rate"]
PAIRS = ("eurusd", "gbpusd")


@pytest.fixture(scope="module")
def populated(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    store = make_lake(tmp_path_factory.mktemp("verify"), PAIRS, dt.date(2024, 1, 10), dt.date(2024, 2, 8))
    assert not populate(store, tables=TABLES, workers=1).troubles
    return store


@pytest.fixture
def lake(populated: FolderStore, tmp_path: Path) -> FolderStore:
    """A copy that a test may change."""
    shutil.copytree(populated.root, tmp_path / "lake")
    return FolderStore(tmp_path / "lake")


def asked(store: FolderStore, *options: str, tables: str = ",".join(TABLES)) -> list[str]:
    return ["verify", "--store", store.url, "--tables", tables, "--workers", "1", *options]


def rewrite(store: Store, change: Callable[[str, Floats], Floats], environment: str | None = None) -> Record:
    """Rewrite eurusd's bollinger_rate of February with columns altered by ``change``."""
    record = next(r for r in store.records(["bollinger_rate"]) if (r.key.pair, r.key.month) == ("eurusd", "2024-02"))
    rows = stored_rows(store, record)
    columns = {n: change(n, rows[n].cast(pl.Float64).to_numpy().copy()) for n in tables()["bollinger_rate"].names}
    changed = dataclasses.replace(record, environment=environment or record.environment)
    store.publish(changed, rows["ts_utc"].dt.epoch("s").to_numpy() // 60, None, columns)
    return record


def report_of(store: FolderStore) -> dict[str, Any]:
    (path,) = (store.root / "reports").iterdir()
    return json.loads(path.read_text())


def test_valid_tables_pass_and_are_reported(lake: FolderStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(asked(lake, "--seed", "7")) == 0
    out = capsys.readouterr().out
    assert "77 holds; 4 pair-months" in out
    assert "bb_width_15_rate\tholds\t" in out
    words = report_of(lake)
    assert (words["holds"], words["complete"], words["another machine"], words["seed"]) == (True, True, False, 7)
    assert set(words["formulas"]) == set(TABLES)
    assert {(u["pair"], u["month"]) for u in words["units"]} == {(p, m) for p in PAIRS for m in ("2024-01", "2024-02")}
    assert all(len(u["bars"]) == 16 for u in words["units"])
    assert [v["feature"] for v in words["verdicts"]] == [n for t in select_tables(TABLES) for n in t.names]
    assert {v["verdict"] for v in words["verdicts"]} == {"holds"}
    assert set(words["verdicts"][0]["rows compared"]) == set(TRIALS)


def test_a_changed_value_in_a_file_is_reported_with_both_values(
    lake: FolderStore, capsys: pytest.CaptureFixture[str]
) -> None:
    def one_unit(name: str, column: Floats) -> Floats:
        if name == "bb_width_15_rate":
            column[1234] = np.nextafter(np.float32(column[1234]), np.float32(np.inf))
        return column

    rewrite(lake, one_unit)
    assert main(asked(lake, "--pairs", "eurusd")) == 1
    out = capsys.readouterr().out
    (line,) = (line for line in out.splitlines() if line.startswith("FAILS"))
    bars = lake.read_bars("eurusd", 0, 1 << 40)
    february = bars.ts[bars.ts >= 28_445_760]  # 2024-02-01 00:00
    moment = str(np.datetime64(int(february[1234]), "m")).replace("T", " ")
    assert line.startswith(f"FAILS bb_width_15_rate: reproducible (computed against the file): eurusd {moment}: ")
    words = report_of(lake)
    (failed,) = (v for v in words["verdicts"] if v["verdict"] == "FAILS")
    assert failed["differing"] == {"file": 1}
    assert failed["first"]["expected"] != failed["first"]["got"]
    assert not words["holds"]


def test_a_file_with_missing_rows_fails(lake: FolderStore) -> None:
    record = next(r for r in lake.records(["bollinger_rate"]) if r.key.pair == "eurusd")
    rows = stored_rows(lake, record)[:-5]
    columns = {n: rows[n].cast(pl.Float64).to_numpy() for n in tables()["bollinger_rate"].names}
    lake.publish(record, rows["ts_utc"].dt.epoch("s").to_numpy() // 60, None, columns)
    report = verify(lake, select_tables(["bollinger_rate"]), ["eurusd"])
    (error,) = report.errors
    assert f"it has {len(rows)} rows, its record says {record.rows}" in error
    assert not report.holds


def test_a_file_of_garbage_is_an_error_not_a_crash(lake: FolderStore, capsys: pytest.CaptureFixture[str]) -> None:
    path = lake.root / "features/bollinger_rate/pair=eurusd/month=2024-02/part.parquet"
    data = bytearray(path.read_bytes())
    data[40 : len(data) // 2] = b"x" * (len(data) // 2 - 40)
    path.write_bytes(data)
    assert main(asked(lake, "--pairs", "eurusd", tables="bollinger_rate")) == 1
    assert f"{path} is corrupt" in capsys.readouterr().out


def test_files_of_another_machine_are_compared_within_tolerances(lake: FolderStore) -> None:
    rewrite(lake, lambda _, column: column * (1 + 5e-10), environment="another")
    assert main(asked(lake, "--pairs", "eurusd")) == 0
    assert report_of(lake)["another machine"] is True


def test_differences_beyond_another_machine_fail(lake: FolderStore) -> None:
    rewrite(lake, lambda _, column: column * (1 + 1e-5), environment="another")
    assert main(asked(lake, "--pairs", "eurusd")) == 1


def test_an_exhausted_budget_names_the_untested(lake: FolderStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(asked(lake, "--budget", "0s")) == 1
    out = capsys.readouterr().out
    assert out.count(": causal, lookback, beginning, chunks, minutes\n") == 77
    assert "77 untested; 1 pair-months" in out
    assert "time ran out: 3 pair-months were not tested, 1 only in part" in out
    words = report_of(lake)
    assert not words["holds"]
    assert len(words["untested"]) == 77


def test_unpopulated_tables_are_not_compared_with_files(lake: FolderStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(asked(lake, "--pairs", "eurusd", tables="fibonacci_rate")) == 1
    out = capsys.readouterr().out
    assert "note: fibonacci_rate has not been populated: run `fxloom populate`" in out
    assert out.count("UNTESTED") == 10
    assert ": file" in out


def test_stale_files_are_not_compared(lake: FolderStore, capsys: pytest.CaptureFixture[str]) -> None:
    settings = lake.settings()
    assert settings is not None
    info = dataclasses.replace(settings.pairs["eurusd"], baseline=1.5)
    lake.write_settings(settings.with_pair("eurusd", info))
    assert main(asked(lake, "--pairs", "eurusd", tables="bollinger_rate")) == 1
    assert "bollinger_rate is stale and its file was not compared" in capsys.readouterr().out


def test_a_feature_without_values_is_reported(tmp_path: Path) -> None:
    store = make_lake(tmp_path, ("eurusd",), dt.date(2024, 1, 10), dt.date(2024, 1, 11))
    assert not populate(store, tables=["realized_volatility_rate"], workers=1).troubles
    report = verify(store, select_tables(["realized_volatility_rate"]))
    late = {f.name for f in tables()["realized_volatility_rate"].features if f.column.warmup > 1_400}
    assert {n for n, word in report.words.items() if word == "no values"} == late
    assert late
    assert report.holds


def test_two_workers_find_what_one_finds(lake: FolderStore) -> None:
    chosen = select_tables(["bollinger_rate"])
    one, two = (verify(lake, chosen, seed=3, workers=workers) for workers in (1, 2))
    assert {n: v.compared for n, v in one.verdicts.items()} == {n: v.compared for n, v in two.verdicts.items()}
    assert one.holds
    assert two.holds


def test_unknown_pairs_and_tables_are_named(lake: FolderStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(asked(lake, "--pairs", "usdjpy")) == 2
    assert "no bars of usdjpy" in capsys.readouterr().err
    assert main(asked(lake, tables="bolinger")) == 2


def test_populated_units_come_first(populated: FolderStore) -> None:
    store_state = state_of(populated)
    plan = make_plan(store_state, select_tables(["bollinger_rate", "currency_strength"]), force=True)
    assert [u.pair == "" for u in in_trial_order(store_state, plan.tasks, 400, 0)] == [False] * 4 + [True] * 2


def test_units_start_with_all_pairs_in_the_first_month_with_lookback(lake: FolderStore) -> None:
    store_state = dataclasses.replace(state_of(lake), fingerprints={})
    chosen = select_tables(["bollinger_rate", "currency_strength"])
    plan = make_plan(store_state, chosen, force=True)
    units = in_trial_order(store_state, plan.tasks, longest=400, seed=1)
    assert (units[0].pair, {u.month for u in units[:3]}) == ("", {"2024-02"})
    assert {tuple(u.pair for u in in_trial_order(store_state, plan.tasks, 400, seed)) for seed in range(20)} != {
        tuple(u.pair for u in units)
    }


FEATURE = tables()["bollinger_rate"].features[0]
HERE = TrialContext("file", "compared", "eurusd")


def flags_feature() -> tuple[Table, Feature]:
    return next((t, f) for t in tables().values() for f in t.features if f.column.unit == "flag")


@pytest.mark.parametrize(
    ("got", "tolerance", "differing"),
    [
        ([1.0, 2.0, np.nan], Tolerance(), 0),
        ([1.0, 2.0, 3.0], Tolerance(1.0, 1.0), 1),
        ([1.0, np.nan, np.nan], Tolerance(1.0, 1.0), 1),
        ([1.0, np.nextafter(2.0, 3.0), np.nan], Tolerance(), 1),
        ([1.0, np.nextafter(2.0, 3.0), np.nan], Tolerance(1e-9), 0),
        ([1.0 + 1e-6, 2.0, np.nan], Tolerance(1e-9, deviation=2000.0), 0),
        ([1.0, np.inf, np.nan], Tolerance(1.0), 1),
        ([1.0, 2.0], Tolerance(1.0), 3),
    ],
)
def test_comparison(got: list[float], tolerance: Tolerance, differing: int) -> None:
    verdict = compare(FEATURE, HERE, np.arange(3), np.array([1.0, 2.0, np.nan]), np.array(got), tolerance)
    assert verdict.differing["file"] == differing
    assert (verdict.compared["file"], verdict.values["file"]) == (3, 2)


def test_zero_and_negative_zero_are_not_the_same_bits() -> None:
    assert not compare(FEATURE, HERE, np.arange(1), np.array([0.0]), np.array([-0.0])).holds


def test_flags_may_flip_rarely_on_another_machine() -> None:
    feature = flags_feature()[1]
    ones = np.ones(10_000)
    few, many = ones.copy(), ones.copy()
    few[:10], many[:11] = 0.0, 0.0
    tolerance = elsewhere(feature, 0.1, 1e-7)
    assert compare(feature, HERE, np.arange(10_000), ones, few, tolerance).holds
    assert not compare(feature, HERE, np.arange(10_000), ones, many, tolerance).holds


def test_kinds_cover_the_trials() -> None:
    assert sum(KINDS.values(), ()) == TRIALS
