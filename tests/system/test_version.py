"""Versions of the libraries that numbers depend on, without importing them."""

from __future__ import annotations

import subprocess
import sys

import numba
import numpy as np
import pytest

from fxloom.system import version
from fxloom.system.version import versions


def test_versions_match_the_modules() -> None:
    found = versions()
    assert found["numba"] == numba.__version__
    assert found["numpy"] == np.__version__
    assert found["python"].split()[0] == ".".join(map(str, sys.version_info[:3]))


def test_a_library_that_is_not_installed_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version, "LIBRARIES", ("a-library-that-is-not-there",))
    assert versions()["a-library-that-is-not-there"] == "not installed"


def test_no_library_is_imported_for_its_version() -> None:
    code = "import sys; from fxloom.system.version import versions; versions(); print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
