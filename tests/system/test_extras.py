"""Missing optional dependencies are reported with the command that installs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fxloom.system.extras import MissingExtraError, require
from tests.lakes import PAIRS, make_lake

WITHOUT = "import sys; sys.modules[{module!r}] = None; from fxloom.cli import main; sys.exit(main(sys.argv[1:]))"
DATABASE = "postgresql://localhost/bars"


def run_without(module: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process in which ``module`` cannot be imported."""
    code = WITHOUT.format(module=module)
    return subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=False)


def test_an_installed_module_is_returned() -> None:
    assert require("json", "postgres", "PostgreSQL").loads("[1]") == [1]


def test_a_module_that_fails_to_load_reports_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "half_installed.py").write_text("import a_library_that_is_not_there\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MissingExtraError, match=r"a_library_that_is_not_there.*pip install 'fxloom\[postgres\]'"):
        require("half_installed", "postgres", "PostgreSQL")


@pytest.mark.parametrize(
    "command", [["audit", "--store", DATABASE], ["init", "--ddl"], ["copy", "--from", "lake", "--to", DATABASE]]
)
def test_postgresql_without_psycopg_names_the_fix(command: list[str]) -> None:
    done = run_without("psycopg", *command)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "fxloom: PostgreSQL needs psycopg: pip install 'fxloom[postgres]'\n"


def test_ingest_from_postgresql_without_psycopg_leaves_the_store_alone(tmp_path: Path) -> None:
    store = make_lake(tmp_path)
    before = store.settings()
    done = run_without("psycopg", "ingest", "--store", store.url, f"{DATABASE}?bars=m1_{{pair}}")
    assert done.returncode == 1
    assert "pip install 'fxloom[postgres]'" in done.stderr
    assert store.settings() == before


def test_a_folder_store_needs_no_psycopg(tmp_path: Path) -> None:
    store = make_lake(tmp_path)
    done = run_without("psycopg", "audit", "--store", store.url)
    assert done.returncode == 0, done.stderr
    assert PAIRS[0] in done.stdout or "features populated" in done.stdout


def test_completion_without_shtab_names_the_fix() -> None:
    done = run_without("shtab", "--completion", "bash")
    assert done.returncode == 1
    assert done.stderr == "fxloom: shell completion needs shtab: pip install 'fxloom[completion]'\n"
