"""How a window of W bars is put together from shorter parts, in log2(W) steps per row.

The binary digits of W, from the highest down, say "double" or "double and add one bar" (60: 1, 3, 7, 15, 30, 60). Two
neighbouring parts are joined by the formula of Chan, Golub & LeVeque (1983), which takes differences of means only, so
that no digits are lost to the level of the series. Every row joins the same parts in the same order, so that its bits
depend on the values of its window alone: this is not a running sum. One pass over the window per row would take ten
times as long at W = 240.

``complete_windows`` joins parts without missing values, ``partial_windows`` parts of which some hold less than others.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Ints
from fxloom.kernels.jit import jit

BLOCK = 1024  # bars per block: its parts stay in the second-level cache


@jit
def joins_of(window: int) -> Ints:
    """Lengths of the newer and of the older part of each join that builds ``window``: (joins, 2).

    >>> joins_of(7).tolist()
    [[1, 1], [2, 1], [3, 3], [6, 1]]
    """
    bits = 0
    while (window >> bits) > 1:
        bits += 1
    out = np.empty((2 * bits, 2), np.int64)
    k, length = 0, 1
    for b in range(bits - 1, -1, -1):
        out[k, 0], out[k, 1] = length, length
        k, length = k + 1, 2 * length
        if (window >> b) & 1:
            out[k, 0], out[k, 1] = length, 1
            k, length = k + 1, length + 1
    return out[:k].copy()
