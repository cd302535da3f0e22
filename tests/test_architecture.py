"""What the import contracts in pyproject.toml cannot express: start-up, sizes, names, and what the core may import."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import fxloom

ROOT = Path(fxloom.__file__).parent
TESTS = Path(__file__).parent
CORE = ("bars", "system", "kernels", "features", "series", "families", "engine")
# What a package of the core may import besides the standard library and NumPy.
LIBRARIES = {"kernels": {"numba", "llvmlite"}, "features": {"numba", "llvmlite"}, "bars": {"holidays"},
             "system": {"platformdirs"}}  # fmt: skip
HEAVY = {"numba", "polars", "pyarrow", "holidays", "psycopg", "pandas", "scipy"}
SYSTEM_BOUND = {"fcntl", "msvcrt", "winreg", "_winapi", "pwd", "grp", "resource", "termios", "syslog", "posix", "nt"}
FILE_LIMIT, FUNCTION_LIMIT = 400, 70
ACROSS = {"laws", "reference", "faults"}  # test folders that span packages, like the files beside this one
BUILDERS = {"markets.py", "conftest.py"}  # where tests build bars: synthetic ones, and those of the sample data


@cache
def sources() -> dict[str, ast.Module]:
    """Every module of the package by its dotted name inside it, such as "kernels.moments"."""
    paths = {p: ".".join(p.relative_to(ROOT).with_suffix("").parts) for p in sorted(ROOT.rglob("*.py"))}
    return {name.removesuffix(".__init__"): ast.parse(p.read_text("utf-8")) for p, name in paths.items()}


def libraries(module: str) -> set[str]:
    """The top-level packages that ``module`` imports, at its top or inside functions."""
    found: set[str] = set()
    for node in ast.walk(sources()[module]):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            found.add((node.module or "").partition(".")[0])
    return found


def package(module: str) -> str:
    return module.partition(".")[0]


CORE_MODULES = [module for module in sources() if package(module) in CORE]


def test_the_core_packages_exist() -> None:
    assert {package(module) for module in CORE_MODULES} == set(CORE)


@pytest.mark.parametrize("module", CORE_MODULES)
def test_the_core_imports_only_the_standard_library_and_numpy(module: str) -> None:
    allowed = {"numpy", "fxloom"} | LIBRARIES.get(package(module), set())
    foreign = libraries(module) - allowed - set(sys.stdlib_module_names)
    assert not foreign, f"{module} imports {sorted(foreign)}"


@pytest.mark.parametrize("module", [m for m in CORE_MODULES if package(m) != "system"])
def test_only_the_system_package_is_bound_to_an_operating_system(module: str) -> None:
    assert not libraries(module) & SYSTEM_BOUND


def test_only_one_module_imports_holidays() -> None:
    assert {m for m in sources() if "holidays" in libraries(m)} == {"bars.calendars"}


@pytest.mark.parametrize("module", ["fxloom", "fxloom.cli"])
def test_start_up_loads_nothing_heavy(module: str) -> None:
    code = f"import {module}, sys; print(*sorted({{m.partition('.')[0] for m in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert package(module) in loaded
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
def test_module_names_are_specific(module: str) -> None:
    assert not set(module.split(".")) & {"utils", "util", "helpers", "helper", "common", "misc"}


@pytest.mark.parametrize("module", CORE_MODULES)
def test_the_core_evaluates_no_text_and_families_hide_no_arguments(module: str) -> None:
    for node in ast.walk(sources()[module]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"eval", "exec"}, f"{module}:{node.lineno}"
        if isinstance(node, ast.FunctionDef) and package(module) == "families":
            assert node.args.kwarg is None, f"{module}.{node.name} takes **{node.args.kwarg}"


# -- the tests themselves --------------------------------------------------------------------------------------------

MIRRORING = [
    path
    for path in (p.relative_to(TESTS) for p in sorted(TESTS.rglob("test_*.py")))
    if len(path.parts) > 1 and path.parts[0] not in ACROSS
]
REFERENCE = sorted(path for path in (TESTS / "reference").glob("*.py") if not path.stem.startswith("test_"))
TEST_FILES = sorted(TESTS.rglob("*.py"))


def mirrored(path: Path) -> bool:
    """Whether ``tests/a/test_b.py`` has a module a.b to test: the package a itself, b, one aspect of b, or all b_*."""
    name = path.stem.removeprefix("test_")
    folder = ROOT / path.parent
    modules = {p.stem for p in folder.glob("*") if p.suffix == ".py" or (p / "__init__.py").exists()} | {folder.name}
    return any(name == m or name.startswith(f"{m}_") or m.startswith(f"{name}_") for m in modules)


@pytest.mark.parametrize("path", MIRRORING, ids=str)
def test_tests_mirror_the_package(path: Path) -> None:
    assert mirrored(path), f"there is no module under src/fxloom/{path.parent} that tests/{path} is named after"


def test_the_mirror_rule_finds_misplaced_files() -> None:
    for path in ("kernels/test_garch.py", "stores/test_postgres_rights.py", "families/test_multi_scale.py"):
        assert mirrored(Path(path)), path
    for path in ("kernels/test_garc.py", "kernels/test_reg.py", "nowhere/test_garch.py", "engine/test_everything.py"):
        assert not mirrored(Path(path)), path


@pytest.mark.parametrize("path", REFERENCE, ids=lambda p: p.name)
def test_the_reference_uses_nothing_of_the_package(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            own = name.startswith("tests.reference.") or name.partition(".")[0] not in {"fxloom", "tests"}
            assert own, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda p: str(p.relative_to(TESTS)))
def test_bars_are_built_in_one_module(path: Path) -> None:
    if str(path.relative_to(TESTS)) in BUILDERS:
        return
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "Bars", f"line {node.lineno} makes bars: build them in tests/markets.py"
