"""Checks whether a pair's prices agree with those of two others that share its currencies.

ln(X/Y) - ln(X/Z) + ln(Y/Z) is 0 up to spreads and the age of quotes, a few basis points. A file in the wrong unit, of
another instrument or with a price that is a fifth too high is off by hundreds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from fxloom.bars.bars import Bars, Floats
from fxloom.series.siblings import triangles_of

TOLERANCE = 0.02  # of the price: 200 bp; market28's widest residual in six weeks of minutes is 32 bp
SAMPLES = 500  # minutes compared, spread evenly
MIN_COMMON = 20  # with fewer common minutes, nothing is concluded


@dataclass(frozen=True)
class Triangle:
    """A comparison of a pair with two others.

    ``compared``: how many minutes; ``off``: the share of them (0 to 1) that differ by more than ``TOLERANCE``;
    ``factor``: the median ratio of the pair's price to the one that the others imply.
    """

    others: tuple[str, str]
    compared: int
    off: float
    factor: float


def triangles(pair: str, bars: Bars, read: Callable[[str], Bars]) -> Iterator[Triangle]:
    """Compare closes of ``pair`` with the price implied by two others, for each third currency that allows it.

    ``read`` gives the stored bars of another pair over the same span, empty if it has none.
    """
    known: dict[str, Bars] = {}
    for one, sign, other, sign_of_other in triangles_of(pair):
        legs = [known.setdefault(leg, read(leg)) if leg not in known else known[leg] for leg in (one, other)]
        if all(len(leg) for leg in legs) and (found := _compared(bars, legs, sign, sign_of_other)) is not None:
            off = float(np.mean(np.abs(found) > TOLERANCE))
            yield Triangle((one, other), len(found), off, float(np.exp(np.median(found))))


def _compared(bars: Bars, legs: list[Bars], sign: float, sign_of_other: float) -> Floats | None:
    """The log residuals at a sample of the minutes that all three have; None if there are too few."""
    common = bars.ts
    for leg in legs:
        common = np.intersect1d(common, leg.ts, assume_unique=True)
    if len(common) < MIN_COMMON:
        return None
    chosen = common[np.unique(np.linspace(0, len(common) - 1, SAMPLES).astype(np.int64))]
    logs = [np.log(b.close[np.searchsorted(b.ts, chosen)]) for b in (bars, *legs)]
    residual: Floats = logs[0] + sign * logs[1] + sign_of_other * logs[2]
    return residual
