"""A change in a formula reaches every table that leads to it and no other; formatting changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src"

DIGESTS = """
import json, sys
from fxloom.catalogue import tables
from fxloom.fingerprint import formula_digest
print(json.dumps({name: formula_digest(t) for name, t in tables().items()}))
"""

VALUE = """
import numpy as np
from fxloom.kernels.comoments import rolling_corr
from fxloom.kernels.moments import rolling_std
y = np.sin(np.arange(40.0))
print(rolling_std(y, 15)[-1], rolling_corr(y, y[::-1].copy(), 15)[-1])
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(SOURCE, tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    return tmp_path / "src"


def run(source: Path, script: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(source), "FXLOOM_CACHE": str(source.parent / "cache")}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def digests(source: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(run(source, DIGESTS))
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_a_changed_kernel_reaches_its_dependants_and_only_them(copy: Path) -> None:
    before = digests(copy)
    edit(copy / "fxloom/kernels/sar.py", "    return ", "    _ = 0\n    return ")
    assert changed(before, digests(copy)) == {"technical_rate", "technical_bqx"}


def test_a_changed_constant_counts(copy: Path) -> None:
    before = digests(copy)
    edit(copy / "fxloom/kernels/momentum.py", "STILL = 1e-12", "STILL = 1e-11")
    reached = changed(before, digests(copy))
    assert "bqx_momentum" in reached
    assert "time_features" not in reached


def test_formatting_comments_and_docstrings_do_not_count(copy: Path) -> None:
    before = digests(copy)
    path = copy / "fxloom/kernels/momentum.py"
    text = path.read_text("utf-8")
    text = text.replace("total = np.zeros(end - begin)", "total = np.zeros((end - begin))  # a comment")
    path.write_text(text.replace('"""ln(x[t] / x[t-1]);', '"""Log change;'), "utf-8")
    assert changed(before, digests(copy)) == set()


def test_a_changed_kernel_never_runs_from_old_machine_code(copy: Path) -> None:
    """The dependant is in another file, so numba's own cache would not notice."""
    before = run(copy, VALUE)
    assert run(copy, VALUE) == before
    edit(copy / "fxloom/kernels/momentum.py", "BLOCK = 512", "BLOCK = 256")
    assert run(copy, VALUE) == before
    cache = copy.parent / "cache" / "kernels"
    assert len({p.name.partition("-")[0] for p in cache.iterdir()}) <= len(list(cache.iterdir()))
