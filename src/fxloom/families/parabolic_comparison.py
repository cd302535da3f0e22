"""Comparisons between the quadratic regressions of six windows, and of the two domains.

A2 = a2 W^2 and A1 = a1 W make windows comparable; below 1e-9 index points (1e-11 in m_W) they count as 0.
The r2 of a flat window counts as 0, and shares of variance that differ by less than 1e-12 are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.features.domain import AGG, BOTH, BQX, RATE, WINDOWS, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.pair_view import View
from fxloom.kernels.comoments import rolling_corr
from fxloom.kernels.moments import zscore
from fxloom.kernels.states import shift
from fxloom.series.pair import least_curvature, parabola

WIDTHS = (*WINDOWS, AGG)
COUPLES = ((15, 60), (30, 75), (45, 90))
LAG, SPAN, LONG = 15, 60, 240
NOISE = 1e-12  # shares of variance that differ by less are equal
SOURCE = "reg"
# "mean weighted by 1/W": the weights
WEIGHTS = {w: (1.0 / w) / sum(1.0 / v for v in WIDTHS) for w in WIDTHS}


Row = tuple[str, str, str, int, float, float, str | None]  # name, unit, formula, warm-up, low, high, undefined


def columns(domain: Domain) -> Iterable[Column]:
    rows = [*curvatures(domain), *slopes(domain), *levels(domain), *qualities(domain)]
    if domain is RATE:
        rows += gaps()
    for name, unit, formula, warmup, low, high, undefined in rows:
        yield Column(f"par_{name}", unit, formula, warmup, low=low, high=high, source=SOURCE, undefined=undefined)


def fitted(domain: Domain, *windows: int) -> int:
    """Warm-up of the regressions over all of ``windows``."""
    return max(domain.series(w) + w - 1 for w in windows)


def ratios(domain: Domain, term: str) -> Iterable[Row]:
    """Declarations of ratios of A2 or A1 between windows."""
    power = f"{term.upper()} = {term} W^2" if term == "a2" else f"{term.upper()} = {term} W"
    for a, b in COUPLES:
        formula = f"{term.upper()}_{a} / {term.upper()}_{b} clipped to +-10, {power}"
        first, undefined = fitted(domain, a, b), f"{term.upper()}_{b} counts as 0"
        yield f"{term}_ratio_{a}_{b}", "ratio", formula, first, -10.0, 10.0, undefined


def curvatures(domain: Domain) -> Iterable[Row]:
    """Declarations of columns made from A2."""
    unit, every = level_unit(domain), fitted(domain, *WIDTHS)
    flip = "1 if A2_15 and A2_60 have strictly opposite signs, else 0"
    yield from ratios(domain, "a2")
    yield "a2_dispersion", unit, "std of A2 = a2 W^2 over six windows", every, 0.0, inf, None
    yield "a2_trend", f"{unit} per step", "slope of A2 = a2 W^2 over window number 1..6", every, -inf, inf, None
    yield "a2_flip", "flag", flip, fitted(domain, 15, 60), 0.0, 1.0, None


def slopes(domain: Domain) -> Iterable[Row]:
    """Declarations of columns made from A1."""
    unit, every, first = level_unit(domain), fitted(domain, *WIDTHS), fitted(domain, 15) + LAG
    yield from ratios(domain, "a1")
    yield "a1_dispersion", unit, "std of A1 = a1 W over six windows", every, 0.0, inf, None
    yield "a1_accel", f"{unit} per bar", f"a1_15[t] - a1_15[t-{LAG}]", first, -inf, inf, None
    yield "a1_momentum", unit, "mean of A1 = a1 W over six windows, weighted by 1/W", every, -inf, inf, None


def levels(domain: Domain) -> Iterable[Row]:
    """Declarations of columns made from b."""
    unit, y, hour = level_unit(domain), "C" if domain is RATE else "m_60", fitted(domain, 60)
    reversion = f"corr over {SPAN} bars of (y - b_60)[t-1] and y[t] - y[t-1], y = {y}"
    constant = f"y or y - b_60 is constant over {SPAN} bars"
    yield "b_gap_15_45", unit, "b_15 - b_45", fitted(domain, 15, 45), -inf, inf, None
    yield "b_gap_30_60", unit, "b_30 - b_60", fitted(domain, 30, 60), -inf, inf, None
    yield "b_drift", f"{unit} per bar", f"(b_60[t] - b_60[t-{LAG}]) / {LAG}", hour + LAG, -inf, inf, None
    yield "b_reversion", "ratio", reversion, hour + SPAN, -1.0, 1.0, constant


def qualities(domain: Domain) -> Iterable[Row]:
    """Declarations of columns made from r2 and rmse."""
    spread = 0.3**0.5  # the largest std of six numbers within 0..1
    both, every = fitted(domain, 15, 60), fitted(domain, *WIDTHS)
    drop = f"1 if r2_15 < r2_60 and r2_15[t] < r2_15[t-{LAG}], else 0"
    first = max(fitted(domain, 60), fitted(domain, 15) + LAG)
    yield "r2_spread_30_90", "ratio", "r2_30 - r2_90", fitted(domain, 30, 90), -1.0, 1.0, None
    yield "r2_consistency", "ratio", "1 - std of r2 over six windows", every, 1.0 - spread, 1.0, None
    yield "rmse_ratio_15_60", "ratio", "rmse_15 / rmse_60 clipped to 0..10", both, 0.0, 10.0, "rmse_60 is 0"
    yield "quality_drop", "flag", drop, first, 0.0, 1.0, None


def gaps() -> Iterable[Row]:
    """Declarations of the comparisons between the domains, in the rate table only."""
    both, constant = fitted(BQX, 30) + SPAN - 1, f"a coefficient is constant over {SPAN} bars"
    for term in ("a2", "a1"):
        formula = f"corr over {SPAN} bars of {term}_30 in rate and {term}_30 in bqx"
        yield f"{term}_domain_corr", "ratio", formula, both, -1.0, 1.0, constant
    bound, last = 2.0 * (LONG - 1) / LONG**0.5, fitted(BQX, 60)
    formula = f"z_{LONG}(b_60 in rate) - z_{LONG}(b_60 in bqx)"
    constant = f"b_60 is constant over {LONG} bars"
    yield "b_domain_gap", "ratio", formula, last + LONG - 1, -bound, bound, constant
    yield "quality_domain_gap", "ratio", "r2_60 in rate - r2_60 in bqx", last, -1.0, 1.0, None


def level_unit(domain: Domain) -> str:
    """The unit of ``series(W)``."""
    return "index points" if domain is RATE else "sum of relative changes"


def compute(view: View) -> Columns:
    a2 = {w: view.shared(curvature, w) for w in WIDTHS}
    a1 = {w: view.shared(slope, w) for w in WIDTHS}
    r2 = {w: view.shared(explained, w) for w in WIDTHS}
    raw, rmse = view.shared(parabola, 15).a1, {w: view.shared(parabola, w).rmse for w in (15, 60)}
    out = {f"par_a2_ratio_{a}_{b}": clipped_ratio(a2[a], a2[b], -10.0) for a, b in COUPLES}
    out |= {f"par_a1_ratio_{a}_{b}": clipped_ratio(a1[a], a1[b], -10.0) for a, b in COUPLES}
    out |= {
        "par_a2_dispersion": dispersion(a2.values()),
        "par_a2_trend": sum_of((k - 2.5) / 17.5 * a2[w] for k, w in enumerate(WIDTHS)),
        "par_a2_flip": flags(np.sign(a2[15]) * np.sign(a2[60]) < 0.0, a2[15] + a2[60]),
        "par_a1_dispersion": dispersion(a1.values()),
        "par_a1_accel": raw - shift(raw, LAG),
        "par_a1_momentum": sum_of(WEIGHTS[w] * a1[w] for w in WIDTHS),
        "par_r2_spread_30_90": r2[30] - r2[90],
        "par_r2_consistency": 1.0 - dispersion(r2.values()),
        "par_rmse_ratio_15_60": clipped_ratio(rmse[15], rmse[60], 0.0),
        "par_quality_drop": quality_drop(r2[15], r2[60]),
    }
    return out | level_columns(view) | (domain_gaps(view) if view.domain is RATE else {})


# -- the terms -------------------------------------------------------------------------------------------------------


def curvature(view: View, w: int) -> Floats:
    """A2 = a2 W^2, 0 where it is rounding noise."""
    return without_noise(view.shared(parabola, w).a2 * (w * w), least_curvature(view.domain))


def slope(view: View, w: int) -> Floats:
    """A1 = a1 W, 0 where it is rounding noise."""
    return without_noise(view.shared(parabola, w).a1 * w, least_curvature(view.domain))


def without_noise(term: Floats, least: float) -> Floats:
    """``term``, 0 where its size is below ``least``."""
    return np.where(np.abs(term) < least, 0.0, term)


def explained(view: View, w: int) -> Floats:
    """r2, 0 in a flat window."""
    fit = view.shared(parabola, w)
    return np.where(np.isnan(fit.r2) & ~np.isnan(fit.a2), 0.0, fit.r2)


# -- the columns -----------------------------------------------------------------------------------------------------


def clipped_ratio(a: Floats, b: Floats, low: float) -> Floats:
    """a / b clipped to [low, 10]; NaN where b is 0."""
    out = np.full(len(a), np.nan)
    with np.errstate(over="ignore"):
        np.divide(a, b, out=out, where=b != 0.0)
    np.clip(out, low, 10.0, out=out)
    return out + 0.0


def sum_of(terms: Iterable[Floats]) -> Floats:
    """The sum of arrays of one shape."""
    first, *others = terms
    total = first + 0.0
    for term in others:
        total += term
    return total


def dispersion(values: Iterable[Floats]) -> Floats:
    """The standard deviation (ddof 1) across ``values`` at each bar (n); exactly 0 where they are equal."""
    first, *others = values
    n = len(others) + 1
    mean = sum_of(v - first for v in others) / n
    return np.sqrt(sum_of((v - first - mean) ** 2 for v in (first, *others)) / (n - 1))


def flags(condition: np.ndarray, known: Floats) -> Floats:
    """1 or 0, NaN where ``known`` is NaN."""
    return np.where(np.isnan(known), np.nan, np.where(condition, 1.0, 0.0))


def quality_drop(short: Floats, long: Floats) -> Floats:
    """1 where r2_15 is below r2_60 and below itself ``LAG`` bars ago, else 0."""
    before = shift(short, LAG)
    return flags((short < long - NOISE) & (short < before - NOISE), long + before)


def level_columns(view: View) -> Columns:
    """The columns that ``levels`` declares."""
    y, resid = view.series(60), view.shared(parabola, 60).resid
    return {
        "par_b_gap_15_45": level_gap(view, 15, 45),
        "par_b_gap_30_60": level_gap(view, 30, 60),
        "par_b_drift": ((y - shift(y, LAG)) - (resid - shift(resid, LAG))) / LAG,
        "par_b_reversion": rolling_corr(shift(resid, 1), y - shift(y, 1), SPAN),
    }


def level_gap(view: View, a: int, b: int) -> Floats:
    """b_a - b_b from the residuals: in rate both are of one series, whose level cancels exactly."""
    one, other = view.shared(parabola, a).resid, view.shared(parabola, b).resid
    return (view.series(a) - view.series(b)) + (other - one)


def domain_gaps(view: View) -> Columns:
    """The columns that ``gaps`` declares."""
    bqx = view.in_domain(BQX)

    def corr(term: Callable[[View, int], Floats]) -> Floats:
        return rolling_corr(view.shared(term, 30), bqx.shared(term, 30), SPAN)

    return {
        "par_a2_domain_corr": corr(curvature),
        "par_a1_domain_corr": corr(slope),
        "par_b_domain_gap": zscore(view.shared(parabola, 60).b, LONG) - zscore(bqx.shared(parabola, 60).b, LONG),
        "par_quality_domain_gap": view.shared(explained, 60) - bqx.shared(explained, 60),
    }


FAMILY = Family("parabolic_comparison", columns, compute, domains=BOTH)
