"""The spectrum of the last 128 minutes: which cycles the series contains, and how much of it they explain.

Powers within 1e-9 of one another are equal, so that the last bit does not choose a frequency.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fxloom.features.domain import BOTH, RATE, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.missing import STRAIGHT_WINDOW
from fxloom.features.pair_view import View
from fxloom.kernels.moments import rolling_std
from fxloom.kernels.spectra import BINS, LAG, WINDOW, sliding_spectra
from fxloom.kernels.states import shift
from fxloom.series.pair import rounding

STABILITY = 60  # bars over which the dominant frequency is compared
LOWEST, HIGHEST = 1.0 / WINDOW, 0.5
NAMES = (
    "fft_dominant_freq", "fft_dominant_power", "fft_secondary_freq", "fft_harmonic_ratio", "fft_low_power",
    "fft_high_power", "fft_entropy", "fft_edge_freq", "fft_flatness", "fft_cyclic_strength",
)  # fmt: skip
SOURCE = "periodogram with periodic Hann window; sliding transform of Farhang-Boroujeny & Gazor (1994)"
EITHER = f"{STRAIGHT_WINDOW}, or that of {LAG} bars before is"
ANY_OF_THEM = f"one of the {STABILITY} windows is constant or a straight line"
TIES = "powers within 1e-9 are equal and the smaller k wins"


def columns(domain: Domain) -> Iterable[Column]:
    warmup = domain.series(15) + WINDOW - 1
    series = "C" if domain is RATE else "m_15"
    power = f"P_k = |rfft(Hann x detrended last {WINDOW} of {series})|^2, k = 1..{BINS}"
    freq = "cycles per minute"

    def column(
        name: str, unit: str, formula: str, low: float, high: float, extra: int = 0, undefined: str = STRAIGHT_WINDOW
    ) -> Column:
        return Column(
            f"fft_{name}",
            unit,
            f"{formula}; {power}",
            warmup + extra,
            low=low,
            high=high,
            source=SOURCE,
            undefined=undefined,
        )

    yield column("dominant_freq", freq, f"argmax P_k / {WINDOW}, {TIES}", LOWEST, HIGHEST)
    yield column("dominant_power", "share", "P at the dominant k / sum P", 0.0, 1.0)
    yield column("secondary_freq", freq, f"argmax of P_k at least 3 from the dominant k / {WINDOW}", LOWEST, HIGHEST)
    yield column(
        "harmonic_ratio", "ratio", "max of P_2k-1, P_2k, P_2k+1 at least 2 from the dominant k / P_k, or 0", 0.0, 1.0
    )
    yield column("low_power", "share", "sum of P at f < 1/30 / sum P", 0.0, 1.0)
    yield column("high_power", "share", "sum of P at f > 1/5 / sum P", 0.0, 1.0)
    yield column("entropy", "share", f"-sum(p ln p) / ln {BINS}, p = P / sum P", 0.0, 1.0)
    yield column("edge_freq", freq, "smallest f up to which 95 % of sum P lies", LOWEST, HIGHEST)
    yield column("power_trend", "log ratio", f"ln(sum P[t] / sum P[t-{LAG}])", -np.inf, np.inf, LAG, EITHER)
    yield column(
        "freq_stability",
        freq,
        f"std_{STABILITY} of the dominant frequency",
        0.0,
        HIGHEST / 2,
        STABILITY - 1,
        ANY_OF_THEM,
    )
    yield column("flatness", "ratio", "geometric / arithmetic mean of P", 0.0, 1.0)
    yield column("cyclic_strength", "log ratio", "ln(max P / median P)", 0.0, np.inf)


def compute(view: View) -> Columns:
    features, total = sliding_spectra(view.series(15), view.shared(rounding, WINDOW), max(view.first - LAG, 0))
    out: Columns = dict(zip(NAMES, features, strict=True))
    out["fft_power_trend"] = np.log(total / shift(total, LAG))
    out["fft_freq_stability"] = rolling_std(np.ascontiguousarray(features[0]), STABILITY)
    return out


FAMILY = Family("spectral_features", columns, compute, domains=BOTH)
