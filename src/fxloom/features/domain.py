"""The two domains in which dual families are computed, and the warm-ups of their series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WINDOWS = (15, 30, 45, 60, 75)
AGG = 90


@dataclass(frozen=True)
class Domain:
    """A price domain: warm-ups of its series in clock bars, to which declarations add their windows.

    ``x``: the plain series (C or G_15); ``r``: its log changes; ``bars``: its open, high, low, close.
    """

    name: Literal["rate", "bqx"]
    x: int
    r: int
    bars: int

    @property
    def stride(self) -> int:
        """Rows between bars that do not overlap: the bars of bqx are five minutes long."""
        return 5 if self.name == "bqx" else 1

    def series(self, window: int) -> int:
        """Warm-up of ``series(window)`` and ``index(window)``."""
        return window if self.name == "bqx" else 0


RATE = Domain("rate", x=0, r=1, bars=0)
BQX = Domain("bqx", x=15, r=16, bars=19)
BOTH = (RATE, BQX)
