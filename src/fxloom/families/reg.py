"""Quadratic regressions of the domain's series on time: curvature, slope, level, residuals and a forecast.

u is in clock minutes, 0 at the current bar. Where the window is flat or the fit exact, ratios to its residuals have no
value.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.features.domain import AGG, BOTH, RATE, WINDOWS, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.missing import CONSTANT_WINDOW
from fxloom.features.pair_view import View
from fxloom.kernels.regression import vertices
from fxloom.kernels.states import shift
from fxloom.kernels.student import student_quantile
from fxloom.series.pair import least_curvature, parabola

WIDTHS = {f"w{w}": w for w in WINDOWS} | {"agg": AGG}
METRICS = (
    "a2", "a1", "b", "r2", "rmse", "resid", "resid_z", "resid_autocorr", "pred", "pred_lower", "pred_upper",
    "vertex_x", "vertex_y", "a2_tstat", "forecast_error",
)  # fmt: skip
CONFIDENCE = 0.95  # of the prediction interval
SOURCE = "ordinary least squares; statsmodels OLS.get_prediction"
EXACT_FIT = f"{CONSTANT_WINDOW} or the fit exact"


def columns(domain: Domain) -> Iterable[Column]:
    for key, w in WIDTHS.items():
        for metric in METRICS:
            yield column(domain, metric, key, w)


def column(domain: Domain, metric: str, key: str, w: int) -> Column:
    """The declaration of one metric of one window."""
    y = "C" if domain is RATE else f"m_{w}"
    unit, formula, low, high, undefined = meaning(domain, metric, y, w)
    fit = f"{formula}; least squares {y} = b + a1 u + a2 u^2 over u = -{w - 1}..0"
    warmup = domain.series(w) + w - (0 if metric == "forecast_error" else 1)
    name = f"reg_{metric}_{key}"
    return Column(name, unit, fit, warmup, low=low, high=high, source=SOURCE, undefined=undefined)


def meaning(domain: Domain, metric: str, y: str, w: int) -> tuple[str, str, float, float, str | None]:
    """Unit, formula, range and the reason for a missing value of one metric."""
    level = "index points" if domain is RATE else "sum of relative changes"
    reach = (w - 3) ** 0.5 * (1.0 - leverage(w, 0)) ** 0.5  # a residual's share of SSE is at most 1 - leverage
    straight = f"abs(a2) {w}^2 < {least_curvature(domain):g}"
    free = (-np.inf, np.inf, None)
    interval = f"the fit at u = 1 %s t_0.975({w - 3}) rmse sqrt(1 + leverage), minus {y}[t]"
    return {
        "a2": (f"{level} per bar^2", "a2", *free),
        "a1": (f"{level} per bar", "a1", *free),
        "b": (level, "b", *free),
        "r2": ("ratio", "1 - SSE / SST", 0.0, 1.0, CONSTANT_WINDOW),
        "rmse": (level, f"sqrt(SSE / {w - 3})", 0.0, np.inf, None),
        "resid": (level, f"{y}[t] - b", *free),
        "resid_z": ("ratio", f"({y}[t] - b) / rmse", -reach, reach, EXACT_FIT),
        "resid_autocorr": ("ratio", "sum e[i] e[i-1] / sum e[i]^2 of the residuals e", -1.0, 1.0, EXACT_FIT),
        "pred": (level, f"the fit at u = 1, minus {y}[t]", *free),
        "pred_lower": (level, interval % "-", *free),
        "pred_upper": (level, interval % "+", *free),
        "vertex_x": ("minutes", f"-a1 / (2 a2) clipped to +-{2 * w}", -2.0 * w, 2.0 * w, straight),
        "vertex_y": (level, f"the fit at vertex_x, minus {y}[t]", -np.inf, np.inf, straight),
        "a2_tstat": ("ratio", "a2 over its standard error, clipped to +-100", -100.0, 100.0, EXACT_FIT),
        "forecast_error": (level, f"{y}[t] minus the fit of one bar earlier at its u = 1", *free),
    }[metric]


def leverage(w: int, u: int) -> float:
    """The leverage x' (X'X)^-1 x at ``u`` of the design 1, u, u^2 over -(w-1)..0, from its orthogonal polynomials."""
    v, spread = u + (w - 1) / 2, (w * w - 1) / 12
    linear = w * spread
    quadratic = linear * (w * w - 4) / 15
    return 1 / w + v * v / linear + (v * v - spread) ** 2 / quadratic


def compute(view: View) -> Columns:
    least = least_curvature(view.domain)
    return {f"reg_{m}_{key}": values for key, w in WIDTHS.items() for m, values in metrics(view, w, least).items()}


def metrics(view: View, w: int, least: float) -> Columns:
    """All metrics of one window; curvatures below ``least`` have no vertex."""
    y, fit = view.series(w), view.shared(parabola, w)
    half = student_quantile(0.5 + CONFIDENCE / 2, w - 3) * (1.0 + leverage(w, 1)) ** 0.5 * fit.rmse
    vertex_x, height = vertices(fit.a2, fit.a1, w, least)
    return {
        "a2": fit.a2,
        "a1": fit.a1,
        "b": fit.b,
        "r2": fit.r2,
        "rmse": fit.rmse,
        "resid": fit.resid,
        "resid_z": studentized(fit.resid, fit.rmse),
        "resid_autocorr": fit.autocorr,
        "pred": fit.pred,
        "pred_lower": fit.pred - half,
        "pred_upper": fit.pred + half,
        "vertex_x": vertex_x,
        "vertex_y": height - fit.resid,
        "a2_tstat": fit.tstat,
        "forecast_error": (y - shift(y, 1)) - shift(fit.pred, 1),
    }


def studentized(resid: Floats, rmse: Floats) -> Floats:
    """resid / rmse; NaN (0 / 0) in a flat window and for an exact fit."""
    with np.errstate(invalid="ignore"):
        return resid / rmse


FAMILY = Family("reg", columns, compute, domains=BOTH)
