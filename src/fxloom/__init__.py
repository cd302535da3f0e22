"""fxloom: 1,060 features of the 28 major currency pairs from one-minute bars.

A store of bars and features, or features of bars in memory::

    store = fxloom.open_store("lake")
    store.read(["reg_rate", "tech_rsi_14_rate"], pairs=["eurusd"])
    fxloom.compute(bars, pair="eurusd", tables=["bollinger"])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fxloom.system.version import VERSION

if TYPE_CHECKING:
    from fxloom.api import IngestOptions as IngestOptions
    from fxloom.api import OpenStore as OpenStore
    from fxloom.api import ReadOptions as ReadOptions
    from fxloom.api import compute as compute
    from fxloom.api import open_store as open_store
    from fxloom.api import search as search

__version__ = VERSION
__all__ = ["IngestOptions", "OpenStore", "ReadOptions", "compute", "open_store", "search"]


def __getattr__(name: str) -> Any:
    """Import the heavy libraries (numba, polars, pyarrow) only when they are first needed."""
    if name in __all__:
        from fxloom import api

        return getattr(api, name)
    raise AttributeError(f"module 'fxloom' has no attribute {name!r}")
