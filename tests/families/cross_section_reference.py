"""The cross-sectional table and the error corrections, slowly and from the page, one value at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import combinations
from math import exp, log, nan
from typing import Any

import numpy as np
from scipy.stats import rankdata
from statsmodels.tsa.vector_ar.vecm import coint_johansen

from fxloom.bars.pairs import PAIRS
from tests.families.panel_reference import MAJORS, SISTERS, OfPair, Twin, correlation, ols, share

OfWindow = Callable[[Twin, str, int, int], float]  # of a pair, a window and a position


def present(reference: Twin, t: int) -> list[str]:
    return [q for q in reference.pairs if reference.here[q][t]]


def spearman(rows: list[tuple[float, float]]) -> float:
    rows = [r for r in rows if r[0] == r[0] and r[1] == r[1]]
    if len(rows) < 3:
        return nan
    x, y = (rankdata(np.round(column, 15)) for column in np.array(rows).T)
    return correlation(x, y)


def three(values: list[float]) -> list[float]:
    """The values that are there, if there are three."""
    known = [v for v in values if v == v]
    return known if len(known) >= 3 else []


def momentum(reference: Twin, q: str, w: int, t: int) -> float:
    return reference.once((reference.m, q, w), t)


def vol(reference: Twin, q: str, w: int, t: int) -> float:
    return reference.once((reference.vol, q, w), t)


def panel_mean(reference: Twin, of: OfWindow, w: int, t: int) -> float:
    found = three([of(reference, q, w, t) for q in present(reference, t)])
    return sum(found) / len(found) if found else nan


def size(reference: Twin, q: str, w: int, t: int) -> float:
    return abs(momentum(reference, q, w, t))


def dispersion(reference: Twin, of: OfWindow, w: int, t: int) -> float:
    found = three([of(reference, q, w, t) for q in present(reference, t)])
    return float(np.std(found, ddof=1)) if found else nan


def _standing(reference: Twin, p: str, t: int, name: str, value: OfPair) -> dict[str, float]:
    others = [q for q in present(reference, t) if q != p]
    return {
        f"rank_{name}": share(value(p), [value(q) for q in others if q in MAJORS], 3),
        f"pctile_{name}": share(value(p), [value(q) for q in others], 2),
    }


def _score(reference: Twin, p: str, t: int, of: OfWindow, w: int) -> float:
    found = three([of(reference, q, w, t) for q in present(reference, t)])
    if not found:
        return nan
    centre = np.median(found)
    mad = np.median(np.abs(np.array(found) - centre))
    return float(np.clip((of(reference, p, w, t) - centre) / (1.4826 * mad), -20, 20)) if mad > 0 else nan


def slow_cross_section(reference: Twin, p: str, t: int) -> dict[str, float]:
    """The 46 features of ``cross_sectional_panel`` at one bar."""
    out = _standing(reference, p, t, "spread", lambda q: reference.spread[q][t])
    for kind, of, windows in (("momentum", momentum, (15, 30, 45, 60)), ("volatility", vol, (15, 30, 60))):
        for w in windows:
            out |= _standing(reference, p, t, f"{kind}_{w}", partial(of, reference, w=w, t=t))
        for w in (15, 30, 60):
            out[f"dispersion_{kind}_{w}"] = dispersion(reference, of, w, t)
            out[f"divergence_{kind}_{w}"] = _score(reference, p, t, of, w)
        top = out[f"pctile_{kind}_60"]
        out[f"extreme_high_{kind}"] = nan if top != top else float(top >= 0.9)
        out[f"extreme_low_{kind}"] = nan if top != top else float(top <= 0.1)
    rows = [
        (size(reference, q, 60, t), vol(reference, q, 60, t), reference.spread[q][t]) for q in present(reference, t)
    ]
    out["xs_corr_momentum_volatility"] = spearman([(a, b) for a, b, _ in rows])
    out["xs_corr_momentum_spread"] = spearman([(a, c) for a, _, c in rows])
    out["xs_corr_volatility_spread"] = spearman([(b, c) for _, b, c in rows])
    return out | _regressed(reference, p, t) | _panel_wide(reference, t) | _companions(reference, p, t)


def _regressed(reference: Twin, p: str, t: int) -> dict[str, float]:
    y, x = (momentum, reference, p, 15), (panel_mean, reference, momentum, 15)
    found = reference.over(240, t, y, x)
    shock = nan
    if found is not None:
        error = ols(*found)[1]
        shock = error[-1] / error.std(ddof=1)
    return {
        "xs_beta_momentum": reference.beta(240, t, y, x),
        "xs_beta_volatility": reference.beta(240, t, (vol, reference, p, 15), (panel_mean, reference, vol, 15)),
        "xs_idiosyncratic_shock": shock,
    }


def _change(now: float, ago: float) -> float:
    return float(np.clip(now / ago - 1, -1, 20)) if ago else nan


def _panel_wide(reference: Twin, t: int) -> dict[str, float]:
    def ago(bars: int, of: Callable[..., float], *args: Any) -> float:
        return of(reference, *args, t - bars) if t >= bars else nan

    both = [q for q in present(reference, t) if reference.here[q][t - 60]] if t >= 60 else []
    rows = [(momentum(reference, q, 60, t), momentum(reference, q, 60, t - 60)) for q in both]
    rhos = [abs(reference.once((reference.rho, a, b, 60), t)) for a, b in combinations(reference.pairs, 2)]
    return {
        "panel_momentum_accel": _change(panel_mean(reference, size, 15, t), ago(15, panel_mean, size, 15)),
        "panel_volatility_accel": _change(panel_mean(reference, vol, 15, t), ago(15, panel_mean, vol, 15)),
        "panel_dispersion_change": _change(dispersion(reference, momentum, 30, t), ago(30, dispersion, momentum, 30)),
        "panel_rank_stability": spearman(rows),
        "panel_coherence": reference.mean(three(rhos)),
    }


def _companions(reference: Twin, p: str, t: int) -> dict[str, float]:
    def own(p: str, i: int) -> float:
        return abs(reference.r(p, i)) if i >= 0 else nan

    def others(p: str, i: int) -> float:
        found = reference.known([abs(reference.r(q, i)) for q in present(reference, i) if q != p]) if i >= 0 else []
        return sum(found) / len(found) if len(found) >= 2 else nan

    def own_before(p: str, i: int) -> float:
        return own(p, i - 1)

    def others_before(p: str, i: int) -> float:
        return others(p, i - 1)

    lead = nan
    if t >= 120:
        found = reference.over(120, t, (own_before, p), (others, p), (own, p), (others_before, p))
        lead = nan if found is None else correlation(found[0], found[1]) - correlation(found[2], found[3])
    rhos = reference.known(
        [abs(reference.once((reference.rho, *sorted((p, q)), 60), t)) for q in reference.pairs if q != p]
    )
    return {
        "panel_leadership": lead,
        "panel_contagion": reference.beta(120, t, (own, p), (others, p)),
        "panel_isolation": 1 - sum(rhos) / len(rhos) if len(rhos) >= 2 else nan,
    }


# -- error correction ------------------------------------------------------------------------------------------------


def legs_of(p: str) -> list[str]:
    """The pair, the pair of X and its sister, the pair of Y and its sister."""
    x, y = p[:3], p[3:]
    z1 = next(z for z in SISTERS[x].split() if z != y)
    z2 = next(z for z in SISTERS[y].split() if z not in (x, z1))
    return [p, *(a + b if a + b in PAIRS else b + a for a, b in ((x, z1), (y, z2)))]


def slow_correction(reference: Twin, p: str, t: int) -> dict[str, float]:
    """The 12 features of ``error_correction`` at one bar, by statsmodels' ``coint_johansen``."""
    legs, rate = legs_of(p), reference.domain == "rate"
    hour = reference.ts[t] // 60 * 60
    end = next(i for i, minute in enumerate(reference.ts) if minute >= hour)

    def y(i: int) -> np.ndarray:
        return np.array([log(reference.c[q][i]) if rate else reference.once((reference.m, q, 75), i) for q in legs])

    window = np.array([y(i) for i in range(end - 1440, end)])
    fit = coint_johansen(window, det_order=0, k_ar_diff=1)
    scale = 1e4 if rate else 1.0
    beta, beta2 = (v / abs(v).sum() * np.sign(v[0]) for v in (fit.evec[:, 0], fit.evec[:, 1]))
    e = scale * ((window - window.mean(axis=0)) @ beta)
    now, ago10, ago20 = (scale * beta @ (y(t - lag) - window.mean(axis=0)) for lag in (0, 10, 20))
    phi = ols(e[1:], e[:-1])[0]
    shares = fit.eig / fit.eig.sum()
    exceeded = [s > c for s, c in zip(fit.lr1, fit.cvt[:, 1], strict=True)]
    rank = exceeded.index(False) if False in exceeded else 3
    return {
        "coint_ect": now,
        "coint_ect2": scale * beta2 @ (y(t) - window.mean(axis=0)),
        "coint_ect_z": now / e.std(ddof=1),
        "coint_velocity": now - ago20,
        "coint_accel": now - 2 * ago10 + ago20,
        "coint_half_life": 1440.0 if phi >= 1 else 0.0 if phi <= 0 else min(-log(2) / log(phi), 1440.0),
        "coint_adjustment": ols(scale * np.diff(window[:, 0]), e[:-1])[0],
        "coint_beta_1": beta[1],
        "coint_beta_2": beta[2],
        "coint_trace_ratio": fit.lr1[0] / fit.cvt[0, 1],
        "coint_rank": rank if rate else exp(-sum(s * log(s) for s in shares)),
        "coint_inbound": float(now * (now - ago20) < 0),
    }
