"""Compiled kernels on disk: reused, verified, recompiled if corrupt, and never required."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fxloom.system.cache import write_private

FLIPS = 24 * int(os.environ.get("FXLOOM_FAULTS") or 20)  # 4,800 under make faults
PROGRAM = """
import numpy as np
from fxloom.kernels.moments import rolling_mean
print(float(rolling_mean(np.arange(10.0), 4)[9]), sum(rolling_mean.stats.cache_hits.values()))
"""


def run(cache: Path, program: str = PROGRAM) -> tuple[str, str]:
    """What ``program`` prints in a new process, and its log."""
    environment = os.environ | {"FXLOOM_CACHE": str(cache)}
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip(), ended.stderr.strip()


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with the kernels of PROGRAM."""
    folder = tmp_path_factory.mktemp("cache") / "fxloom"
    assert run(folder) == ("7.5 0", "")  # the mean of 6, 7, 8, 9
    assert run(folder) == ("7.5 1", "")
    return folder


def cache_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("kernels/moments-*/rolling_mean-*.kernel"))


@pytest.mark.parametrize("damage", ["emptied", "cut", "a bit", "garbage"])
def test_a_corrupt_file_is_compiled_again(damage: str, warm: Path) -> None:
    (path,) = cache_files(warm)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    damaged = {"emptied": b"", "cut": content[:1000], "a bit": content, "garbage": os.urandom(5000)}[damage]
    path.write_bytes(bytes(damaged))
    assert run(warm) == ("7.5 0", "")
    assert run(warm) == ("7.5 1", "")


def test_the_folder_is_named_after_the_sources_that_were_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source that is edited between its import and the first compilation does not lend its name to old code."""
    from fxloom.kernels import kernel_cache

    monkeypatch.setattr(kernel_cache, "HERE", tmp_path)
    (tmp_path / "sums.py").write_text("before", "utf-8")

    def kernel() -> None:
        """A kernel of module sums."""

    kernel.__module__ = "fxloom.kernels.sums"
    imported = kernel_cache.KernelCache(kernel)
    (tmp_path / "sums.py").write_text("after", "utf-8")
    used = kernel_cache.folder_name("sums")
    kernel_cache.folder_name.cache_clear()
    assert imported.module == "sums"
    assert used != kernel_cache.folder_name("sums")


def test_any_flipped_bit_is_detected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with one flipped bit is never unpickled, and is removed."""
    from fxloom.kernels import kernel_cache
    from fxloom.kernels.moments import rolling_mean

    cache = kernel_cache.KernelCache(rolling_mean)
    path = tmp_path / "kernel"
    monkeypatch.setattr(cache, "_path", lambda *_: path)
    monkeypatch.setattr("pickle.loads", lambda _: pytest.fail("damaged code was loaded"))
    payload, generator = os.urandom(3000), np.random.default_rng(5)
    content = hashlib.sha256(payload).digest() + payload
    for at in generator.integers(0, len(content), FLIPS):
        flipped = bytearray(content)
        flipped[at] ^= 1 << int(generator.integers(8))
        write_private(path, bytes(flipped))
        assert cache.load_overload((), FakeContext()) is None
        assert not path.exists()


class FakeContext:
    """The part of numba's target context that a kernel lookup uses."""

    def refresh(self) -> None: ...

    def codegen(self) -> None: ...


def test_kernels_others_could_have_written_are_not_loaded(warm: Path) -> None:
    (path,) = cache_files(warm)
    path.chmod(0o666)
    environment = os.environ | {"FXLOOM_CACHE": str(warm)}
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, env=environment
    )
    path.chmod(0o600)
    assert ended.returncode != 0
    assert "is writable by another user: remove it" in ended.stderr


def test_a_full_disk_does_not_fail_a_computation(tmp_path: Path) -> None:
    full = (
        "import fxloom.kernels.kernel_cache as cache\n"
        "def write(*_): raise OSError(28, 'No space left on device')\n"
        "cache.write_private = write\n" + PROGRAM
    )
    printed, reported = run(tmp_path / "cache", full)
    assert printed == "7.5 0"
    assert reported.count("No space left on device") == 1


def test_numba_still_has_the_internals_the_cache_uses() -> None:
    """If this fails after an update of numba, ``fxloom.kernels.kernel_cache`` must be adapted."""
    import inspect

    from numba.core import caching, compiler
    from numba.core.dispatcher import Dispatcher

    assert list(inspect.signature(caching.NullCache.load_overload).parameters) == ["self", "sig", "target_context"]
    assert list(inspect.signature(caching.NullCache.save_overload).parameters)[:2] == ["self", "sig"]
    assert "target_context" in inspect.signature(compiler.CompileResult._rebuild).parameters
    source = inspect.getsource(Dispatcher)
    assert "self._cache.load_overload(sig, self.targetctx)" in source
    assert "self._cache.save_overload(sig, cres)" in source
