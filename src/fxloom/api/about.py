"""The environment, for bug reports."""

from __future__ import annotations

import platform

from fxloom.system.cache import UnsafeCacheError, cache_root
from fxloom.system.version import versions


def about() -> dict[str, str]:
    """Versions of fxloom, Python and its libraries, the platform, and where compiled kernels are kept, by name."""
    try:
        folder = cache_root()
    except UnsafeCacheError as error:
        kept = f"refused: {error}"
    else:
        kept = "in memory only" if folder is None else str(folder)
    return versions() | {"platform": platform.platform(), "compiled kernels": kept}
