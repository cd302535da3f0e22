"""What else can change the last bits of a number: the processor and the libraries."""

from __future__ import annotations

import functools
import hashlib
import platform
import sys

import numba
import numpy as np
from llvmlite.binding import get_host_cpu_name


@functools.cache
def environment() -> str:
    """A digest of processor, system, Python, NumPy and numba; it does not identify the machine."""
    parts = (
        platform.machine(), get_host_cpu_name(), sys.platform, platform.python_version(), np.__version__,
        numba.__version__,
    )  # fmt: skip
    return hashlib.blake2b(" ".join(parts).encode(), digest_size=6).hexdigest()
