"""SIGKILL at random and at the worst moments: published data stays, and running again completes the rest."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from fxloom.bars.months import month_bounds
from fxloom.run.copy import copy_store
from fxloom.run.ingest import ingest
from fxloom.run.populate import Event, TaskDone, populate
from fxloom.stores.folder import FolderStore
from tests.faults.victims import copying, duration_of, dying_at_write, ingesting, killed_after, populating
from tests.lakes import QUICK, contents, make_lake

MOMENTS = int(os.environ.get("FXLOOM_FAULTS") or 8)
PAIRS = ("eurusd", "gbpusd")
START, END = dt.date(2024, 1, 25), dt.date(2024, 2, 6)


@dataclass(frozen=True)
class Whole:
    """The results of an uninterrupted ingest and populate, and how long they take."""

    files: Path
    bare: Path
    full: Path
    features: dict[str, object]
    bars: dict[str, bytes]
    settings: object


@dataclass
class Tally:
    """Moments tried, those during work, published partitions that were lost, and wrong ones."""

    moments: int = 0
    at_work: int = 0
    lost: int = 0
    wrong: int = 0


@pytest.fixture(scope="module")
def tally() -> Iterator[Tally]:
    tally = Tally()
    yield tally
    print(f"\nkills: {tally.moments} moments, {tally.at_work} at work, {tally.lost} lost, {tally.wrong} wrong")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    root = tmp_path_factory.mktemp("whole")
    store = make_lake(root, PAIRS, START, END)
    shutil.copytree(store.root, root / "bare")
    assert not populate(store, tables=QUICK, workers=1).troubles
    return Whole(root / "files", root / "bare", store.root, contents(store), bars_in(store), store.settings())


def bars_in(store: FolderStore) -> dict[str, bytes]:
    """The bars of every month as bytes, by pair and month."""
    found = {}
    for path in sorted(store.root.glob("m1/*/*/bars.parquet")):
        pair, month = (part.partition("=")[2] for part in path.parts[-3:-1])
        bars = store.read_bars(pair, *month_bounds(month))
        found[f"{pair} {month}"] = b"".join(
            np.ascontiguousarray(c).tobytes()
            for c in (bars.ts, bars.open, bars.high, bars.low, bars.close, bars.volume)
        )
    return found


def check_ingest(store: FolderStore, whole: Whole, tally: Tally) -> None:
    """Each month is correct or absent; ingesting again completes them with the same settings."""
    before = bars_in(store)
    tally.wrong += sum(whole.bars[key] != b for key, b in before.items())
    assert not [r for r in ingest(store, [whole.files]) if r.refused]
    tally.lost += sum(bars_in(store).get(key) != b for key, b in before.items())
    assert bars_in(store) == whole.bars
    assert store.settings() == whole.settings
    assert not list(store.root.glob("**/*.tmp"))


def check_populate(store: FolderStore, whole: Whole, tally: Tally) -> None:
    """Each partition is correct or absent; populate computes only the missing ones."""
    before = contents(store)
    tally.wrong += sum(whole.features[key] != value for key, value in before.items())
    summary = populate(store, tables=QUICK, workers=1)
    assert len(summary.results) == len(whole.features) - len(before)
    after = contents(store)
    tally.lost += sum(after.get(key) != value for key, value in before.items())
    assert after == whole.features
    assert not list(store.root.glob("**/*.tmp"))


def drawn_moments(count: int, seconds: float) -> list[float]:
    """``count`` random moments, one in each of as many equal parts of an uninterrupted run."""
    generator = np.random.default_rng(count)
    return [seconds * 1.05 * (i + part) / count for i, part in enumerate(generator.random(count).tolist())]


def test_ingest_killed_at_random_moments(whole: Whole, tally: Tally, tmp_path: Path) -> None:
    seconds = duration_of(ingesting, str(tmp_path / "undisturbed"), str(whole.files))
    for i, moment in enumerate(drawn_moments(max(MOMENTS // 2, 1), seconds)):
        store = FolderStore(tmp_path / f"lake {i}")
        tally.at_work += killed_after(moment, ingesting, store.url, str(whole.files))
        tally.moments += 1
        check_ingest(store, whole, tally)
        shutil.rmtree(store.root)
    assert (tally.lost, tally.wrong) == (0, 0)


def test_populate_killed_at_random_moments(whole: Whole, tally: Tally, tmp_path: Path) -> None:
    shutil.copytree(whole.bare, tmp_path / "undisturbed")
    seconds = duration_of(populating, str(tmp_path / "undisturbed"))
    for i, moment in enumerate(drawn_moments(max(MOMENTS // 2, 1), seconds)):
        store = FolderStore(shutil.copytree(whole.bare, tmp_path / f"lake {i}"))
        tally.at_work += killed_after(moment, populating, store.url)
        tally.moments += 1
        check_populate(store, whole, tally)
        shutil.rmtree(store.root)
    assert (tally.lost, tally.wrong) == (0, 0)


def died_at_write(number: int, work: Callable[..., None], *args: object) -> bool:
    """Whether ``work`` was killed before its ``number``-th write; if not, it has fewer."""
    return killed_after(120.0, dying_at_write, number, work, *args)


def steps_to_try() -> Iterator[int]:
    """Every write under ``make faults``; otherwise every eleventh."""
    yield from itertools.count(0, 1 if MOMENTS >= 100 else 11)


@pytest.mark.slow
def test_ingest_killed_before_each_step_that_writes(whole: Whole, tally: Tally, tmp_path: Path) -> None:
    for number in steps_to_try():
        store = FolderStore(tmp_path / f"lake {number}")
        if not died_at_write(number, ingesting, store.url, str(whole.files)):
            break
        check_ingest(store, whole, tally)
        shutil.rmtree(store.root)
        tally.moments, tally.at_work = tally.moments + 1, tally.at_work + 1
    assert (tally.lost, tally.wrong) == (0, 0)
    assert number > 30  # four months, each opened, written, flushed, renamed; settings twice


@pytest.mark.slow
def test_populate_killed_before_each_step_that_writes(whole: Whole, tally: Tally, tmp_path: Path) -> None:
    for number in steps_to_try():
        store = FolderStore(shutil.copytree(whole.bare, tmp_path / f"lake {number}"))
        if not died_at_write(number, populating, store.url):
            break
        check_populate(store, whole, tally)
        shutil.rmtree(store.root)
        tally.moments, tally.at_work = tally.moments + 1, tally.at_work + 1
    assert (tally.lost, tally.wrong) == (0, 0)
    assert number > 30


@pytest.mark.slow
def test_copy_killed_before_each_step_that_writes(whole: Whole, tally: Tally, tmp_path: Path) -> None:
    for number in steps_to_try():
        target = FolderStore(tmp_path / f"copy {number}")
        if not died_at_write(number, copying, str(whole.full), target.url):
            break
        tally.wrong += sum(whole.features[key] != value for key, value in contents(target).items())
        tally.wrong += sum(whole.bars[key] != b for key, b in bars_in(target).items())
        assert not copy_store(FolderStore(whole.full), target).corrupt
        assert (contents(target), bars_in(target), target.settings()) == (whole.features, whole.bars, whole.settings)
        shutil.rmtree(target.root)
        tally.moments, tally.at_work = tally.moments + 1, tally.at_work + 1
    assert (tally.lost, tally.wrong) == (0, 0)
    assert number > 30


def test_workers_end_with_a_parent_that_is_killed(whole: Whole, tally: Tally, tmp_path: Path) -> None:
    store = FolderStore(shutil.copytree(whole.bare, tmp_path / "lake"))
    command = [sys.executable, "-m", "fxloom", *populate_command(store.url), "--workers", "2", "--force"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    wait_for(lambda: bool(store.records()) or process.poll() is not None)
    process.kill()
    process.wait()
    wait_for(lambda: not members_of_session(process.pid))
    assert not members_of_session(process.pid)
    check_populate(store, whole, tally)


def populate_command(url: str) -> list[str]:
    return ["populate", "--store", url, "--tables", ",".join(QUICK)]


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` holds, at most two minutes."""
    deadline = time.monotonic() + 120
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)


def members_of_session(session: int) -> list[int]:
    """The living processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] not in "ZX":
                found.append(int(path.name))
    return found


def test_a_killed_worker_does_not_fail_the_run(whole: Whole, tally: Tally, tmp_path: Path) -> None:
    store = FolderStore(shutil.copytree(whole.bare, tmp_path / "lake"))
    killed: list[int | None] = []

    def kill_one(event: Event) -> None:
        if isinstance(event, TaskDone) and not killed:
            worker = multiprocessing.active_children()[0]
            worker.kill()
            killed.append(worker.pid)

    summary = populate(store, tables=QUICK, workers=2, on_event=kill_one)
    assert killed
    assert not summary.troubles
    assert len(summary.results) == len(whole.features)
    check_populate(store, whole, tally)


def test_two_populates_at_once(whole: Whole, tally: Tally, tmp_path: Path) -> None:
    """Without waiting, one of them reports the lock holder; with waiting, both finish."""
    store = FolderStore(shutil.copytree(whole.bare, tmp_path / "lake"))
    command = [sys.executable, "-m", "fxloom", *populate_command(store.url), "--workers", "1"]
    with store.exclusive("a test"):
        waiting = [subprocess.Popen([*command, "--wait", "200"], stdout=subprocess.DEVNULL) for _ in range(2)]
        refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert f"in use: a test, process {os.getpid()}" in refused.stderr
    assert [process.wait(timeout=300) for process in waiting] == [0, 0]
    assert contents(store) == whole.features
    check_populate(store, whole, tally)
