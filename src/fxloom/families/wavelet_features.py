"""The last 64 minutes on four scales: how their energy is distributed, and how similar the two domains are.

A level whose coefficients are all below the rounding of the window (1e-13 of its largest value) has no energy.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.features.domain import BOTH, BQX, RATE, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.missing import STRAIGHT_WINDOW
from fxloom.features.pair_view import View
from fxloom.kernels.wavelets import BACK, COARSE, WINDOW, coefficient_correlation, sliding_shares, sliding_wavelets
from fxloom.series.pair import rounding

NAMES = (
    "wav_d1_share", "wav_d2_share", "wav_d3_share", "wav_a3_share", "wav_d1_d3_ratio",
    "wav_trend", "wav_entropy", "wav_singularity", "wav_dominant_scale",
)  # fmt: skip
STEEPEST = 2.0 * (WINDOW - 1.0) ** 0.5  # a projection changes by at most 2 |window|
SOURCE = "Daubechies db4, PyWavelets wavedec(mode='periodization', level=3)"
EMPTY_LEVEL = f"{STRAIGHT_WINDOW}, or a level of it is 0"


def columns(domain: Domain) -> Iterable[Column]:
    warmup = domain.series(15) + WINDOW - 1
    series = "C" if domain is RATE else "m_15"
    part = f"db4 periodised, 3 levels, of the detrended last {WINDOW} of {series}"

    def column(name: str, unit: str, formula: str, low: float, high: float, undefined: str = STRAIGHT_WINDOW) -> Column:
        return Column(
            f"wav_{name}", unit, f"{formula}; {part}", warmup, low=low, high=high, source=SOURCE, undefined=undefined
        )

    for j in (1, 2, 3):
        yield column(f"d{j}_share", "share", f"E_{j} / (E_1 + E_2 + E_3 + E_a), E_{j} = sum d_{j}^2", 0.0, 1.0)
    yield column("a3_share", "share", "E_a / (E_1 + E_2 + E_3 + E_a), E_a = sum a_3^2", 0.0, 1.0)
    yield column("d1_d3_ratio", "log ratio", "ln(E_1 / E_3)", -np.inf, np.inf, EMPTY_LEVEL)
    yield column(
        "trend", "standard deviations", f"(a_3 rebuilt at t - at t-{BACK}) / std of the detrended window",
        -STEEPEST, STEEPEST,
    )  # fmt: skip
    yield column("entropy", "share", "-sum(p ln p) / ln 3, p = E_j / (E_1 + E_2 + E_3)", 0.0, 1.0, EMPTY_LEVEL)
    yield column(
        "singularity", "log2 per level", "slope of log2(max |d_j|) on j = 1, 2, 3", -np.inf, np.inf, EMPTY_LEVEL
    )
    yield column("dominant_scale", "level", "j of the largest E_j, within 1e-9 the smaller", 1.0, 3.0, EMPTY_LEVEL)
    rebuilt = "a_3" if domain is RATE else "d_3"
    yield Column(
        "wav_coherence", "correlation", f"corr over {WINDOW} bars of {rebuilt} rebuilt from C and from m_15",
        BQX.series(15) + WINDOW - 1, low=-1.0, high=1.0, source=SOURCE, undefined=EMPTY_LEVEL,
    )  # fmt: skip


def compute(view: View) -> Columns:
    own = levels(view)
    other = levels(view.in_domain(BQX if view.domain is RATE else RATE))
    smooth = view.domain is RATE
    rows = slice(0, COARSE) if smooth else slice(COARSE, 2 * COARSE)
    out: Columns = dict(zip(NAMES, sliding_shares(own), strict=True))
    out["wav_coherence"] = coefficient_correlation(
        np.ascontiguousarray(own[rows]), np.ascontiguousarray(other[rows]), smooth
    )
    return out


def levels(view: View) -> Floats:
    """The coefficients of ``view``'s windows, shared by the tables of both domains."""
    return np.ascontiguousarray(view.shared(coefficients, view.start + view.first))


def coefficients(view: View, first: int) -> Floats:
    """Coefficients and energies of ``series(15)``, for rows from clock position ``first`` on."""
    return sliding_wavelets(view.series(15), view.shared(rounding, WINDOW), first - view.start)


FAMILY = Family("wavelet_features", columns, compute, domains=BOTH)
