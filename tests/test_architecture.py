"""Dependencies point one way, the core knows nothing of the world, and the code keeps its size."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import fxloom

ROOT = Path(fxloom.__file__).parent
EDGES = {  # they may know files, engines, screens and systems; every other module is the core
    "api", "audit", "cli", "copying", "ingest", "lock", "matrix", "populate", "prove", "reading", "run", "screen",
    "redundancy", "sources", "stores",
}  # fmt: skip
SYSTEM_BOUND = {"fcntl", "msvcrt", "winreg", "_winapi", "pwd", "grp", "resource", "termios", "syslog", "posix", "nt"}
FOR_TESTS_ONLY = {
    "arch",
    "bidask",
    "hmmlearn",
    "hypothesis",
    "pandas",
    "pytest",
    "pywt",
    "scipy",
    "statsmodels",
    "talib",
}
HEAVY = {"numba", "polars", "pyarrow", "holidays", "psycopg"} | FOR_TESTS_ONLY
# The compiler's cache: its version belongs to llvmlite, and two processes must not write it at once (on any system).
EXCEPTIONS = {"kernels.jit": {"llvmlite", "lock"}, "calendars": {"holidays"}}
FILE_LIMIT, FUNCTION_LIMIT = 400, 70


@cache
def sources() -> dict[str, ast.Module]:
    """Every module of the package by its dotted name inside it, such as "kernels.moments"."""
    paths = {p: ".".join(p.relative_to(ROOT).with_suffix("").parts) for p in sorted(ROOT.rglob("*.py"))}
    return {name.removesuffix(".__init__"): ast.parse(p.read_text("utf-8")) for p, name in paths.items()}


def imports(module: str) -> set[str]:
    """All that ``module`` imports, at its top or inside functions, type-checking blocks aside."""
    found: set[str] = set()
    for node in ast.walk(_without_typing(sources()[module])):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            found |= {node.module or ""} | {f"{node.module}.{a.name}" for a in node.names if node.module == "fxloom"}
    return found


def _without_typing(tree: ast.Module) -> ast.Module:
    kept = [n for n in tree.body if not (isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING")]
    return ast.Module(kept, [])


def packages(module: str) -> set[str]:
    return {name.partition(".")[0] for name in imports(module)}


def siblings(module: str) -> set[str]:
    """What ``module`` imports of the package, as "kernels.moments"."""
    return {name.removeprefix("fxloom.") for name in imports(module) if name.startswith("fxloom.")}


def is_core(module: str) -> bool:
    return module.partition(".")[0] not in EDGES | {"__init__", "__main__"}


def exceptions(module: str) -> set[str]:
    return EXCEPTIONS.get(module, set())


CORE = [module for module in sources() if is_core(module)]


@pytest.mark.parametrize("module", CORE)
def test_the_core_imports_the_standard_library_numpy_and_numba(module: str) -> None:
    allowed = {"numpy", "numba", "fxloom"} | exceptions(module)
    foreign = packages(module) - allowed - set(sys.stdlib_module_names)
    assert not foreign, f"{module} imports {sorted(foreign)}"


@pytest.mark.parametrize("module", CORE)
def test_the_core_imports_no_edge_and_no_system(module: str) -> None:
    assert not {name for name in siblings(module) if not is_core(name)} - exceptions(module)
    assert not packages(module) & SYSTEM_BOUND


@pytest.mark.parametrize("module", [m for m in sources() if m.startswith("kernels.")])
def test_kernels_know_kernels_only(module: str) -> None:
    assert {s for s in siblings(module) if not s.startswith("kernels.")} <= {"bars"} | exceptions(module)


@pytest.mark.parametrize("module", [m for m in sources() if m.startswith("families.")])
def test_families_know_neither_plans_nor_each_others_tables(module: str) -> None:
    engine = {"catalogue", "compute", "plan", "quality", "fingerprint", "market", "days"}
    assert not siblings(module) & engine


def test_in_the_core_numba_is_known_to_the_kernels_and_to_fingerprints() -> None:
    users = {m for m in CORE if "numba" in packages(m)}
    assert {m for m in users if not m.startswith("kernels.")} <= {"fingerprint"}


def test_holidays_are_known_to_one_module() -> None:
    assert {m for m in sources() if "holidays" in packages(m)} == {"calendars"}


@pytest.mark.parametrize("module", sources())
def test_nothing_needs_a_library_of_the_tests(module: str) -> None:
    assert not packages(module) & FOR_TESTS_ONLY


@pytest.mark.parametrize("module", ["fxloom", "fxloom.cli"])
def test_start_up_loads_nothing_heavy(module: str) -> None:
    code = f"import {module}, sys; print(*sorted({{m.partition('.')[0] for m in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert module.partition(".")[0] in loaded
    assert not set(loaded) & HEAVY


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") < FILE_LIMIT
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= FUNCTION_LIMIT, f"{node.name} has {length} lines"


@pytest.mark.parametrize("module", sources())
def test_names_of_modules_say_what_is_in_them(module: str) -> None:
    assert not set(module.split(".")) & {"utils", "util", "helpers", "helper", "common", "misc"}


@pytest.mark.parametrize("module", [m for m in sources() if is_core(m)])
def test_the_core_evaluates_no_text_and_hides_no_arguments(module: str) -> None:
    for node in ast.walk(sources()[module]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"eval", "exec"}, f"{module}:{node.lineno}"
        if isinstance(node, ast.FunctionDef) and module.startswith("families."):
            assert node.args.kwarg is None, f"{module}.{node.name} takes **{node.args.kwarg}"
