"""The term structure of volatility: realized over five windows, and forecast by GARCH(1,1).

GARCH is fitted on the 7,200 bars before each Sunday 00:00 UTC; its variance recursion starts with that window.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.bars.clock import WEEK
from fxloom.features.domain import BOTH, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.missing import Reason
from fxloom.features.pair_view import View
from fxloom.kernels.garch import fit_garch, garch_variances
from fxloom.kernels.ratio import ratio
from fxloom.series.anchors import Week, weeks
from fxloom.series.pair import volatility

FIT = 7_200  # bars of a fit
WINDOWS = (15, 30, 60, 120, 240)
LOGS = np.log(np.array(WINDOWS)) - np.log(np.array(WINDOWS)).mean()
SLOPE = LOGS / (LOGS * LOGS).sum()  # weights of the OLS slope on ln W
GARCH_NAMES = ("garch_vol", "garch_vol_30", "garch_term", "garch_persistence", "garch_z")
BOLLERSLEV = "Bollerslev (1986); likelihood as in arch"
STILL_LONGER = "the price does not move in the longer window"
WEEKLY = "changes weekly, and alpha + beta = 1 is the optimum of a third of the fits"


def columns(domain: Domain) -> Iterable[Column]:
    def std(window: int) -> int:
        return domain.r + window - 1

    for w in WINDOWS:
        yield Column(f"vs_rv_{w}", "bp per bar", f"10000 std_{w}(r)", std(w), low=0)
    yield Column("vs_slope", "bp per ln bar", "OLS slope of vs_rv_W on ln W, W = 15, 30, 60, 120, 240", std(240))
    yield Column("vs_curvature", "bp per bar", "vs_rv_15 - 2 vs_rv_60 + vs_rv_240", std(240))
    for a, b in ((15, 60), (60, 240)):
        bound = ((b - 1) / (a - 1)) ** 0.5  # the squared deviations of the longer window hold those of the shorter
        formula = f"vs_rv_{a} / vs_rv_{b}"
        yield Column(f"vs_ratio_{a}_{b}", "ratio", formula, std(b), low=0, high=bound, undefined=STILL_LONGER)
    yield from _garch_columns(FIT + domain.r)


def _garch_columns(warmup: int) -> Iterable[Column]:
    model = "h: variance forecast of the GARCH(1,1) of r in bp fitted before the week"

    def column(
        name: str,
        unit: str,
        formula: str,
        low: float = 0.0,
        high: float = np.inf,
        undefined: str | None = None,
        constant: str | None = None,
    ) -> Column:
        return Column(
            name,
            unit,
            formula,
            warmup,
            lookback=warmup + WEEK,
            low=low,
            high=high,
            source=BOLLERSLEV,
            anchor="week",
            undefined=undefined,
            may_be_constant=constant,
        )

    yield column("garch_vol", "bp per bar", f"sqrt(h[t+1]), {model}")
    yield column("garch_vol_30", "bp per bar", f"sqrt(mean of h[t+1..t+30] as forecast at t), {model}")
    yield column("garch_term", "ratio", f"sqrt(mean of h[t+1..t+60] as forecast at t) / garch_vol, {model}")
    yield column("garch_persistence", "ratio", "alpha + beta", high=1.0, constant=WEEKLY)
    yield column("garch_z", "std", f"r[t] in bp / sqrt(h[t] as forecast at t-1), {model}", low=-np.inf)
    yield column("garch_vs_rv", "ratio", "garch_vol / vs_rv_60, clipped to [0, 10]", high=10.0, undefined=STILL_LONGER)


def compute(view: View) -> Columns:
    realized = {w: 10_000.0 * view.shared(volatility, w) for w in WINDOWS}
    middle = realized[60]
    out = {f"vs_rv_{w}": column for w, column in realized.items()}
    out["vs_slope"] = sum((SLOPE[i] * (realized[w] - middle) for i, w in enumerate(WINDOWS)), np.zeros(len(view)))
    out["vs_curvature"] = realized[15] - 2.0 * middle + realized[240]
    out["vs_ratio_15_60"] = ratio(realized[15], middle)
    out["vs_ratio_60_240"] = ratio(middle, realized[240])
    out |= forecasts(view)
    out["garch_vs_rv"] = np.clip(ratio(out["garch_vol"], middle), 0.0, 10.0)
    return out


def forecasts(view: View) -> Columns:
    """The columns ``GARCH_NAMES``, week by week."""
    out = {name: np.full(len(view), np.nan) for name in GARCH_NAMES}
    r = 10_000.0 * view.r
    for week in weeks(view.ts, view.first, FIT + view.domain.r):
        values = weekly_forecast(r, week)
        if values is None:
            failed = np.zeros(len(view), np.bool_)
            failed[week.bars] = True
            view.miss(Reason.FAILED_FIT, failed, (*GARCH_NAMES, "garch_vs_rv"))
            continue
        for name, column in zip(GARCH_NAMES, values, strict=True):
            out[name][week.bars] = column
    return out


def weekly_forecast(r: Floats, week: Week) -> tuple[Floats, ...] | None:
    """The columns ``GARCH_NAMES`` of a week from r in bp, or None if the fit on the bars before it failed."""
    x, likelihood, before = fit_garch(r[week.before(FIT)].copy())
    if not np.isfinite(likelihood):
        return None
    persistence = x[2] + x[3]
    moves = r[week.back(FIT)].copy()
    h = garch_variances(moves, x, before)[FIT:]
    now, ahead = np.sqrt(h[:-1]), h[1:]
    vol = np.sqrt(ahead)
    term = np.sqrt(mean_forecast(ahead, x[1], persistence, 60)) / vol
    flat = np.full(len(vol), persistence)
    return vol, np.sqrt(mean_forecast(ahead, x[1], persistence, 30)), term, flat, moves[FIT:] / now


def mean_forecast(ahead: Floats, omega: float, persistence: float, bars: int) -> Floats:
    """The mean of the next ``bars`` variance forecasts: k bars after the next omega (1 + s + ... + s^(k-1)) + s^k h."""
    powers = np.full(bars, persistence) ** np.arange(bars)
    constant = omega * float(np.cumsum(powers)[:-1].sum()) / bars
    return constant + float(powers.mean()) * ahead


FAMILY = Family("volatility_surface", columns, compute, domains=BOTH)
