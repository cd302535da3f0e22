"""One decorator for all kernels: strict floating point, one thread, and a disk cache that notices every change.

numba's own cache looks at the file of a kernel only, not at the kernels it calls from other files. Here the cache
folder of a module is named after the text of the module and of every kernel module it imports, so that machine
code is never older than its source.
"""

from __future__ import annotations

import functools
import getpass
import hashlib
import os
import platform
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

os.environ.setdefault("NUMBA_DISABLE_INTEL_SVML", "1")  # its vector code rounds otherwise than its scalar code

import numba
from llvmlite.binding import get_host_cpu_name

from fxloom.system.lock import lock

F = TypeVar("F", bound=Callable[..., Any])
HERE = Path(__file__).parent
SETTINGS: Any = numba.config
_IMPORT = re.compile(r"^\s*(?:from|import)\s+fxloom\.kernels\.(\w+)", re.MULTILINE)


@functools.cache
def cache_root() -> Path:
    """The folder of compiled kernels: $FXLOOM_CACHE, else the user's cache folder, else a temporary one."""
    if named := os.environ.get("FXLOOM_CACHE"):
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", tempfile.gettempdir())
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "fxloom"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.gettempdir()) / f"fxloom-{getpass.getuser()}"
    return folder if os.access(folder, os.W_OK) else Path(tempfile.gettempdir()) / f"fxloom-{getpass.getuser()}"


def _closure(module: str, seen: set[str]) -> set[str]:
    """``module`` and the kernel modules that it imports, directly or through others."""
    if module not in seen:
        seen.add(module)
        for imported in _IMPORT.findall((HERE / f"{module}.py").read_text("utf-8")):
            _closure(imported, seen)
    return seen


@functools.cache
def cache_folder(module: str) -> Path:
    """Where the machine code of kernel module ``module`` (a bare name) belongs in its present state."""
    digest = hashlib.sha256(f"{numba.__version__} {platform.python_version()}".encode())
    for name in sorted(_closure(module, set())):
        digest.update((HERE / f"{name}.py").read_bytes())
    return cache_root() / "kernels" / f"{module}-{digest.hexdigest()[:16]}"


def jit(function: F) -> F:
    """Compile ``function`` at its first call, without fast-math, and keep the machine code on disk."""
    folder = cache_folder(function.__module__.rpartition(".")[2])
    before = SETTINGS.CACHE_DIR
    SETTINGS.CACHE_DIR = str(folder)
    try:
        compiled: Any = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    finally:
        SETTINGS.CACHE_DIR = before
    _save_in_turn(compiled._cache, folder)
    return cast(F, compiled)


def _save_in_turn(cache: Any, folder: Path) -> None:
    """Let one process at a time write to ``folder``: numba reads, extends and rewrites an index without a lock."""
    save = cache.save_overload

    def save_locked(signature: Any, data: Any) -> None:
        with lock(folder / ".lock", "saving a kernel", wait=60.0):
            save(signature, data)

    cache.save_overload = save_locked


def kernels_digest() -> str:
    """A digest of all kernel modules, numba and the processor: what compiled code depends on."""
    digest = hashlib.sha256(f"{numba.__version__} {platform.python_version()} {get_host_cpu_name()}".encode())
    for path in sorted(HERE.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
