"""Weekly models with arch and hmmlearn; what they lack (filters, change points) bar by bar in numpy."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd
from arch import arch_model
from hmmlearn.hmm import GaussianHMM
from scipy.special import gammaln

from benchmarks.rivals.script import Script, bars_since, placed

WEEK, SUNDAY, FIT, BEFORE = 10_080, 3 * 1440, 7_200, 1_440


def _weeks(s: Script, first_valid: int) -> Iterator[tuple[int, int]]:
    """First and last row of every week that has enough bars before it."""
    anchors = s.ts - (s.ts - SUNDAY) % WEEK
    for anchor in np.unique(anchors):
        begin, end = np.searchsorted(s.ts, [anchor, anchor + WEEK])
        if begin - FIT >= first_valid:
            yield int(begin), int(end)


# -- GARCH -----------------------------------------------------------------------------------------------------------


def volatility_surface(s: Script) -> dict[str, np.ndarray]:
    r = 1e4 * s.r
    rv = {w: r.rolling(w).std() for w in (15, 30, 60, 120, 240)}
    logs = np.log(list(rv)) - np.log(list(rv)).mean()
    out = {f"vs_rv_{w}": rv[w].to_numpy() for w in rv}
    out["vs_slope"] = pd.DataFrame(rv).to_numpy() @ (logs / (logs**2).sum())
    out["vs_curvature"] = (rv[15] - 2 * rv[60] + rv[240]).to_numpy()
    out["vs_ratio_15_60"], out["vs_ratio_60_240"] = (rv[15] / rv[60]).to_numpy(), (rv[60] / rv[240]).to_numpy()
    fitted = {name: np.full(len(r), np.nan) for name in ("vol", "vol_30", "term", "persistence", "z")}
    for begin, end in _weeks(s, int(r.first_valid_index() or 0)):
        for name, values in _garch_week(r.to_numpy()[begin - FIT : end]).items():
            fitted[name][begin:end] = values
    out |= {f"garch_{name}": values for name, values in fitted.items()}
    out["garch_vs_rv"] = np.clip(fitted["vol"] / out["vs_rv_60"], 0, 10)
    return out


def _garch_week(r: np.ndarray) -> dict[str, np.ndarray | float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = arch_model(r[:FIT], mean="Constant", rescale=False).fit(disp="off")
    mu, omega, alpha, beta = fit.params
    variance = np.empty(len(r) + 1)
    variance[:FIT] = fit.conditional_volatility**2
    for t in range(FIT, len(r) + 1):
        variance[t] = omega + alpha * (r[t - 1] - mu) ** 2 + beta * variance[t - 1]
    ahead = variance[FIT + 1 :]
    p = alpha + beta
    powers = p ** np.arange(60)
    constants = omega * (np.cumsum(powers) - powers)  # what k steps without new information add to the variance
    means = {h: constants[:h].mean() + ahead * powers[:h].mean() for h in (30, 60)}
    return {
        "vol": np.sqrt(ahead), "vol_30": np.sqrt(means[30]), "term": np.sqrt(means[60] / ahead), "persistence": p,
        "z": r[FIT:] / np.sqrt(variance[FIT:-1]),
    }  # fmt: skip


# -- hidden Markov model ---------------------------------------------------------------------------------------------


def hmm_regime(s: Script) -> dict[str, np.ndarray]:
    r = 1e4 * s.r
    y = np.column_stack([1e4 * np.log(s.x / s.x.shift(5)), np.log(0.1 + r.rolling(15).std())])
    valid = int(np.flatnonzero(np.isfinite(y).all(axis=1))[0])
    weeks = []
    for begin, end in _weeks(s, valid):
        window, onward = slice(begin - FIT, begin), slice(begin - BEFORE, end)
        week = _states(y[window], y[onward]) | _change_points(r.to_numpy()[window], r.to_numpy()[onward])
        weeks.append({name: np.asarray(values, float)[BEFORE:] for name, values in week.items()})
    return {name: placed(np.concatenate([week[name] for week in weeks]), len(r)) for name in weeks[0]}


def _model(y: np.ndarray) -> GaussianHMM:
    order = np.argsort(y[:, 1], kind="stable")
    parts = [y[part] for part in np.array_split(order, 3)]
    model = GaussianHMM(3, "diag", n_iter=100, tol=-np.inf, init_params="", params="stmc")
    model.startprob_, model.transmat_ = np.full(3, 1 / 3), np.where(np.eye(3) > 0, 0.98, 0.01)
    model.means_ = np.array([part.mean(axis=0) for part in parts])
    model.covars_ = np.array([np.maximum(part.var(axis=0), 1e-3) for part in parts])
    logging.disable(logging.WARNING)
    model.fit(y)
    logging.disable(logging.NOTSET)
    return model


def _states(window: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    model = _model(window)
    order = np.argsort(model.means_[:, 1])
    means, variances = model.means_[order], model._covars_[order]
    a = model.transmat_[np.ix_(order, order)]
    errors = (y[:, None, :] - means) ** 2 / variances + np.log(2 * np.pi * variances)
    density = np.exp(-0.5 * errors.sum(axis=2))
    p, loglik = np.full((len(y), 3), 1 / 3), np.empty(len(y))
    for t in range(len(y)):
        joint = (p[t - 1] @ a if t else p[0]) * density[t]
        loglik[t], p[t] = np.log(joint.sum()), joint / joint.sum()
    state = pd.Series(p.argmax(axis=1))
    agreement = sum((state == state.shift(k)).astype(float) for k in range(60)) / 60
    return {
        "hmm_prob_calm": p[:, 0], "hmm_prob_trend": p[:, 1], "hmm_prob_shock": p[:, 2],
        "hmm_state_duration": bars_since(state, 1440), "hmm_switch_prob": 1 - p @ np.diag(a),
        "hmm_entropy": -np.where(p > 0, p * np.log(np.maximum(p, 1e-300)), 0).sum(axis=1) / np.log(3),
        "hmm_loglik": pd.Series(loglik).rolling(15).mean().clip(-100, 100), "hmm_agreement": agreement,
    }  # fmt: skip


# -- change points ---------------------------------------------------------------------------------------------------


def _change_points(window: np.ndarray, r: np.ndarray, runs: int = 240, hazard: float = 0.01) -> dict[str, np.ndarray]:
    """Adams & MacKay's recursion, and CUSUM."""
    prior = np.array([window.mean(), 1.0, 1.0, window.var(ddof=1)])
    p, stats = np.zeros(runs + 1), np.tile(prior[:, None], runs + 1)
    p[0] = 1.0
    out = np.empty((len(r), 3))
    for t, value in enumerate(r):
        mu, kappa, alpha, beta = stats
        scale = beta * (kappa + 1) / (alpha * kappa)
        z = (value - mu) ** 2 / (2 * alpha * scale)
        density = gammaln(alpha + 0.5) - gammaln(alpha) - 0.5 * np.log(2 * np.pi * alpha * scale)
        joint = p * np.exp(density - (alpha + 0.5) * np.log1p(z))
        updated = np.array([
            (kappa * mu + value) / (kappa + 1), kappa + 1, alpha + 0.5,
            beta + kappa * (value - mu) ** 2 / (2 * (kappa + 1)),
        ])  # fmt: skip
        stats = np.column_stack([prior, updated[:, :-1]])
        grown = (1 - hazard) * joint
        p = np.r_[hazard * joint.sum(), grown[:-1]]
        p[-1] += grown[-1]
        p /= p.sum()
        out[t] = p.argmax(), p @ np.arange(runs + 1), p[:15].sum()
    found = {"bocpd_run_length": out[:, 0], "bocpd_expected_run": out[:, 1], "bocpd_change_prob": out[:, 2]}
    return found | _cusum(r / window.std(ddof=1))


def _cusum(z: np.ndarray, drift: float = 0.5, limit: float = 5.0) -> dict[str, np.ndarray]:
    up, down, latest, since = 0.0, 0.0, 0, 1440
    out = np.empty((len(z), 4))
    for t, value in enumerate(z):
        up, down = max(0.0, up + value - drift), max(0.0, down - value - drift)
        alarm = 1 if up > limit else -1 if down > limit else 0
        up, down = 0.0 if up > limit else up, 0.0 if down > limit else down
        since = 0 if alarm else min(since + 1, 1440)
        latest = alarm or latest
        out[t] = up, down, latest if since < 15 else 0, since
    names = ("cusum_up", "cusum_down", "cusum_alarm", "cusum_bars_since_alarm")
    return dict(zip(names, out.T, strict=True))
