"""What a user waits for at start-up: compilation, the first result of a fresh process, the help."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

PREPARE = """
import numpy as np, fxloom
from fxloom.bars.bars import Bars
rng = np.random.default_rng(28)
close = 1.1 * np.exp(np.cumsum(1e-4 * rng.standard_normal(2_000)))
bars = Bars(np.arange(2_000) + 25_340_000, close, close * 1.0001, close * 0.9999, close)
"""
FIRST = {
    "a fresh process to its first table (`bollinger_rate`)": "bollinger_rate",
    "a fresh process to 37 features of momentum": "bqx_momentum",
    "a fresh process to 60 indicators in two domains": "technical",
    "a fresh process to all 888 features of one pair": None,
}
COMPUTE = "fxloom.compute(bars, 'eurusd', baseline='first close', tables={!r}, complete=True)"
PROCESSES = 2
TRIES = 4


@dataclass(frozen=True)
class Wait:
    """Wall and processor seconds of one task in a fresh process, the best of several tries."""

    what: str
    wall: float
    processor: float
    budget: str = ""


def waits() -> list[Wait]:
    """Measure compilation into an empty cache first; later tasks find the cache filled."""
    with tempfile.TemporaryDirectory() as cache:
        warm = f"from fxloom.run.warm import warm\nif __name__ == '__main__': warm({PROCESSES})"
        found = [
            _timed(f"first compilation of everything, {PROCESSES} processes", _script(cache, warm), cache, 1, "90 s")
        ]
        for what, table in FIRST.items():
            budget = "1.5 s" if "first table" in what else ""
            found.append(_timed(what, [sys.executable, "-c", PREPARE + COMPUTE.format(table)], cache, TRIES, budget))
        found.append(_timed("`fxloom --help`", [sys.executable, "-m", "fxloom", "--help"], cache, TRIES))
    return found


def _script(folder: str, code: str) -> list[str]:
    """A file to run: spawned processes import the main module again."""
    path = os.path.join(folder, "warm_all.py")
    with open(path, "w", encoding="utf-8") as file:
        file.write(code)
    return [sys.executable, path]


def _timed(what: str, command: list[str], cache: str, tries: int, budget: str = "") -> Wait:
    """Time ``command``; with several tries, an untimed first run reads files and writes byte code."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"FXLOOM_CACHE": cache}
    measured = []
    for _ in range(tries + (tries > 1)):
        begin, before = time.perf_counter(), _children()
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        measured.append((time.perf_counter() - begin, _children() - before))
    measured = measured[tries > 1 :]
    return Wait(what, min(wall for wall, _ in measured), min(cpu for _, cpu in measured), budget)


def _children() -> float:
    """Processor seconds of the child processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system
