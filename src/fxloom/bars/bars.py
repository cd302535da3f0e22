"""Observed one-minute bars of one pair."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Bars:
    """Observed bars of one pair, strictly increasing in time, at most one row per minute.

    ``ts`` is the open time in whole minutes since 1970-01-01 UTC (int64); prices are float64 > 0;
    ``volume`` (ticks or traded units per minute) and ``spread`` (ask - bid at the close, price units)
    are None if the source has none; single values may be NaN.
    """

    ts: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats | None = None
    spread: Floats | None = None

    def __len__(self) -> int:
        return len(self.ts)

    def take(self, rows: Any) -> Bars:
        """The bars at ``rows`` (a slice, a mask or positions)."""

        def taken(column: Any) -> Any:
            return None if column is None else column[rows]

        return Bars(*(taken(getattr(self, f.name)) for f in fields(self)))

    def between(self, start: int, end: int) -> Bars:
        """The bars with ``start <= ts < end`` (minutes since 1970)."""
        low, high = np.searchsorted(self.ts, [start, end])
        return self.take(slice(low, high))
