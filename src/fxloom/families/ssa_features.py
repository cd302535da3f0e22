"""Singular spectrum analysis of the last hour: trend, oscillation and noise at the current bar, and what comes next.

``ssa_pairing`` is missing where lambda_2 itself is below 1e-9 lambda_1, and the forecast where the three vectors span
the last axis of the embedding, since there is no recurrence then.
"""

from __future__ import annotations

from collections.abc import Iterable

from fxloom.features.domain import BOTH, RATE, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.missing import CONSTANT_WINDOW
from fxloom.features.pair_view import View
from fxloom.kernels.singular import COLUMNS, FORECAST_LIMIT, LENGTH, WINDOW, singular_spectra
from fxloom.series.pair import rounding

NAMES = (
    "ssa_trend", "ssa_osc", "ssa_noise", "ssa_trend_share", "ssa_osc_share", "ssa_effective_rank", "ssa_pairing",
    "ssa_forecast",
)  # fmt: skip
LONGEST = (WINDOW - 1.0) ** 0.5  # the length of a standardised window bounds each of its parts
SOURCE = "Golyandina, Nekrutkin & Zhigljavsky, Analysis of Time Series Structure (2001)"


def columns(domain: Domain) -> Iterable[Column]:
    warmup = domain.series(15) + WINDOW - 1
    series = "C" if domain is RATE else "m_15"
    pairs = (
        f"eigenpairs of S = XX'/{COLUMNS}, X = the last {WINDOW} of {series} standardised, embedded with L = {LENGTH}"
    )
    first, third = "lambda_1 - lambda_2 < 1e-9 lambda_1", "lambda_3 - lambda_4 < 1e-9 lambda_1"

    def column(name: str, unit: str, formula: str, low: float, high: float, undefined: str = "") -> Column:
        reason = f"{CONSTANT_WINDOW}, or {undefined}" if undefined else CONSTANT_WINDOW
        return Column(
            f"ssa_{name}", unit, f"{formula}; {pairs}", warmup, low=low, high=high, source=SOURCE, undefined=reason
        )

    deviations = "standard deviations"
    yield column("trend", deviations, "part of eigenpair 1 at t, by diagonal averaging", -LONGEST, LONGEST, first)
    yield column(
        "osc", deviations, "part of eigenpairs 2 and 3 at t, by diagonal averaging", -LONGEST, LONGEST,
        f"{first}, or {third}",
    )  # fmt: skip
    yield column("noise", deviations, "z[t] - trend - osc", -LONGEST, LONGEST, third)
    yield column("trend_share", "share", "lambda_1 / sum lambda", 0.0, 1.0)
    yield column("osc_share", "share", "(lambda_2 + lambda_3) / sum lambda", 0.0, 1.0)
    yield column("effective_rank", "components", "(sum lambda)^2 / sum lambda^2", 1.0, LENGTH)
    yield column("pairing", "ratio", "lambda_3 / lambda_2", 0.0, 1.0, "lambda_2 < 1e-9 lambda_1")
    yield column(
        "forecast", deviations, "recurrent one-step forecast of trend + osc, minus z[t], clipped to [-10, 10]",
        -FORECAST_LIMIT, FORECAST_LIMIT, f"{third}, or the three vectors span the last axis",
    )  # fmt: skip


def compute(view: View) -> Columns:
    features = singular_spectra(view.series(15), view.shared(rounding, WINDOW), view.first)
    return dict(zip(NAMES, features, strict=True))


FAMILY = Family("ssa_features", columns, compute, domains=BOTH)
