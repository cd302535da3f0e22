"""The command line as users see it: output as tables, lines and JSON, and exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import fxloom
from fxloom.cli import main
from fxloom.cli.checking import seconds
from fxloom.cli.main import SHELLS
from fxloom.stores.base import StoreError
from fxloom.stores.folder import FolderStore
from tests.lakes import QUICK, make_lake, write_market

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    store = make_lake(tmp_path_factory.mktemp("cli"))
    assert main(["populate", "--store", store.url, "--tables", ",".join(QUICK), "--workers", "1"]) == 0
    return store


def result(capsys: Capture) -> Any:
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "command", ["", "init", "ingest", "populate", "audit", "catalogue", "matrix", "verify", "demo"]
)
def test_help_describes_every_command(command: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as done:
        main([*([command] if command else []), "--help"])
    assert done.value.code == 0
    assert "usage: fxloom" in capsys.readouterr().out


@pytest.mark.parametrize("workers", ["0", "-3", "two"])
def test_workers_must_be_positive(workers: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["populate", f"--workers={workers}"])
    assert f"invalid number '{workers}', expected 1 or more" in capsys.readouterr().err


def test_copy_takes_no_store_option(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["copy", "--store", "lake", "--from", "a", "--to", "b"])
    assert "unrecognized arguments: --store" in capsys.readouterr().err


def test_version_reports_what_a_bug_report_needs(capsys: Capture) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"fxloom {fxloom.__version__}\n"
    assert main(["--version", "--debug"]) == 0
    shown = capsys.readouterr().out
    assert shown.count(fxloom.__version__) == 1
    assert all(f"{name}: " in shown for name in ("numba", "numpy", "polars", "compiled kernels"))


def test_a_command_is_required(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as done:
        main([])
    assert done.value.code == 2
    assert "a command is required" in capsys.readouterr().err


def test_debug_may_stand_before_or_after_the_command(tmp_path: Path) -> None:
    for command in (["--debug", "audit"], ["audit", "--debug"]):
        with pytest.raises(StoreError):
            main([*command, "--store", str(tmp_path / "none")])
    assert main(["audit", "--store", str(tmp_path / "none")]) == 1


@pytest.mark.parametrize("shell", SHELLS)
def test_shells_complete_commands_options_and_files(shell: str, capsys: Capture) -> None:
    assert main(["--completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(word in script for word in ("populate", "catalogue", "audit"))
    assert "_shtab_compgen_files" in script or shell != "bash"


def test_init_writes_settings_once(tmp_path: Path, capsys: Capture) -> None:
    store = str(tmp_path / "new")
    assert main(["init", "--store", store, "--baseline", "2018-02-05", "--dtype", "float64", "--json"]) == 0
    assert result(capsys) == {"baseline": 25_296_480, "dtype": "float64", "pairs": {}}
    assert main(["init", "--store", store]) == 1
    assert "is already a store" in capsys.readouterr().err


def test_ingest_reports_every_file(tmp_path: Path, capsys: Capture) -> None:
    folder = write_market(tmp_path / "my files")
    (folder / "junk.csv").write_text("hello\n")
    assert main(["ingest", "--store", str(tmp_path / "lake"), str(folder), "--json"]) == 1
    report = result(capsys)
    assert report["taken"] == 2
    assert report["refused"] == 1
    assert main(["ingest", "--store", str(tmp_path / "lake"), str(folder / "eurusd.parquet")]) == 0
    shown = capsys.readouterr().out
    assert "0 new" in shown
    assert "zone: UTC+0" in shown


def test_dry_run_shows_the_plan_and_changes_nothing(lake: FolderStore, capsys: Capture) -> None:
    before = len(lake.records())
    assert main(["populate", "--store", lake.url, "--tables", "statistics,bollinger", "--plan"]) == 0
    shown = capsys.readouterr().out
    assert "statistics_rate\t0\t0\t4" in shown
    assert "bollinger_rate\t4\t0\t0" in shown
    assert "MB of disk" in shown
    assert len(lake.records()) == before


def test_audit_reports_states_and_counts(lake: FolderStore, capsys: Capture) -> None:
    assert main(["audit", "--store", lake.url, "--json"]) == 0
    report = result(capsys)
    states = {t["table"]: t["state"] for t in report["tables"]}
    assert states["bollinger_rate"] == states["bqx_momentum"] == states["time_features"] == "POPULATED"
    assert states["reg_rate"] == "MISSING"
    assert report["summary"] == "77 of 77 features populated (100.0 %) in 4 of 49 tables"
    assert main(["audit", "--store", lake.url, "--detail"]) == 0
    assert "bollinger_rate\teurusd\t2024-01\t" in capsys.readouterr().out


def test_catalogue_search_by_word_and_table(capsys: Capture) -> None:
    assert main(["catalogue", "--search", "tech_rsi_14", "--table", "technical", "--json"]) == 0
    found = result(capsys)
    assert [f["name"] for f in found] == ["tech_rsi_14_rate", "tech_rsi_14_bqx"]
    assert found[0]["warmup"] == 14
    assert main(["catalogue", "--search", "no such thing"]) == 1
    capsys.readouterr()
    assert main(["catalogue", "--json"]) == 0
    assert len(result(capsys)) == 1060


def test_matrix_joins_tables_in_one_file(lake: FolderStore, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "matrix.parquet"
    options = ["matrix", "--store", lake.url, "--out", str(out), "--start", "2024-01-20", "--end", "2024-02-10"]
    assert main([*options, "--features", "bollinger_rate,w15_bqx_return,session_*"]) == 0
    rows = pl.read_parquet(out)
    assert rows.columns[:3] == ["ts_utc", "known_at", "pair"]
    assert rows.width == 3 + 10 + 1 + 4
    assert set(rows["pair"]) == {"eurusd", "usdjpy"}
    assert rows.select(pl.struct("ts_utc", "pair").is_duplicated().any()).item() is False
    assert main([*options, "--features", "no_such_feature"]) == 2
    assert "no_such_feature" in capsys.readouterr().err


def test_incomplete_rows_are_kept_or_dropped(lake: FolderStore, tmp_path: Path) -> None:
    out = tmp_path / "matrix.parquet"
    options = ["matrix", "--store", lake.url, "--out", str(out), "--features", "bollinger_rate", "--end", "2024-01-03"]
    assert main(options) == 0
    kept = pl.read_parquet(out)
    assert main([*options, "--missing", "drop"]) == 0
    dropped = pl.read_parquet(out)
    assert kept["bb_width_75_rate"].null_count() > 0
    assert dropped["bb_width_75_rate"].null_count() == 0
    assert (
        dropped.height == kept.filter(pl.all_horizontal(pl.exclude("ts_utc", "known_at", "pair").is_not_nan())).height
    )


def test_ctrl_c_exits_with_130_and_the_store_can_resume(tmp_path: Path) -> None:
    lake = make_lake(tmp_path)
    command = [sys.executable, "-m", "fxloom", "populate", "--store", lake.url, "--workers", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 240
    while process.poll() is None and time.monotonic() < deadline and not lake.records():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "interrupted" in errors
    assert "Traceback" not in errors
    assert not list(lake.root.glob("**/*.tmp"))
    with lake.exclusive("populate"):
        assert lake.find_corrupt() == []


def test_an_unexpected_error_is_one_line(lake: FolderStore, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("something odd")

    monkeypatch.setattr(FolderStore, "inventory", broken)
    assert main(["audit", "--store", lake.url]) == 1
    assert (
        capsys.readouterr().err
        == "fxloom: RuntimeError: something odd (unexpected error; --debug shows the traceback)\n"
    )


@pytest.mark.parametrize(("text", "value"), [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400)])
def test_times_are_parsed(text: str, value: float) -> None:
    assert seconds(text) == value


def test_an_invalid_time_is_reported() -> None:
    with pytest.raises(ValueError, match="invalid duration 'soon'"):
        seconds("soon")


@pytest.mark.slow
def test_the_demo_runs_end_to_end(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fxloom", "demo", "--store", str(tmp_path / "demo")]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"COLUMNS": "120"}, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1,060 of 1,060 features populated (100.0 %)" in done.stdout
    assert "fxloom ingest --store lake" in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        ["populate", "--pairs", "eurjpy"],
        ["populate", "--pairs", "xxxyyy"],
        ["populate", "--pairs", ","],
        ["populate", "--months", "2030-01"],
        ["populate", "--months", "2030"],
        ["populate", "--tables", "none_such"],
        ["populate", "--tables", ","],
        ["verify", "--pairs", "eurjpy"],
        ["verify", "--tables", "none_such"],
        ["redundancy", "--pairs", "eurjpy"],
        ["redundancy", "--months", "2030-01"],
        ["matrix", "--out", "x.csv", "--features", "bollinger", "--pairs", "eurjpy"],
        ["matrix", "--out", "x.csv", "--features", "none_such"],
        ["matrix", "--out", "x.doc", "--features", "bollinger"],
        ["ingest", "--pair", "xxxyyy", "bars.csv"],
        ["ingest", "--zone", "none_such", "bars.csv"],
    ],
)
def test_what_does_not_exist_is_a_usage_error(
    command: list[str], lake: FolderStore, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(lake.root.parent)
    (lake.root.parent / "bars.csv").write_text("time,open,high,low,close\n")
    assert main([*command, "--store", lake.url]) == 2
    assert "run populate first" not in capsys.readouterr().err


def test_redundancy_of_a_store_without_bars_asks_for_bars(tmp_path: Path, capsys: Capture) -> None:
    store = str(tmp_path / "lake")
    assert main(["init", "--store", store]) == 0
    for more in ([], ["--months", "2024-01"], ["--pairs", "eurusd", "--months", "2024-01"]):
        assert main(["redundancy", "--store", store, *more]) == 1
        assert "has no bars yet: run `fxloom ingest" in capsys.readouterr().err
