"""Where each pair stands among all pairs: ranks, deviations, dispersion, co-movement.

A pair's spread is that of its latest own bar while it is present; without quotes it is an estimate, which measures the
bounce of prices and not the quoted spread. ``panel_leadership`` uses the time pairs at which all four values exist.
``panel_rank_stability`` ranks the pairs that are present both now and 60 bars ago.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import inf, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from fxloom.bars.bars import Flags, Floats
from fxloom.features.domain import RATE, Domain
from fxloom.features.feature import Column, Columns, Family
from fxloom.features.missing import FIXED_SPREAD, Reason
from fxloom.features.panel_view import CARRY, PanelView
from fxloom.kernels.cross_section import robust_scores, share_below, spearman
from fxloom.kernels.present_moments import present_beta, present_corr, present_residual
from fxloom.kernels.tolerances import EQUAL
from fxloom.series.panel import (
    LEAST,
    across,
    across_all,
    each,
    filled_at,
    lagged,
    limited,
    own_spread,
    sibling_correlations,
    volatility,
)
from fxloom.series.siblings import MAJORS, others_of

MOMENTA, VOLATILITIES = (15, 30, 45, 60), (15, 30, 60)
LONG, LAGGED = 240, 120
RANK_LAG = 60  # bars between the rankings of panel_rank_stability
CLIP = 20.0
HIGH, LOW = 0.9, 0.1
SOURCE = "fxloom catalogue"
STILL_PRICES = "constant prices"
NO_ESTIMATE = "without quotes: the estimate's first 59 bars, or it has no value"
SHARE, FLAG, CORR, CLIPPED, CHANGE = (0.0, 1.0), (0.0, 1.0), (-1.0, 1.0), (-CLIP, CLIP), (-1.0, CLIP)


def _column(
    name: str, unit: str, formula: str, warmup: int, reads: int, bounds: tuple[float, float], why: str | None = None
) -> Column:
    low, high = bounds
    return Column(name, unit, formula, warmup, lookback=reads + CARRY, low=low, high=high, source=SOURCE, undefined=why)


def columns(_: Domain) -> Iterable[Column]:
    yield from _shares("rank", "majors other than the pair (at least three)")
    yield from _shares("pctile", "other pairs")
    for w in (15, 30, 60):
        yield _column(
            f"dispersion_momentum_{w}", "sum of relative changes", f"std of m_{w} across pairs", w, w, (0, inf)
        )
    for w in VOLATILITIES:
        formula = f"std of std_{w}(r) across pairs"
        yield _column(f"dispersion_volatility_{w}", "log return", formula, filled_at(1, w), w, (0, inf))
    for kind, warmup in (("momentum", 60), ("volatility", filled_at(1, 60))):
        for side, test in (("high", f">= {HIGH}"), ("low", f"<= {LOW}")):
            formula = f"1 if pctile_{kind}_60 {test}"
            yield _column(f"extreme_{side}_{kind}", "flag", formula, warmup, 60, FLAG)
    yield from _scores()
    yield from _relations()
    yield from _panel_changes()
    yield from _company()


def _shares(name: str, group: str) -> Iterable[Column]:
    for w in MOMENTA:
        formula = f"share of the {group} with m_{w} below the pair's, ties half"
        yield _column(f"{name}_momentum_{w}", "share", formula, w, w, SHARE)
    for w in VOLATILITIES:
        formula = f"share of the {group} with std_{w}(r) below the pair's, ties half"
        yield _column(f"{name}_volatility_{w}", "share", formula, filled_at(1, w), w, SHARE)
    formula = f"share of the {group} with spread s below the pair's, ties half"
    spread = _column(f"{name}_spread", "share", formula, 0, 0, SHARE, NO_ESTIMATE)
    yield replace(spread, may_be_constant=FIXED_SPREAD)


def _scores() -> Iterable[Column]:
    for kind, y, warmups in (("momentum", "m_{}", lambda w: w), ("volatility", "std_{}(r)", lambda w: filled_at(1, w))):
        for w in (15, 30, 60):
            formula = f"({y.format(w)} - median) / (1.4826 MAD) across pairs"
            yield _column(f"divergence_{kind}_{w}", "deviations", formula, warmups(w), w, CLIPPED, "MAD is 0")


def _relations() -> Iterable[Column]:
    across_pairs = "Spearman's correlation across pairs of {} and {}"
    for name, x, y, why in (
        ("momentum_volatility", "abs(m_60)", "std_60(r)", STILL_PRICES),
        ("momentum_spread", "abs(m_60)", "s", NO_ESTIMATE),
        ("volatility_spread", "std_60(r)", "s", NO_ESTIMATE),
    ):
        warmup = 60 if "momentum" in name else filled_at(1, 60)
        yield _column(f"xs_corr_{name}", "ratio", across_pairs.format(x, y), warmup, 60, CORR, why)
    for name, y, first in (("momentum", "m_15", 15), ("volatility", "std_15(r)", filled_at(1, 15))):
        formula = f"OLS beta over {LONG} bars of {y} on its mean over the panel"
        yield _column(f"xs_beta_{name}", "ratio", formula, filled_at(first, LONG), 15 + LONG - 1, CLIPPED, STILL_PRICES)
    bound = sqrt(LONG - 1)
    formula = f"residual at t of the regression of xs_beta_momentum / residual std over {LONG} bars"
    reads = 15 + LONG - 1
    warmup = filled_at(15, LONG)
    yield _column("xs_idiosyncratic_shock", "deviations", formula, warmup, reads, (-bound, bound), STILL_PRICES)


def _panel_changes() -> Iterable[Column]:
    ago = "panel mean of {} now / 15 bars ago - 1"
    yield _column("panel_momentum_accel", "ratio", ago.format("abs(m_15)"), 30, 30, CHANGE, STILL_PRICES)
    formula = ago.format("std_15(r)")
    yield _column("panel_volatility_accel", "ratio", formula, filled_at(1, 15) + 15, 30, CHANGE, STILL_PRICES)
    formula = "dispersion_momentum_30 now / 30 bars ago - 1"
    yield _column("panel_dispersion_change", "ratio", formula, 60, 60, CHANGE, STILL_PRICES)
    formula = "Spearman's correlation of m_60[t] and m_60[t-60] across the pairs present at both times, at least three"
    yield _column("panel_rank_stability", "ratio", formula, 120, 120, CORR, STILL_PRICES)


def _company() -> Iterable[Column]:
    w = filled_at(1, 60)
    formula = "mean abs(corr_60) over all pairs of pairs, at least three"
    yield _column("panel_coherence", "ratio", formula, w, 60, (0.0, 1.0), STILL_PRICES)
    a = "A = mean abs(r) of the other pairs"
    formula = f"corr(abs(r)[t-1], A[t]) - corr(abs(r)[t], A[t-1]) over {LAGGED} pairs (t, t-1), {a}"
    yield _column("panel_leadership", "ratio", formula, LAGGED, 1 + LAGGED, (-2.0, 2.0), STILL_PRICES)
    formula = f"OLS beta of abs(r) on A over {LAGGED} bars, {a}"
    yield _column("panel_contagion", "ratio", formula, LAGGED - 1, LAGGED, CLIPPED, STILL_PRICES)
    formula = "1 - mean abs(corr_60) with the other pairs, at least two"
    yield _column("panel_isolation", "ratio", formula, w, 60, (0.0, 1.0), STILL_PRICES)


def compute(view: PanelView) -> Columns:
    out: Columns = {}
    for w in MOMENTA:
        out |= _standing(view, "momentum", w, view.momentum(w))
    for w in VOLATILITIES:
        out |= _standing(view, "volatility", w, view.shared(volatility, w))
    out |= _shares_below(view, "spread", view.shared_by_domains(own_spread))
    for kind in ("momentum", "volatility"):
        share = out[f"pctile_{kind}_60"]
        out[f"extreme_high_{kind}"] = np.where(np.isnan(share), np.nan, share >= HIGH)
        out[f"extreme_low_{kind}"] = np.where(np.isnan(share), np.nan, share <= LOW)
    out |= _related(view)
    out |= _regressed(view)
    out |= _panel_wide(view, out["dispersion_momentum_30"][0] if len(view.pairs) else np.empty(len(view)))
    out |= _companions(view)
    _report_absent(view, out)
    return out


def _standing(view: PanelView, kind: str, w: int, values: Floats) -> Columns:
    out = _shares_below(view, f"{kind}_{w}", values)
    if w != 45:
        out[f"dispersion_{kind}_{w}"] = _for_all(view, across_all(view, values)[1])
        scores = robust_scores(np.ascontiguousarray(values), np.ascontiguousarray(view.present))
        out[f"divergence_{kind}_{w}"] = limited(scores, -CLIP, CLIP)
    return out


def _shares_below(view: PanelView, name: str, values: Floats) -> Columns:
    majors = np.array([p in MAJORS for p in view.pairs], np.bool_)
    rows, known = np.ascontiguousarray(values), np.ascontiguousarray(view.present)
    return {
        f"rank_{name}": share_below(rows, known, majors, 3, EQUAL, 0.0),
        f"pctile_{name}": share_below(rows, known, np.ones(len(majors), np.bool_), LEAST - 1, EQUAL, 0.0),
    }


def _for_all(view: PanelView, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """One series (n) for all pairs (pairs, n), without copies."""
    return np.broadcast_to(values, view.price.shape)


def _related(view: PanelView) -> Columns:
    size, deviation, spread = np.abs(view.momentum(60)), view.shared(volatility, 60), view.shared_by_domains(own_spread)
    known = np.ascontiguousarray(view.present)
    size, deviation, spread = (np.ascontiguousarray(y) for y in (size, deviation, spread))
    return {
        "xs_corr_momentum_volatility": _for_all(view, spearman(size, deviation, known)),
        "xs_corr_momentum_spread": _for_all(view, spearman(size, spread, known)),
        "xs_corr_volatility_spread": _for_all(view, spearman(deviation, spread, known)),
    }


def _regressed(view: PanelView) -> Columns:
    """Each pair's momentum and volatility against the panel's."""
    momentum, deviation = view.momentum(15), view.shared(volatility, 15)
    of_all, usual = (_for_all(view, across_all(view, y)[0]) for y in (momentum, deviation))
    return {
        "xs_beta_momentum": limited(each(present_beta, (LONG,), momentum, of_all), -CLIP, CLIP),
        "xs_beta_volatility": limited(each(present_beta, (LONG,), deviation, usual), -CLIP, CLIP),
        "xs_idiosyncratic_shock": each(present_residual, (LONG, False), momentum, of_all),
    }


def _panel_wide(view: PanelView, dispersion: Floats) -> Columns:
    size = across_all(view, np.abs(view.momentum(15)))[0]
    deviation = across_all(view, view.shared(volatility, 15))[0]
    m60 = np.ascontiguousarray(view.momentum(60))
    stability = spearman(m60, lagged(m60, RANK_LAG), present_at_both(view, RANK_LAG))
    return {
        "panel_momentum_accel": _for_all(view, _change(size, 15)),
        "panel_volatility_accel": _for_all(view, _change(deviation, 15)),
        "panel_dispersion_change": _for_all(view, _change(dispersion, 30)),
        "panel_rank_stability": _for_all(view, stability),
    }


def present_at_both(view: PanelView, bars: int) -> Flags:
    """Where a pair is present both now and ``bars`` ago (pairs, n); a carried close has no momentum of its own."""
    both = np.zeros(view.present.shape, np.bool_)
    both[:, bars:] = view.present[:, bars:] & view.present[:, :-bars]
    return both


def _change(values: Floats, bars: int) -> Floats:
    """now / ago - 1, missing where it was 0."""
    ago = lagged(values, bars)
    return limited(values / np.where(ago == 0.0, np.nan, ago) - 1.0, *CHANGE)


def _companions(view: PanelView) -> Columns:
    """Each pair's moves against the mean size of the others' moves."""
    size = np.abs(view.r)
    count, others, _ = across(view, size, *others_of(view.pairs))
    others = np.where(count >= 2, others, np.nan)
    before, others_before = lagged(size, 1), lagged(others, 1)
    whole = ~np.isnan(size + others + before + others_before)
    before, others_before = np.where(whole, before, np.nan), np.where(whole, others_before, np.nan)
    lead = each(present_corr, (LAGGED,), before, others) - each(present_corr, (LAGGED,), size, others_before)
    lead[:, :LAGGED] = np.nan  # the oldest time pair would begin before the clock
    beta = each(present_beta, (LAGGED,), size, others)
    return {"panel_leadership": lead, "panel_contagion": limited(beta, -CLIP, CLIP)} | _correlated(view)


def _correlated(view: PanelView) -> Columns:
    _, magnitudes, number = view.shared(sibling_correlations)
    total, pairs = magnitudes.sum(axis=0) / 2.0, number.sum(axis=0) / 2.0
    coherence = np.where(pairs >= 3, total / np.maximum(pairs, 1.0), np.nan)
    isolation = np.where(number >= 2, 1.0 - magnitudes / np.maximum(number, 1.0), np.nan)
    return {"panel_coherence": _for_all(view, coherence), "panel_isolation": isolation}


def _report_absent(view: PanelView, names: Iterable[str]) -> None:
    """Report the rows at which fewer than three pairs, or three other majors, are present."""
    present = view.present
    majors = np.array([p in MAJORS for p in view.pairs], np.bool_)
    other_majors = present[majors].sum(axis=0) - np.where(majors[:, None], present, False)
    ranks = [n for n in names if n.startswith("rank_")]
    view.miss(Reason.ABSENT, other_majors < 3, ranks)
    few = _for_all(view, present.sum(axis=0) < LEAST)
    view.miss(Reason.ABSENT, few, [n for n in names if n not in ranks])
    few_at_both = _for_all(view, present_at_both(view, RANK_LAG).sum(axis=0) < LEAST)
    view.miss(Reason.ABSENT, few_at_both, ["panel_rank_stability"])


FAMILY = Family(
    "cross_sectional_panel", columns, compute, domains=(RATE,), dual=False, scope="panel", uses=("spread",),
    partitioned_by="month",
)  # fmt: skip
