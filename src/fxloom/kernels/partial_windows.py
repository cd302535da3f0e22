"""Parts of windows of which some values are missing, and how they are joined: see ``window_parts`` for the method.

A missing value is a part that holds nothing. A window needs its newest value, at least a quarter of its bars, and must
lie inside the clock.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fxloom.bars.bars import Floats, Ints
from fxloom.kernels.flatness import is_constant
from fxloom.kernels.jit import jit


class PartRows(NamedTuple):
    """The rows of a table of parts (13, n): column i is the part that ends at bar i.

    One table and not a named tuple of arrays: numba passes those one by one, and a window took 1.5 times as long.
    """

    number: int = 0  # of values present
    mean: int = 1
    ssd: int = 2  # squared deviations from the mean
    high: int = 3  # -inf if empty
    low: int = 4  # inf if empty
    total: int = 5  # carried into the next part if the series is cumulated, else 0
    product: int = 6  # sum of products of deviations with another series
    step: int = 7  # difference of the joined means, newer - older
    share: int = 8  # of the newer part in the count
    weight: int = 9  # of the squared step
    lifted_mean: int = 10  # of the newer part, on top of what was cumulated before it; high and low alike
    lifted_high: int = 11
    lifted_low: int = 12


ROW = PartRows()


@jit
def new_room(bars: int) -> Floats:
    """Room for the parts of ``bars`` bars (3, 13, bars): single bars, and two generations of parts."""
    return np.zeros((3, len(ROW), bars))


@jit
def fill_single(y: Floats, cumulated: bool, out: Floats) -> None:
    """The part of each row that holds y[i] alone, or nothing where y[i] is missing."""
    for i in range(len(y)):
        value = y[i]
        here = value == value
        out[ROW.number, i] = 1.0 if here else 0.0
        out[ROW.mean, i] = value if here else 0.0
        out[ROW.high, i] = value if here else -np.inf
        out[ROW.low, i] = value if here else np.inf
        out[ROW.total, i] = value if here and cumulated else 0.0
    out[ROW.ssd], out[ROW.product] = 0.0, 0.0


# The steps of a join. All arrays begin at the first joined row; ``newer`` and ``older`` are the parts that are joined.


@jit
def join_counts(newer: Floats, older: Floats, count: Floats, share: Floats, weight: Floats) -> None:
    """Counts of the joined parts, the newer part's share in them, and the weight of the squared step."""
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
def join_products(
    newer: Floats, older: Floats, single: bool, step_x: Floats, step_y: Floats, weight: Floats, out: Floats
) -> None:
    """Sums of products of deviations; a ``single`` older bar has none of its own."""
    if single:
        for i in range(len(out)):
            out[i] = newer[i] + step_x[i] * step_y[i] * weight[i]
    else:
        for i in range(len(out)):
            out[i] = newer[i] + older[i] + step_x[i] * step_y[i] * weight[i]


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
    """The newer part's values on top of what was cumulated before it."""
    for i in range(len(newer)):
        out[i] = newer[i] + total[i]


@jit
def join_values(
    newer: Floats, older: Floats, lag: int, share: Floats, weight: Floats, cumulated: bool, out: Floats
) -> None:
    """All but the counts of the parts ``out[:, i]``, of ``newer[:, i]`` and ``older[:, i - lag]``."""
    until = out.shape[1] - lag
    base, mean, high, low = newer, ROW.mean, ROW.high, ROW.low
    if cumulated:
        base, mean, high, low = out, ROW.lifted_mean, ROW.lifted_high, ROW.lifted_low
        lift(newer[ROW.mean, lag:], older[ROW.total, :until], out[mean, lag:])
        lift(newer[ROW.high, lag:], older[ROW.total, :until], out[high, lag:])
        lift(newer[ROW.low, lag:], older[ROW.total, :until], out[low, lag:])
        lift(newer[ROW.total, lag:], older[ROW.total, :until], out[ROW.total, lag:])
    join_means(base[mean, lag:], older[ROW.mean, :until], share[lag:], out[ROW.step, lag:], out[ROW.mean, lag:])
    join_squares(newer[ROW.ssd, lag:], older[ROW.ssd, :until], out[ROW.step, lag:], weight[lag:], out[ROW.ssd, lag:])
    join_highs(base[high, lag:], older[ROW.high, :until], out[ROW.high, lag:])
    join_lows(base[low, lag:], older[ROW.low, :until], out[ROW.low, lag:])


@jit
def join_parts(newer: Floats, older: Floats, lag: int, cumulated: bool, out: Floats) -> None:
    """Parts ``out[:, i]``, of ``newer[:, i]`` and ``older[:, i - lag]``; columns before ``lag`` are undefined."""
    counts, older_counts = newer[ROW.number, lag:], older[ROW.number, : out.shape[1] - lag]
    join_counts(counts, older_counts, out[ROW.number, lag:], out[ROW.share, lag:], out[ROW.weight, lag:])
    join_values(newer, older, lag, out[ROW.share], out[ROW.weight], cumulated, out)


@jit
def join_two(
    x: Floats, older_x: Floats, y: Floats, older_y: Floats, join: Ints, cumulated: bool, out_x: Floats, out_y: Floats
) -> None:
    """Join the parts of two series over the same bars; counts and sums of products are in ``out_x``."""
    lag, single = join[0], join[0] > join[1]
    until = out_x.shape[1] - lag
    join_parts(x, older_x, lag, cumulated, out_x)
    join_values(y, older_y, lag, out_x[ROW.share], out_x[ROW.weight], cumulated, out_y)
    steps_x, steps_y, weights = out_x[ROW.step, lag:], out_y[ROW.step, lag:], out_x[ROW.weight, lag:]
    newer, older = x[ROW.product, lag:], x[ROW.product, :until]
    join_products(newer, older, single, steps_x, steps_y, weights, out_x[ROW.product, lag:])


@jit
def holds_enough(count: float, newest: float, at: int, window: int) -> bool:
    """Whether the window that ends at clock position ``at`` has its newest value, a quarter of its bars, and room."""
    return at >= window - 1 and newest == newest and 4.0 * count >= window


@jit
def settle(parts: Floats, y: Floats, begin: int, window: int) -> None:
    """Empty the windows that hold too little (count 0, sums NaN); a constant's squared deviations are exactly 0.

    ``y`` and ``parts`` begin at clock position ``begin``.
    """
    for i in range(len(y)):
        if not holds_enough(parts[ROW.number, i], y[i], begin + i, window):
            parts[ROW.number, i], parts[ROW.mean, i], parts[ROW.ssd, i] = 0.0, np.nan, np.nan
        elif is_constant(parts[ROW.high, i], parts[ROW.low, i]):
            parts[ROW.ssd, i] = 0.0


@jit
def load(y: Floats, other: Floats, begin: int, out: Floats) -> None:
    """``y`` from clock position ``begin`` on where ``other`` is present too; outside the clock all is missing."""
    for i in range(len(out)):
        t = begin + i
        out[i] = y[t] if 0 <= t < len(y) and other[t] == other[t] else np.nan
