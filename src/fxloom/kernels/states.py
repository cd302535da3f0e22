"""States and their changes: flags, signs, categories held as floats, NaN where unknown."""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.kernels.jit import jit


@jit
def shift(y: Floats, k: int) -> Floats:
    """y[t-k] (n), NaN in the first k rows."""
    out = np.full(len(y), np.nan)
    for t in range(k, len(y)):
        out[t] = y[t - k]
    return out


@jit
def bars_since_change(state: Floats, cap: int) -> Floats:
    """Bars since the state changed (n): 0 at the bar that changed, at most ``cap``.

    NaN until cap + 1 consecutive states are known; a missing state starts that count over.

    >>> bars_since_change(np.array([0.0, 0.0, 1.0, 1.0, 1.0, 1.0]), 2)
    array([nan, nan,  0.,  1.,  2.,  2.])
    """
    out = np.full(len(state), np.nan)
    known, since = 0, 0
    for t in range(len(state)):
        if np.isnan(state[t]):
            known = 0
            continue
        changed = known > 0 and state[t] != state[t - 1]
        since = 0 if changed or known == 0 else since + 1
        known += 1
        if known > cap:
            out[t] = min(since, cap)
    return out


@jit
def change_share(state: Floats, window: int) -> Floats:
    """The share of the last ``window`` bars at which the state changed (n); NaN unless all window + 1 are known."""
    out = np.full(len(state), np.nan)
    known, changes = 0, 0
    for t in range(len(state)):
        if np.isnan(state[t]):
            known, changes = 0, 0
            continue
        changes += 1 if known > 0 and state[t] != state[t - 1] else 0
        known += 1
        if known > window + 1:
            changes -= 1 if state[t - window] != state[t - window - 1] else 0
        if known > window:
            out[t] = changes / window
    return out
