"""Models refitted every Sunday 00:00 UTC with hmmlearn and scipy, and series filtered with them."""

from __future__ import annotations

import logging
import math
from typing import Any

import numpy as np
import scipy.optimize
import scipy.signal
import scipy.stats
from hmmlearn.hmm import GaussianHMM

from tests.reference.market import NAN, Array, DomainView, quotient, stds, window

WEEK, SUNDAY = 10_080, 3 * 1440  # minutes; 1970-01-04 was a Sunday


def anchor_at(s: DomainView, t: int) -> int:
    """The first clock bar at or after the Sunday 00:00 UTC that is in force at t."""
    minute = (int(s.market.ts[t]) - SUNDAY) // WEEK * WEEK + SUNDAY
    return int(np.searchsorted(s.market.ts, minute))


def week_of(s: DomainView, t: int, name: str, make: Any) -> Any:
    """``make`` for the anchor in force at t, from its bar to the bar before the next anchor."""
    a = anchor_at(s, t)
    minute = (int(s.market.ts[t]) - SUNDAY) // WEEK * WEEK + SUNDAY + WEEK
    end = int(np.searchsorted(s.market.ts, minute))
    return a, s.memoised((name, a), lambda: make(s, a, end))


# -- hidden Markov model ---------------------------------------------------------------------------------------------


def observations(s: DomainView) -> Array:
    x = s.x
    ret = np.full(len(x), NAN)
    ret[5:] = np.log(x[5:] / x[:-5])
    ret = np.where(np.abs(ret) < 1e-12, 0.0, ret)
    return np.column_stack([1e4 * ret, np.log(0.1 + 1e4 * stds(s.r, 15))])


def fitted(y: Array) -> GaussianHMM:
    logging.getLogger("hmmlearn").setLevel(logging.ERROR)
    thirds = np.array_split(y[np.argsort(y[:, 1], kind="stable")], 3)
    model = GaussianHMM(3, "diag", n_iter=100, tol=-np.inf, init_params="", implementation="log")
    model.startprob_ = np.full(3, 1 / 3)
    model.transmat_ = np.full((3, 3), 0.01) + 0.97 * np.eye(3)
    model.means_ = np.array([part.mean(axis=0) for part in thirds])
    model.covars_ = np.array([np.maximum(part.var(axis=0), 1e-3) for part in thirds])
    model.fit(y)
    order = np.argsort(model.means_[:, 1])
    covars = np.array([np.diag(c) for c in model.covars_])[order]
    model.transmat_, model.means_ = model.transmat_[order][:, order], model.means_[order]
    model.covars_ = covars
    return model


def filtered(s: DomainView, a: int, end: int) -> tuple[Array, Array, Array] | None:
    """Probabilities and log densities from 1,440 bars before the anchor, and the diagonal of the transitions."""
    y = observations(s)
    past = y[max(a - 7200, 0) : a]
    if a < 7200 or np.isnan(past).any():
        return None
    model = fitted(past)
    variances = np.array([np.diag(c) for c in model.covars_])
    p, probabilities, densities = np.full(3, 1 / 3), [], []
    for t in range(a - 1440, end):
        logs = scipy.stats.norm.logpdf(y[t], model.means_, np.sqrt(variances)).sum(axis=1)
        ahead = p if t == a - 1440 else p @ model.transmat_
        weight = ahead * np.exp(logs - logs.max())
        densities.append(math.log(weight.sum()) + logs.max())
        p = weight / weight.sum()
        probabilities.append(p)
    return np.array(probabilities), np.array(densities), np.diag(model.transmat_)


def states(s: DomainView, t: int) -> dict[str, float]:
    names = ("prob_calm", "prob_trend", "prob_shock", "state_duration", "switch_prob", "entropy", "loglik", "agreement")
    a, week = week_of(s, t, "hmm", filtered)
    if week is None:
        return {f"hmm_{name}": NAN for name in names}
    p, densities, stay = week
    i = t - (a - 1440)
    likeliest = p.argmax(axis=1)
    changed = [k for k in range(1, i + 1) if likeliest[k] != likeliest[k - 1]]
    now = p[i]
    found = [
        *now, min(1440, i - changed[-1]) if changed else 1440, 1 - now @ stay,
        -(now[now > 0] * np.log(now[now > 0])).sum() / math.log(3),
        np.clip(densities[i - 14 : i + 1].mean(), -100, 100), np.mean(likeliest[i - 59 : i + 1] == likeliest[i]),
    ]  # fmt: skip
    return {f"hmm_{name}": float(value) for name, value in zip(names, found, strict=True)}


# -- change points ---------------------------------------------------------------------------------------------------


def run_probabilities(s: DomainView, a: int, end: int) -> Array | None:
    """Adams & MacKay's P(run) of every bar from 1,440 before the anchor; run 240 means 240 or more."""
    r = 1e4 * s.r
    past = r[max(a - 7200, 0) : a]
    if a < 7200 or np.isnan(past).any():
        return None
    prior = np.array([past.mean(), 1.0, 1.0, past.var(ddof=1)])
    stats, p, out = np.tile(prior, (241, 1)), np.eye(241)[0], []
    for t in range(a - 1440, end):
        mu, kappa, alpha, beta = stats.T
        scale = np.sqrt(beta * (kappa + 1) / (alpha * kappa))
        weight = p * scipy.stats.t.pdf(r[t], 2 * alpha, mu, scale)
        after = np.concatenate([[weight.sum() / 100], 0.99 * weight[:-1]])
        after[240] += 0.99 * weight[240]
        p = after / after.sum()
        out.append(p)
        d = r[t] - mu
        grown = np.column_stack(
            [(kappa * mu + r[t]) / (kappa + 1), kappa + 1, alpha + 0.5, beta + kappa * d * d / (2 * (kappa + 1))]
        )
        stats = np.concatenate([[prior], grown[:-1]])
    return np.array(out)


def cusums(s: DomainView, a: int, end: int) -> tuple[Array, list[tuple[int, int]]] | None:
    """Both sums after each bar, and the alarms."""
    past = s.r[max(a - 7200, 0) : a]
    if a < 7200 or np.isnan(past).any():
        return None
    up = down = 0.0
    sums, alarms = [], []
    for t in range(a - 1440, end):
        z = s.r[t] / past.std(ddof=1)
        up, down = max(0.0, up + z - 0.5), max(0.0, down - z - 0.5)
        alarms += [(t, 1)] if up > 5 else [(t, -1)] if down > 5 else []
        up, down = (0.0 if up > 5 else up), (0.0 if down > 5 else down)
        sums.append((up, down))
    return np.array(sums), alarms


def hmm_regime(s: DomainView, t: int) -> dict[str, float]:
    out = states(s, t)
    a, runs = week_of(s, t, "runs", run_probabilities)
    week = week_of(s, t, "cusum", cusums)[1]
    names = ("run_length", "expected_run", "change_prob")
    i = t - (a - 1440)
    p = np.full(241, NAN) if runs is None else runs[i]
    run = [p.argmax() + 0 * p[0], p @ np.arange(241), p[:15].sum()]
    out |= {f"bocpd_{name}": float(value) for name, value in zip(names, run, strict=True)}
    if week is None:
        return out | dict.fromkeys(("cusum_up", "cusum_down", "cusum_alarm", "cusum_bars_since_alarm"), NAN)
    sums, alarms = week
    reported = [(when, side) for when, side in alarms if when <= t]
    when, side = reported[-1] if reported else (t - 1440, 0)
    out |= {"cusum_up": sums[i, 0], "cusum_down": sums[i, 1], "cusum_bars_since_alarm": float(min(t - when, 1440))}
    return out | {"cusum_alarm": float(side if t - when <= 14 else 0)}


# -- GARCH -----------------------------------------------------------------------------------------------------------


def variances(r: Array, x: Array, before: float) -> Array:
    """Of every bar, and of the one after the last."""
    _, omega, alpha, beta = x
    squares = np.concatenate([[before], (r - x[0]) ** 2])
    drive = omega + alpha * squares
    return np.asarray(scipy.signal.lfilter([1.0], [1.0, -beta], drive, zi=[beta * before])[0])


def cost(x: Array, r: Array, before: float) -> float:
    v = variances(r, x, before)[:-1]
    return float(0.5 * np.mean(np.log(v) + (r - x[0]) ** 2 / v)) if v.min() > 0 else 1e6


def garch_fit(past: Array) -> tuple[Array, float]:
    """(mu, omega, alpha, beta) of r over its standard deviation, by scipy's SLSQP from the four defined starts."""
    before = float(np.average((past[:75] - past.mean()) ** 2, weights=0.94 ** np.arange(75)))
    variance, best = past.var(ddof=1), None
    bounds = [(None, None), (1e-8 * variance, None), (0, 1), (0, 1)]
    limit = {"type": "ineq", "fun": lambda x: 1 - x[2] - x[3]}
    for alpha, total in ((0.05, 0.98), (0.10, 0.90), (0.30, 0.95), (0.60, 0.75)):
        x = np.array([past.mean(), variance * (1 - total), alpha, total - alpha])
        for _ in range(3):  # SLSQP stops early, so restart it from where it stopped
            x = scipy.optimize.minimize(
                cost, x, (past, before), "SLSQP", "3-point", bounds=bounds, constraints=[limit],
                options={"ftol": 1e-15, "maxiter": 500},
            ).x  # fmt: skip
        value = cost(x, past, before)
        if best is None or value < best[0] - 1e-12:
            best = (value, x)
    assert best is not None
    return best[1], before


def garch_week(s: DomainView, a: int, end: int) -> tuple[Array, Array] | None:
    r = 1e4 * s.r
    past = r[max(a - 7200, 0) : a]
    if a < 7200 or np.isnan(past).any():
        return None
    scale = past.std(ddof=1)
    x, before = garch_fit(past / scale)
    v = variances(r[a - 7200 : end] / scale, x, before) * scale**2
    return x * np.array([scale, scale**2, 1, 1]), v


def volatility_surface(s: DomainView, t: int) -> dict[str, float]:
    spans = (15, 30, 60, 120, 240)
    rv = {w: 1e4 * s.memoised(("vs", w), lambda w=w: stds(s.r, w))[t] for w in spans}
    values = np.array([rv[w] for w in spans])
    slope = np.polyfit(np.log(spans), values, 1)[0] if not np.isnan(values).any() else NAN
    a, week = week_of(s, t, "garch", garch_week)
    out = {f"vs_rv_{w}": value for w, value in rv.items()} | {
        "vs_slope": slope,
        "vs_curvature": rv[15] - 2 * rv[60] + rv[240],
        "vs_ratio_15_60": quotient(rv[15], rv[60]),
        "vs_ratio_60_240": quotient(rv[60], rv[240]),
    }
    names = ("garch_vol", "garch_vol_30", "garch_term", "garch_persistence", "garch_z", "garch_vs_rv")
    if week is None:
        return out | dict.fromkeys(names, NAN)
    (_, omega, alpha, beta), v = week
    i = t - (a - 7200)
    ahead = [v[i + 1]]
    for _ in range(59):
        ahead.append(omega + (alpha + beta) * ahead[-1])
    vol = math.sqrt(ahead[0])
    found = [
        vol, math.sqrt(np.mean(ahead[:30])), math.sqrt(np.mean(ahead)) / vol, alpha + beta,
        1e4 * window(s.r, t, 1)[0] / math.sqrt(v[i]), np.clip(quotient(vol, rv[60]), 0, 10),
    ]  # fmt: skip
    return out | {name: float(value) for name, value in zip(names, found, strict=True)}
