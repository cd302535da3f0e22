"""Populate: it does the remaining work, reports failures by kind, and never shows partial results."""

from __future__ import annotations

import dataclasses
import importlib
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

import fxloom
from fxloom.bars.months import month_bounds
from fxloom.cli import main
from fxloom.engine.plan import Task
from fxloom.features import catalogue
from fxloom.features.feature import Columns, Family, Table
from fxloom.features.pair_view import View
from fxloom.run.executors import Executor, JobsRun, WorkerDiedError
from fxloom.run.executors.processes import ProcessExecutor
from fxloom.run.executors.serial import SerialExecutor
from fxloom.run.populate import plan_for, populate
from fxloom.run.results import PartitionResult, all_failed
from fxloom.stores.base import StoreError
from fxloom.stores.folder import FolderStore
from fxloom.stores.memory import MemoryStore
from fxloom.system.lock import LockedError
from tests.lakes import PAIRS, QUICK, contents, killed_populate, make_lake

Work = Callable[[str, Task], list[PartitionResult]]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    """A store populated without interruption."""
    store = make_lake(tmp_path_factory.mktemp("full"))
    assert not populate(store, tables=QUICK, workers=1).troubles
    return store


@pytest.fixture
def lake(tmp_path: Path) -> FolderStore:
    return make_lake(tmp_path)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Restore the families after the test; see ``plant``."""
    yield
    monkeypatch.undo()


def plant(monkeypatch: pytest.MonkeyPatch, name: str, compute: object) -> None:
    """Have the table ``name`` computed by ``compute``."""
    importlib.import_module("fxloom.api")  # a module first imported under the patch would keep it
    real = catalogue.tables()
    family: Family = dataclasses.replace(real[name].family, compute=compute)  # type: ignore[arg-type]
    table: Table = dataclasses.replace(real[name], family=family)
    for module in ("fxloom.features.catalogue", "fxloom.run.workers"):
        monkeypatch.setattr(f"{module}.tables", lambda: {**real, name: table})


def test_everything_is_computed_once(lake: FolderStore, full: FolderStore) -> None:
    first = populate(lake, tables=QUICK, workers=1)
    assert first.count("done") == len(first.plan.partitions) == 4 * len(PAIRS) * 2
    again = populate(lake, tables=QUICK, workers=1)
    assert again.results == []
    assert again.plan.states["fresh"] == 16
    assert contents(lake) == contents(full)


def test_two_workers_produce_what_one_produces(lake: FolderStore, full: FolderStore) -> None:
    assert not populate(lake, tables=QUICK, workers=2).troubles
    assert contents(lake) == contents(full)


def test_task_order_and_neighbours_do_not_matter(lake: FolderStore, full: FolderStore) -> None:
    for pair, months, table in [
        ("usdjpy", "2024-02", "time_features"),
        ("eurusd", "2024-02", "bollinger"),
        ("eurusd", "2024-01", "bqx_momentum"),
    ]:
        assert not populate(lake, [pair], (months, months), [table], workers=1).troubles
    assert not populate(lake, tables=QUICK, workers=1).troubles
    assert contents(lake) == contents(full)


def test_a_killed_run_resumes(lake: FolderStore, full: FolderStore) -> None:
    killed_populate(lake.address, QUICK, 7)
    before = {r.key: r.made for r in lake.records()}
    assert len(before) == 7
    rest = populate(lake, tables=QUICK, workers=1)
    assert len(rest.results) == 16 - 7
    assert {r.key: r.made for r in lake.records() if r.key in before} == before
    assert contents(lake) == contents(full)


def test_a_failing_table_is_reported_and_the_others_go_on(
    lake: FolderStore, full: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(view: View) -> Columns:
        raise ZeroDivisionError(f"no luck with {view.pair}")

    plant(monkeypatch, "bollinger_rate", broken)
    summary = populate(lake, tables=QUICK, workers=1)
    assert {(o.key.table, o.result) for o in summary.troubles} == {("bollinger_rate", "failed")}
    assert "no luck with eurusd" in summary.troubles[0].why
    assert summary.count("done") == 12
    kept = {k: v for k, v in contents(full).items() if "bollinger_rate" not in k}
    assert contents(lake) == kept


@pytest.mark.parametrize("table", ["bollinger_rate", "currency_strength"])
def test_ctrl_c_in_a_kernel_ends_the_run(table: str, lake: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba's dispatcher returns a result with the exception set; Python makes a SystemError of it."""

    def interrupted(_: View) -> Columns:
        raise SystemError("returned a result with an exception set") from KeyboardInterrupt()

    plant(monkeypatch, table, interrupted)
    with pytest.raises(KeyboardInterrupt):
        populate(lake, tables=[table], workers=1)


def test_a_partition_that_fails_its_gates_keeps_the_older_one(
    lake: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not populate(lake, tables=["bollinger"], workers=1).troubles
    before = contents(lake)
    honest = catalogue.tables()["bollinger_rate"].family.compute

    def out_of_range(view: View) -> Columns:
        columns = dict(honest(view))
        columns["bb_width_15"] = -np.abs(columns["bb_width_15"])
        columns["bb_width_30"] = np.full(len(view), np.inf)
        return columns

    plant(monkeypatch, "bollinger_rate", out_of_range)
    summary = populate(lake, tables=["bollinger_rate"], workers=1, force=True)
    assert {o.result for o in summary.results} == {"refused"}
    assert "bb_width_15_rate" in summary.results[0].why
    assert "infinite" in summary.results[0].why
    assert contents(lake) == before


def test_a_column_whose_scale_jumps_is_not_published(lake: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = catalogue.tables()["bollinger_rate"].family.compute

    def in_another_unit(view: View) -> Columns:
        columns = dict(honest(view))
        if view.ts[-1] >= month_bounds("2024-02")[0]:
            columns["bb_width_15"] = columns["bb_width_15"] / 10_000
        return columns

    plant(monkeypatch, "bollinger_rate", in_another_unit)
    summary = populate(lake, tables=["bollinger_rate"], workers=1)
    assert {(o.key.month, o.result) for o in summary.results} == {("2024-01", "done"), ("2024-02", "refused")}
    assert "bb_width_15_rate: standard deviation" in summary.troubles[0].why
    # A stale previous month is no reference for the scale: February alone is published now.
    for path in lake.root.glob("features/bollinger_rate/pair=*/month=2024-01/*"):
        path.unlink()
    assert not populate(lake, tables=["bollinger_rate"], months=("2024-02", "2024-02"), workers=1).troubles
    found = [str(f) for f in fxloom.open_store(lake.root).audit().findings if f.key.table == "bollinger_rate"]
    assert not any("deviation" in line for line in found)
    populate(lake, tables=["bollinger_rate"], workers=1)
    found = [str(f) for f in fxloom.open_store(lake.root).audit().findings if f.key.table == "bollinger_rate"]
    assert sum("bb_width_15_rate: standard deviation" in line for line in found) == len(PAIRS)


def die_once(url: str, task: Task) -> list[PartitionResult]:
    marker = Path(url) / f"died-{task.pair}-{task.month}"
    if task.pair == "eurusd" and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return [PartitionResult(p.key, "done") for p in task.partitions]


def die_twice(url: str, task: Task) -> list[PartitionResult]:
    """Dies in the pool and once more alone, like a queued task when another one broke the pool."""
    markers = [Path(url) / f"died-{task.pair}-{task.month}-{k}" for k in range(2)]
    for marker in markers:
        if task.pair == "eurusd" and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return [PartitionResult(p.key, "done") for p in task.partitions]


def die_always(_url: str, task: Task) -> list[PartitionResult]:
    if task.pair == "eurusd" and task.month == "2024-01":
        os.kill(os.getpid(), signal.SIGKILL)
    return [PartitionResult(p.key, "done") for p in task.partitions]


def results_of(executor: Executor, lake: FolderStore, work: Work) -> list[PartitionResult]:
    """The results of the tasks of ``lake`` when ``work`` runs them on ``executor``."""
    results: list[PartitionResult] = []
    for task, found in JobsRun(executor, partial(work, lake.url), plan_for(lake, tables=QUICK).tasks):
        results += all_failed(task, str(found)) if isinstance(found, WorkerDiedError) else found
    executor.close()
    return results


@pytest.mark.parametrize("work", [die_once, die_twice])
def test_a_crashed_worker_fails_no_other_task(lake: FolderStore, work: Work) -> None:
    results = results_of(ProcessExecutor(2), lake, work)
    assert len(results) == 16
    assert {r.result for r in results} == {"done"}


R = TypeVar("R")


class BreaksOnSecondSubmit(SerialExecutor):
    """An executor whose worker dies just before the second submit."""

    lost: tuple[type[BaseException], ...] = (BrokenProcessPool,)
    submitted = 0

    def submit(self, function: Callable[..., R], /, *args: Any) -> Future[R]:
        self.submitted += 1
        if self.submitted == 2:
            raise BrokenProcessPool
        return super().submit(function, *args)


def test_a_worker_crash_on_submit_drops_no_task(lake: FolderStore) -> None:
    tasks = plan_for(lake, tables=QUICK).tasks
    done = [task for task, _ in JobsRun(BreaksOnSecondSubmit(), lambda _task: [], tasks)]
    assert sorted((t.pair, t.month) for t in done) == sorted((t.pair, t.month) for t in tasks)


def test_a_task_that_always_crashes_is_reported(lake: FolderStore) -> None:
    results = results_of(ProcessExecutor(2), lake, die_always)
    assert {(r.key.pair, r.key.month) for r in results if r.result == "failed"} == {("eurusd", "2024-01")}
    assert sum(r.result == "done" for r in results) == 12


def test_a_second_populate_names_the_lock_holder(lake: FolderStore, capsys: pytest.CaptureFixture[str]) -> None:
    with lake.exclusive("populate"):
        with pytest.raises(LockedError, match=f"process {os.getpid()}"):
            populate(FolderStore(lake.root), tables=QUICK, workers=1)
        assert main(["populate", "--store", lake.url, "--tables", "bollinger"]) == 1
    assert "in use: populate" in capsys.readouterr().err


def test_a_full_disk_is_refused_before_the_start(lake: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FolderStore, "free_bytes", lambda _: 1000)
    with pytest.raises(StoreError, match="free some space"):
        populate(lake, tables=QUICK, workers=1)
    assert contents(lake) == {}


def test_a_disk_that_fills_up_fails_a_partition_and_leaves_no_files(
    lake: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FolderStore.publish

    def full_for_january(self: FolderStore, record: object, *rest: object) -> None:
        if record.key.month == "2024-01":  # type: ignore[attr-defined]
            raise OSError(28, "No space left on device")
        real(self, record, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(FolderStore, "publish", full_for_january)
    summary = populate(lake, tables=["bollinger"], workers=1)
    assert {(o.key.month, o.result) for o in summary.results} == {("2024-01", "failed"), ("2024-02", "done")}
    assert "No space left" in summary.troubles[0].why
    assert not list(lake.root.glob("**/*.tmp"))


def test_corrupt_partitions_are_computed_again(lake: FolderStore, full: FolderStore) -> None:
    assert not populate(lake, tables=QUICK, workers=1).troubles
    paths = sorted(lake.root.glob("features/**/part.parquet"))
    paths[0].write_bytes(paths[0].read_bytes()[:-100])
    paths[5].write_bytes(b"garbage")
    assert populate(lake, tables=QUICK, workers=1).count("done") == 2
    assert contents(lake) == contents(full)


def test_a_store_without_bars_names_the_fix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["populate", "--store", str(tmp_path / "nothing")]) == 1
    assert "there is no store at" in (shown := capsys.readouterr().err)
    assert "fxloom ingest" in shown
    assert not (tmp_path / "nothing").exists()


def test_unknown_pairs_tables_and_months_are_reported(lake: FolderStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["populate", "--store", lake.url, "--pairs", "eurgbp"]) == 2
    assert "eurgbp" in capsys.readouterr().err
    assert main(["populate", "--store", lake.url, "--tables", "bolinger_rate"]) == 2
    assert "bollinger_rate" in capsys.readouterr().err
    assert main(["populate", "--store", lake.url, "--months", "2018-13"]) == 2
    assert "2018-13" in capsys.readouterr().err
    assert main(["populate", "--store", lake.url, "--months", "2024-02:2024-01"]) == 2
    assert "2024-01 is before 2024-02" in capsys.readouterr().err
    assert main(["populate", "--store", lake.url, "--months", "2018-02:2018-03"]) == 2
    assert f"no bars from 2018-02 to 2018-03 in {lake.url}: the bars of " in capsys.readouterr().err


def test_features_are_read_with_the_time_they_become_known(full: FolderStore) -> None:
    store = fxloom.open_store(full.root)
    frame = store.read(["bb_width_15_rate", "time_features"], pairs=["eurusd"], start="2024-02-01", end="2024-02-03")
    rows = frame.collect()
    assert rows.columns[:4] == ["ts_utc", "known_at", "pair", "bb_width_15_rate"]
    assert rows.width == 4 + 20
    assert ((rows["known_at"] - rows["ts_utc"]).dt.total_seconds() == 60).all()
    bars = store.bars("eurusd", "2024-02-01", "2024-02-03")
    assert rows["ts_utc"].to_list() == bars["ts_utc"].to_list()
    assert rows["bb_width_15_rate"].null_count() == 0


def test_compute_on_arrays_matches_the_store(full: FolderStore) -> None:
    store = fxloom.open_store(full.root)
    bars = store.bars("eurusd", end="2024-02-01")
    alone = fxloom.compute(bars, "eurusd", baseline=store, tables="bollinger_rate", complete=True)["bollinger_rate"]
    held = store.read("bollinger_rate", ["eurusd"], end="2024-02-01").collect()
    for name in alone.columns[3:]:
        assert np.array_equal(alone[name].to_numpy().astype(np.float32), held[name].to_numpy(), equal_nan=True)


def test_a_memory_store_gives_the_same_result(full: FolderStore) -> None:
    store = MemoryStore()
    settings = full.settings()
    assert settings is not None
    store.write_settings(settings)
    for pair in PAIRS:
        for month in full.bar_months(pair):
            bars = full.read_bars(pair, 0, 10**9)
            store.write_bars(pair, month, bars.between(*month_bounds(month)))
    assert not populate(store, tables=QUICK, workers=1).troubles
    held = sorted(full.records(), key=lambda r: r.key)
    assert [r.fingerprint for r in store.records()] == [r.fingerprint for r in held]
