"""A changed formula changes the fingerprints of exactly the tables that depend on it; formatting changes none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"

DIGESTS = """
import json, sys
from fxloom.features.catalogue import tables
from fxloom.features.fingerprint import formula_digest
print(json.dumps({name: formula_digest(t) for name, t in tables().items()}))
"""

INNER = """
from fxloom.kernels.jit import jit

@jit
def inner(x):
    return x + 1.0
"""

OUTER = """
from fxloom.kernels.jit import jit
from fxloom.kernels.planted_inner import inner

@jit
def outer(x):
    return 2.0 * inner(x)
"""

VALUE = "from fxloom.kernels.planted_outer import outer; print(outer(1.0))"


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


def test_a_changed_kernel_invalidates_only_its_dependants(copy: Path) -> None:
    before = digests(copy)
    edit(copy / "fxloom/kernels/sar.py", "    return ", "    _ = 0\n    return ")
    assert changed(before, digests(copy)) == {"technical_rate", "technical_bqx"}


def test_a_changed_constant_changes_the_fingerprint(copy: Path) -> None:
    before = digests(copy)
    edit(copy / "fxloom/kernels/tolerances.py", "ZERO_CHANGE = 1e-12", "ZERO_CHANGE = 1e-11")
    reached = changed(before, digests(copy))
    assert "bqx_momentum" in reached
    assert "time_features" not in reached


def test_formatting_comments_and_docstrings_do_not_change_the_fingerprint(copy: Path) -> None:
    before = digests(copy)
    path = copy / "fxloom/kernels/momentum.py"
    edit(path, "np.log(x[t] / x[t - 1])\n", "np.log((x[t] / x[t - 1]))  # a comment\n")
    edit(path, '"""ln(x[t] / x[t-1]) (n);', '"""Log change;')
    assert changed(before, digests(copy)) == set()


def test_a_changed_kernel_never_runs_stale_machine_code(copy: Path) -> None:
    """The dependant is in another, unchanged file, so numba's own cache would not notice."""
    kernels = copy / "fxloom/kernels"
    (kernels / "planted_inner.py").write_text(INNER)
    (kernels / "planted_outer.py").write_text(OUTER)
    assert run(copy, VALUE) == "4.0\n"

    def saved() -> list[Path]:
        return sorted(copy.parent.glob("cache/kernels/planted_outer-*/*.kernel"))

    (first,) = saved()
    assert run(copy, VALUE) == "4.0\n"
    assert saved() == [first]  # loaded, not recompiled
    edit(kernels / "planted_inner.py", "x + 1.0", "x + 2.0")
    assert run(copy, VALUE) == "6.0\n"


def test_processes_that_start_together_leave_a_valid_cache(copy: Path) -> None:
    (copy / "fxloom/kernels/planted_inner.py").write_text(INNER)
    (copy / "fxloom/kernels/planted_outer.py").write_text(OUTER)
    environment = os.environ | {"PYTHONPATH": str(copy), "FXLOOM_CACHE": str(copy.parent / "cache")}
    command = [sys.executable, "-c", VALUE]
    started = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate()[0] for process in started] == ["4.0\n"] * 4
    assert run(copy, VALUE) == "4.0\n"
