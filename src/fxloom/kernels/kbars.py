"""Bars of K wall-clock minutes, and the last of them that each clock bar may see."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats, Ints
from fxloom.kernels.jit import jit


@jit
def kbars(ts: Ints, x: Floats, minutes: int) -> tuple[Floats, Floats, Floats, Ints]:
    """High, low and last of ``x`` in each UTC-aligned bin of K minutes (bars), and the bar that each row sees (n).

    ``ts`` (n) are minutes since 1970. A bin exists if one value of ``x`` (n) lies in it; missing values are ignored.
    A row sees the latest bar whose last wall-clock minute is at or before the row's; -1 if there is none. A bar is
    never seen before its bin is over.
    """
    n, count, current = len(ts), 0, np.int64(-1)
    high, low, last, seen = np.empty(n), np.empty(n), np.empty(n), np.empty(n, np.int64)
    for t in range(n):
        if x[t] == x[t]:
            if ts[t] // minutes != current:
                current, count = ts[t] // minutes, count + 1
                high[count - 1] = low[count - 1] = x[t]
            high[count - 1], low[count - 1] = max(high[count - 1], x[t]), min(low[count - 1], x[t])
            last[count - 1] = x[t]
        over = (current + 1) * minutes - 1 <= ts[t]
        seen[t] = count - 1 if over or count == 0 else count - 2
    return high[:count].copy(), low[:count].copy(), last[:count].copy(), seen


@jit
def spread(values: Floats, seen: Ints) -> Floats:
    """values[seen[t]] for every row (n); NaN where a row sees no bar yet."""
    out = np.full(len(seen), np.nan)
    for t in range(len(seen)):
        if seen[t] >= 0:
            out[t] = values[seen[t]]
    return out
