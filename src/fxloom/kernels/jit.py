"""One decorator for all kernels: strict floating point, one thread, and machine code kept on disk."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

os.environ.setdefault("NUMBA_DISABLE_INTEL_SVML", "1")  # its vector code rounds differently from its scalar code

import numba
from llvmlite.binding import get_host_cpu_name

from fxloom.kernels.kernel_cache import KernelCache

F = TypeVar("F", bound=Callable[..., Any])
HERE = Path(__file__).parent


def jit(function: F) -> F:
    """Compile ``function`` at its first call, without fast-math, and keep the machine code on disk."""
    compiled: Any = numba.njit(nogil=True, error_model="numpy")(function)
    compiled._cache = KernelCache(function)
    return cast(F, compiled)


def kernels_digest() -> str:
    """A digest of all kernel modules, numba and the processor: what compiled code depends on."""
    digest = hashlib.sha256(f"{numba.__version__} {platform.python_version()} {get_host_cpu_name()}".encode())
    for path in sorted(HERE.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
