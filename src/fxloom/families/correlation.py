"""Each pair against the pairs that share its base, those that share its quote, and those that share neither.

In bqx the level g = ln(G_15 / 100) takes the place of r, and ret_W is the sum of g over W bars: it exists only where
all W of them do (in rate ret_W needs the two prices alone). Because triangles close, R_base + R_quote = r in rate (with
all 28 pairs), so a feature named after the base often says as much about the quote.

A correlation with a set exists only where the pair itself is present, so that its z and its stability read no bar of
the pair's own gaps. Lead and lag are computed over the same time pairs, those at which all four values exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, sqrt

import numpy as np

from fxloom.bars.bars import Floats
from fxloom.features.domain import BOTH, RATE, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.missing import Reason
from fxloom.features.panel_view import CARRY, PanelView
from fxloom.kernels.panel_correlations import NESTED
from fxloom.kernels.present_moments import present_beta, present_corr, present_residual, present_std, present_zscore
from fxloom.series.panel import (
    across,
    each,
    few_present,
    filled_at,
    flow,
    flow_begins,
    lagged,
    limited,
    set_return,
    sibling_correlations,
    total_return,
    volatility,
)
from fxloom.series.siblings import SETS, members_of

CROSSINGS = ((15, 30), (15, 60), (15, 75), (30, 60), (30, 75), (60, 75))
NEAR = SETS[:2]  # the sets that share a currency with the pair
LONG = 240  # bars of z-scores, of correlations between momenta, of cumulated returns
LAGGED = 120  # pairs (t, t-1) of the lead-lag correlations
CLIP = 20.0
STILL_PRICES = "a correlation, ratio or regression with constant prices"


def _column(name: str, formula: str, warmup: int, reads: int, low: float = -inf, high: float = inf) -> Column:
    """A column that reads ``reads`` bars back, and closes that are carried to the earliest of them."""
    return Column(
        name,
        "ratio",
        formula,
        warmup,
        lookback=reads + CARRY,
        low=low,
        high=high,
        source="fxloom catalogue",
        undefined=STILL_PRICES,
    )


def columns(domain: Domain) -> Iterable[Column]:
    f, r = flow_begins(domain), "r" if domain is RATE else "g"
    yield from _correlations(f, r)
    yield from _crossings("ln(C[t]/C[t-{}])" if domain is RATE else "m_{}")
    yield from _scores(f)
    ret = "ret_{0} = ln(C[t] / C[t-{0}])" if domain is RATE else "ret_{0} = sum of g over {0} bars, missing if one is"
    yield from _strengths(240 if domain is RATE else f + 239, f, r, ret)
    yield from _divergences(0 if domain is RATE else f - 1, ret)
    yield from _regressions(f, r)


def _correlations(f: int, r: str) -> Iterable[Column]:
    for name in SETS:
        for w in NESTED:
            rho, low = (f"abs(rho_{w})", 0.0) if name == "cross" else (f"rho_{w}", -1.0)
            formula = f"mean of {rho} over the {name} set, rho_{w} = corr({r}, signed {r}) over {w} bars"
            yield _column(f"corr_{name}_{w}", formula, filled_at(f, w), f + w - 1, low, 1.0)


def _crossings(momentum: str) -> Iterable[Column]:
    for a, b in CROSSINGS:
        formula = f"corr of {momentum.format(a)} and {momentum.format(b)} over {LONG} bars"
        yield _column(f"corr_win_{a}_{b}", formula, filled_at(b, LONG), b + LONG - 1, -1.0, 1.0)


def _scores(f: int) -> Iterable[Column]:
    bound = (LONG - 1) / sqrt(LONG)
    for name in SETS:
        for w in (15, 60):
            warmup = filled_at(filled_at(f, w), LONG)
            formula = f"z of corr_{name}_{w} over {LONG} bars"
            yield _column(f"corr_{name}_z_{w}", formula, warmup, f + w + LONG - 2, -bound, bound)


def _strengths(begins: int, f: int, r: str, ret: str) -> Iterable[Column]:
    for name in NEAR:
        formula = f"mean over the {name} set of signed ret_240 / (std_240({r}) sqrt(240)), {ret.format(240)}"
        yield _column(f"rel_strength_{name}", formula, max(begins, filled_at(f, 240)), max(begins, f + 239))


def _divergences(before: int, ret: str) -> Iterable[Column]:
    for name in NEAR:
        for w in (15, 60):
            score = (
                f"(ret_{w} - mean of signed ret_{w} over the {name} set) / std over the set, at least three siblings"
            )
            formula = f"{score}, {ret.format(w)}"
            yield _column(f"divergence_{name}_{w}", formula, before + w, before + w, -CLIP, CLIP)


def _regressions(f: int, r: str) -> Iterable[Column]:
    bound = sqrt(LONG - 1)
    for w in (15, 60, 240):
        warmup = filled_at(filled_at(f, 15), w)
        formula = f"std of corr_base_15 over {w} bars"
        yield _column(f"corr_stability_{w}", formula, warmup, f + 14 + w - 1, 0.0, sqrt(4 / 3))
    for name in SETS:
        formula = f"corr({r}[t], R_{name}[t-1]) - corr({r}[t-1], R_{name}[t]) over {LAGGED} pairs (t, t-1)"
        yield _column(f"lead_lag_{name}", formula, max(LAGGED, filled_at(f + 1, LAGGED)), f + LAGGED, -2.0, 2.0)
    for name in SETS:
        formula = f"OLS of cumulated {r} on cumulated R_{name} over {LONG} bars: residual at t / residual std"
        yield _column(f"coint_resid_{name}", formula, filled_at(f, LONG), f + LONG - 1, -bound, bound)
    for name in SETS:
        yield _column(
            f"beta_{name}_60", f"OLS beta of {r} on R_{name} over 60 bars", filled_at(f, 60), f + 59, -CLIP, CLIP
        )
    for name in SETS:
        formula = f"std_60({r}) / mean over the {name} set of std_60({r})"
        yield _column(f"vol_ratio_{name}", formula, filled_at(f, 60), f + 59, 0.0, CLIP)


def compute(view: PanelView) -> Columns:
    out: Columns = {}
    means = view.shared(sibling_correlations)[0]
    for s, name in enumerate(SETS):
        for k, w in enumerate(NESTED):
            out[f"corr_{name}_{w}"] = means[s, k]
        out[f"corr_{name}_z_15"] = each(present_zscore, (LONG,), means[s, 0])
        out[f"corr_{name}_z_60"] = each(present_zscore, (LONG,), means[s, 2])
        out |= _against_set(view, s, name)
    for w in (15, 60, 240):
        out[f"corr_stability_{w}"] = each(present_std, (w,), means[0, 0])
    for s, name in enumerate(NEAR):
        out |= _within_set(view, s, name)
    out |= _between_momenta(view)
    _report_absent(view, out)
    return out


def _between_momenta(view: PanelView) -> Columns:
    if view.domain is RATE:
        series = {w: view.shared(total_return, w) for w in (15, 30, 60, 75)}
    else:
        series = {w: view.momentum(w) for w in (15, 30, 60, 75)}
    return {f"corr_win_{a}_{b}": each(present_corr, (LONG,), series[a], series[b]) for a, b in CROSSINGS}


def _against_set(view: PanelView, which: int, name: str) -> Columns:
    """The pair's r against the mean signed r of a set."""
    r, mean = view.shared(flow), view.shared(set_return, which)
    r_before, mean_before = lagged(r, 1), lagged(mean, 1)
    r_before, mean_before = _of_whole_pairs(r, mean, r_before, mean_before)
    lead = each(present_corr, (LAGGED,), r, mean_before) - each(present_corr, (LAGGED,), r_before, mean)
    lead[:, :LAGGED] = np.nan  # the oldest time pair would begin before the clock
    deviation = view.shared(volatility, 60)
    members, signs = members_of(view.pairs, which)
    usual = across(view, deviation, members, np.abs(signs))[1]
    return {
        f"lead_lag_{name}": lead,
        f"coint_resid_{name}": each(_cumulated_residual, (LONG,), r, mean),
        f"beta_{name}_60": limited(each(present_beta, (60,), r, mean), -CLIP, CLIP),
        f"vol_ratio_{name}": limited(_ratio(deviation, usual), 0.0, CLIP),
    }


def _cumulated_residual(y: Floats, x: Floats, window: int) -> Floats:
    return present_residual(y, x, window, True)


def _of_whole_pairs(r: Floats, mean: Floats, r_before: Floats, mean_before: Floats) -> tuple[Floats, Floats]:
    """The lagged series at the bars at which all four values exist, so that both correlations use the same bars."""
    whole = ~np.isnan(r + mean + r_before + mean_before)
    return np.where(whole, r_before, np.nan), np.where(whole, mean_before, np.nan)


def _within_set(view: PanelView, which: int, name: str) -> Columns:
    """The pair's return against the returns of its siblings."""
    members, signs = members_of(view.pairs, which)
    strength = _ratio(view.shared(total_return, 240), view.shared(volatility, 240) * sqrt(240))
    out = {f"rel_strength_{name}": across(view, strength, members, signs)[1]}
    for w in (15, 60):
        own = view.shared(total_return, w)
        count, mean, std = across(view, own, members, signs)
        gap = np.where(count >= 3, _ratio(own - mean, std), np.nan)
        out[f"divergence_{name}_{w}"] = limited(gap, -CLIP, CLIP)
    return out


def _ratio(above: Floats, below: Floats) -> Floats:
    """above / below, missing where below is 0."""
    return above / np.where(below == 0.0, np.nan, below)


def _report_absent(view: PanelView, names: Iterable[str]) -> None:
    """Report the rows at which no member of a set is present, or fewer than three for a divergence."""
    for s, name in enumerate(SETS):
        mine = [n for n in names if name in n.split("_")]
        if name == "base":
            mine += [f"corr_stability_{w}" for w in (15, 60, 240)]
        wide = [n for n in mine if n.startswith("divergence")]
        view.miss(Reason.ABSENT, few_present(view, s, 1), [n for n in mine if n not in wide])
        view.miss(Reason.ABSENT, few_present(view, s, 3), wide)


FAMILY = Family("correlation", columns, compute, domains=BOTH, scope="panel")
