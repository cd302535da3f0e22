"""Pieces of windows and how they are joined: what moments of the values present are made of, exact for every row.

A window of W bars at t is put together from shorter pieces: the bits of W, from the highest down, say "double" or
"double and add one bar" (1, 3, 7, 15, 30, 60, 120, 240). Two neighbouring pieces are joined by the formula of Chan,
Golub & LeVeque (1983), which takes differences of means only, so that no digits are lost to the level; a missing value
is a piece that holds nothing. A row costs about log2(W) joins instead of W terms, and its bits depend on the values of
its window alone, because every row joins the same pieces in the same order.

A window needs its newest value, at least a quarter of its bars, and must lie inside the clock.
"""

from __future__ import annotations

import numpy as np

from fxloom.bars.bars import Floats, Ints
from fxloom.kernels.flatness import is_constant
from fxloom.kernels.jit import jit

ROWS = 1024  # rows a block: its pieces stay in cache
# What a piece holds: how many values, their mean, squared deviations and extremes, the sum to be carried into the next
# piece if the series is cumulated (else 0); of its last join the difference of means, the newer part's share and the
# weight; the sum of products with another series; and room for the newer part as the cumulation before it lifts it.
COUNT, MEAN, SSD, HIGH, LOW, TOTAL, STEP, SHARE, WEIGHT, PRODUCT = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
LIFTED_MEAN, LIFTED_HIGH, LIFTED_LOW = 10, 11, 12
KEPT = 13


@jit
def joins_of(window: int) -> Ints:
    """(joins, 2): lengths of the newer and of the older piece of each join that builds ``window``."""
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


@jit
def lay_leaves(y: Floats, cumulated: bool, piece: Floats) -> None:
    """``piece[:, i]``: the piece that holds y[i] alone, or nothing where y[i] is missing."""
    for i in range(len(y)):
        value = y[i]
        here = value == value
        piece[COUNT, i] = 1.0 if here else 0.0
        piece[MEAN, i] = value if here else 0.0
        piece[HIGH, i] = value if here else -np.inf
        piece[LOW, i] = value if here else np.inf
        piece[TOTAL, i] = value if here and cumulated else 0.0
    piece[SSD], piece[PRODUCT] = 0.0, 0.0


# The parts of a join, one result or two at a time and over few arrays: what a compiler can turn into vector code. All
# arrays begin at the first joined row; ``newer`` and ``older`` are the parts of each.


@jit
def weigh(newer: Floats, older: Floats, count: Floats, share: Floats, weight: Floats) -> None:
    """Counts of the joined pieces, the newer part's share in them, and the weight of the squared step."""
    for i in range(len(newer)):
        both = newer[i] + older[i]
        count[i] = both
        share[i] = newer[i] / (both if both > 1.0 else 1.0)
        weight[i] = older[i] * share[i]


@jit
def join_means(newer: Floats, older: Floats, share: Floats, step: Floats, mean: Floats) -> None:
    """Differences of the parts' means, and the joined means."""
    for i in range(len(newer)):
        step[i] = newer[i] - older[i]
        mean[i] = older[i] + step[i] * share[i]


@jit
def join_squares(newer: Floats, older: Floats, step: Floats, weight: Floats, ssd: Floats) -> None:
    """Sums of squared deviations."""
    for i in range(len(newer)):
        ssd[i] = newer[i] + older[i] + step[i] * step[i] * weight[i]


@jit
def join_highs(newer: Floats, older: Floats, out: Floats) -> None:
    """The larger of both."""
    for i in range(len(newer)):
        out[i] = newer[i] if newer[i] > older[i] else older[i]


@jit
def join_lows(newer: Floats, older: Floats, out: Floats) -> None:
    """The smaller of both."""
    for i in range(len(newer)):
        out[i] = newer[i] if newer[i] < older[i] else older[i]


@jit
def lift(newer: Floats, total: Floats, out: Floats) -> None:
    """The newer part's values with what was cumulated before it."""
    for i in range(len(newer)):
        out[i] = newer[i] + total[i]


@jit
def join_values(
    newer: Floats, older: Floats, lag: int, share: Floats, weight: Floats, cumulated: bool, out: Floats
) -> None:
    """All but the counts of the pieces ``out[:, i]``, of ``newer[:, i]`` and ``older[:, i - lag]``."""
    until = out.shape[1] - lag
    base, mean, high, low = newer, MEAN, HIGH, LOW
    if cumulated:
        base, mean, high, low = out, LIFTED_MEAN, LIFTED_HIGH, LIFTED_LOW
        lift(newer[MEAN, lag:], older[TOTAL, :until], out[LIFTED_MEAN, lag:])
        lift(newer[HIGH, lag:], older[TOTAL, :until], out[LIFTED_HIGH, lag:])
        lift(newer[LOW, lag:], older[TOTAL, :until], out[LIFTED_LOW, lag:])
        lift(newer[TOTAL, lag:], older[TOTAL, :until], out[TOTAL, lag:])
    join_means(base[mean, lag:], older[MEAN, :until], share[lag:], out[STEP, lag:], out[MEAN, lag:])
    join_squares(newer[SSD, lag:], older[SSD, :until], out[STEP, lag:], weight[lag:], out[SSD, lag:])
    join_highs(base[high, lag:], older[HIGH, :until], out[HIGH, lag:])
    join_lows(base[low, lag:], older[LOW, :until], out[LOW, lag:])


@jit
def join_pieces(newer: Floats, older: Floats, lag: int, cumulated: bool, out: Floats) -> None:
    """``out[:, i]`` from ``newer[:, i]`` and ``older[:, i - lag]``; rows without an older part hold nothing of use."""
    weigh(newer[COUNT, lag:], older[COUNT, : out.shape[1] - lag], out[COUNT, lag:], out[SHARE, lag:], out[WEIGHT, lag:])
    join_values(newer, older, lag, out[SHARE], out[WEIGHT], cumulated, out)


@jit
def join_products(
    newer: Floats, older: Floats, single: bool, step_x: Floats, step_y: Floats, weight: Floats, out: Floats
) -> None:
    """Sums of dx dy, of joined rows alone; a single older bar has none of its own."""
    if single:
        for i in range(len(out)):
            out[i] = newer[i] + step_x[i] * step_y[i] * weight[i]
    else:
        for i in range(len(out)):
            out[i] = newer[i] + older[i] + step_x[i] * step_y[i] * weight[i]


@jit
def join_two(
    px: Floats, older_x: Floats, py: Floats, older_y: Floats, join: Ints, cumulated: bool, qx: Floats, qy: Floats
) -> None:
    """The next pieces of two series over the same bars, with their products; counts and products stand in ``qx``."""
    lag, single = join[0], join[1] == 1
    until = qx.shape[1] - lag
    join_pieces(px, older_x, lag, cumulated, qx)
    join_values(py, older_y, lag, qx[SHARE], qx[WEIGHT], cumulated, qy)
    steps_x, steps_y, weights = qx[STEP, lag:], qy[STEP, lag:], qx[WEIGHT, lag:]
    join_products(px[PRODUCT, lag:], px[PRODUCT, :until], single, steps_x, steps_y, weights, qx[PRODUCT, lag:])


@jit
def holds_enough(count: float, newest: float, at: int, window: int) -> bool:
    """Whether the window that ends at clock position ``at`` has its newest value, a quarter of its bars, and room."""
    return at >= window - 1 and newest == newest and 4.0 * count >= window


@jit
def settle(piece: Floats, y: Floats, begin: int, window: int) -> None:
    """Empty the windows that hold too little (count 0, sums NaN); a constant's squared deviations are exactly 0.

    ``y`` and ``piece`` begin at clock position ``begin``.
    """
    for i in range(len(y)):
        if not holds_enough(piece[COUNT, i], y[i], begin + i, window):
            piece[COUNT, i], piece[MEAN, i], piece[SSD, i] = 0.0, np.nan, np.nan
        elif is_constant(piece[HIGH, i], piece[LOW, i]):
            piece[SSD, i] = 0.0


@jit
def room_for(window: int) -> Floats:
    """(3, KEPT, rows): leaves and two generations of pieces, for a block and the window before it."""
    return np.zeros((3, KEPT, ROWS + window - 1))


@jit
def load(y: Floats, other: Floats, begin: int, out: Floats) -> None:
    """``y`` from clock position ``begin`` on where ``other`` is there too; what lies outside the clock is missing."""
    for i in range(len(out)):
        t = begin + i
        out[i] = y[t] if 0 <= t < len(y) and other[t] == other[t] else np.nan
