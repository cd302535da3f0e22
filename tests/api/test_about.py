"""The environment report for bug reports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import fxloom
from fxloom.api import about
from fxloom.system.cache import cache_root


@pytest.fixture
def fresh_cache_root() -> Iterator[None]:
    cache_root.cache_clear()
    yield
    cache_root.cache_clear()


@pytest.mark.usefixtures("fresh_cache_root")
def test_versions_and_kernels_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FXLOOM_CACHE", str(tmp_path / "kernels"))
    found = about()
    assert found["fxloom"] == fxloom.__version__
    assert {"python", "numba", "llvmlite", "numpy", "polars", "pyarrow", "platform"} < set(found)
    assert found["compiled kernels"] == str(tmp_path / "kernels")


@pytest.mark.usefixtures("fresh_cache_root")
def test_an_unsafe_cache_folder_is_reported_as_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels").chmod(0o777)
    monkeypatch.setenv("FXLOOM_CACHE", str(tmp_path / "kernels"))
    assert about()["compiled kernels"].startswith("refused: ")
