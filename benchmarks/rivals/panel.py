"""Tables of many pairs with pandas, column by column, and statsmodels."""

from __future__ import annotations

from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from statsmodels.tsa.vector_ar.vecm import coint_johansen

from fxloom.features.panel_view import PanelFrame
from fxloom.series.siblings import MAJORS, SETS, relate, system_of, triangles_of

LEAST = 3


class PanelScript:
    """All pairs in one domain: one column per pair, one row per bar of the panel clock."""

    def __init__(self, frame: PanelFrame, domain: str, spread: pd.DataFrame, begin: int) -> None:
        self.bqx = domain == "bqx"
        self.pairs, self.ts = list(frame.pairs), frame.ts[begin:]
        self.price = pd.DataFrame(frame.price.T[begin:], columns=self.pairs)
        self.present = pd.DataFrame(frame.present.T[begin:], columns=self.pairs)
        self.spread = spread.iloc[begin:].reset_index(drop=True)
        self.baseline = pd.Series({p: t.baseline for p, t in frame.infos.items()})

    @cached_property
    def close(self) -> pd.DataFrame:
        return 100 * self.price / self.baseline

    def momentum(self, window: int) -> pd.DataFrame:
        return (self.close.shift(1).rolling(window).sum() - window * self.close) / self.close

    @cached_property
    def r(self) -> pd.DataFrame:
        r = np.log(self.close).diff()
        return r.where(r.abs() >= 1e-12, 0.0).where(r.notna())

    @cached_property
    def flow(self) -> pd.DataFrame:
        return np.log(1 + self.momentum(15) / 15) if self.bqx else self.r

    def returns(self, window: int) -> pd.DataFrame:
        return self.flow.rolling(window).sum() if self.bqx else np.log(self.close / self.close.shift(window))

    def std(self, window: int) -> pd.DataFrame:
        return self.flow.rolling(window, min_periods=-(-window // 4)).std()


def correlation(s: PanelScript) -> dict[str, pd.DataFrame]:
    out = _sets_of_correlations(s)
    for name in SETS:
        for w in (15, 60):
            y = out[f"corr_{name}_{w}"]
            rolling = y.rolling(240, min_periods=60)
            out[f"corr_{name}_z_{w}"] = (y - rolling.mean()) / rolling.std()
        out |= _against_set(s, name)
    for w in (15, 60, 240):
        out[f"corr_stability_{w}"] = out["corr_base_15"].rolling(w, min_periods=-(-w // 4)).std()
    moves = {w: s.momentum(w) if s.bqx else np.log(s.close / s.close.shift(w)) for w in (15, 30, 60, 75)}
    for a, b in combinations((15, 30, 60, 75), 2):
        out[f"corr_win_{a}_{b}"] = moves[a].rolling(240, min_periods=60).corr(moves[b])
    return out


def _sets_of_correlations(s: PanelScript) -> dict[str, pd.DataFrame]:
    out = {}
    for w in (15, 30, 60, 120):
        rho = _pairwise(s.flow.where(s.present), w)
        for which, name in enumerate(SETS):
            out[f"corr_{name}_{w}"] = pd.DataFrame({p: _mean_rho(s, rho, p, which) for p in s.pairs})
    return out


def _pairwise(y: pd.DataFrame, window: int) -> dict[frozenset[str], pd.Series]:
    """The rolling correlation of every pair of pairs."""
    least = -(-window // 4)
    return {frozenset((p, q)): y[p].rolling(window, min_periods=least).corr(y[q]) for p, q in combinations(y, 2)}


def _mean_rho(s: PanelScript, rho: dict[frozenset[str], pd.Series], pair: str, which: int) -> pd.Series:
    signed = {q: relate(pair, q)[1] * rho[frozenset((pair, q))] for q in s.pairs if relate(pair, q)[0] == which}
    frame = pd.DataFrame(signed).where(s.present[list(signed)])
    return (frame.abs() if which == 2 else frame).mean(axis=1)


def _signed(s: PanelScript, y: pd.DataFrame, pair: str, name: str) -> pd.DataFrame:
    """The signed series of the set's members that are present."""
    members = [q for q in s.pairs if relate(pair, q)[0] == SETS.index(name)]
    return (y[members] * [relate(pair, q)[1] for q in members]).where(s.present[members])


def _against_set(s: PanelScript, name: str) -> dict[str, pd.DataFrame]:
    std, flow = s.std(60), s.flow
    found: dict[str, dict[str, pd.Series]] = {}
    near = {w: s.returns(w) for w in (15, 60)} if name != "cross" else {}
    strength = s.returns(240) / (s.std(240) * np.sqrt(240)) if near else None
    for pair in s.pairs:
        mean, r = _signed(s, flow, pair, name).mean(axis=1), flow[pair]
        members = _signed(s, std, pair, name)
        values = {
            f"lead_lag_{name}": _corr(r, mean.shift(1), 120) - _corr(r.shift(1), mean, 120),
            f"beta_{name}_60": (_cov(r, mean, 60) / mean.rolling(60, min_periods=15).var()).clip(-20, 20),
            f"vol_ratio_{name}": (std[pair] / members.abs().mean(axis=1)).clip(0, 20),
        }
        for w, returns in near.items():
            relatives = _signed(s, returns, pair, name)
            gap = (returns[pair] - relatives.mean(axis=1)) / relatives.std(axis=1)
            values[f"divergence_{name}_{w}"] = gap.where(relatives.count(axis=1) >= LEAST).clip(-20, 20)
        if strength is not None:
            values[f"rel_strength_{name}"] = _signed(s, strength, pair, name).mean(axis=1)
        for key, value in values.items():
            found.setdefault(key, {})[pair] = value
    return {key: pd.DataFrame(columns) for key, columns in found.items()}


def _corr(x: pd.Series, y: pd.Series, window: int) -> pd.Series:
    return x.rolling(window, min_periods=window // 4).corr(y)


def _cov(x: pd.Series, y: pd.Series, window: int) -> pd.Series:
    return x.rolling(window, min_periods=window // 4).cov(y)


def error_correction(s: PanelScript) -> dict[str, pd.DataFrame]:
    y = s.momentum(75) if s.bqx else np.log(s.close)
    hours = np.unique(s.ts // 60) * 60
    found: dict[str, dict[str, np.ndarray]] = {}
    for pair in s.pairs:
        legs = y[list(system_of(pair))].to_numpy()
        for name, values in _corrections(legs, s.ts, hours, 1.0 if s.bqx else 1e4).items():
            found.setdefault(name, {})[pair] = values
    return {name: pd.DataFrame(columns) for name, columns in found.items()}


def _corrections(y: np.ndarray, ts: np.ndarray, hours: np.ndarray, scale: float) -> dict[str, np.ndarray]:
    names = ("ect", "ect2", "ect_z", "half_life", "adjustment", "beta_1", "beta_2", "trace_ratio")
    out = np.full((len(names), len(ts)), np.nan)
    for hour in hours:
        begin, end = np.searchsorted(ts, [hour, hour + 60])
        if begin >= 1_440 and np.isfinite(y[begin - 1_440 : begin]).all():
            out[:, begin:end] = _hour(y[begin - 1_440 : begin], y[begin:end], scale)
    return {f"coint_{name}": values for name, values in zip(names, out, strict=True)}


def _hour(window: np.ndarray, y: np.ndarray, scale: float) -> np.ndarray:
    fit = coint_johansen(window, 0, 1)
    vectors = fit.evec[:, :2] / np.abs(fit.evec[:, :2]).sum(axis=0) * np.sign(fit.evec[0, :2])
    past, now = (window - window.mean(axis=0)) @ vectors, (y - window.mean(axis=0)) @ vectors
    e = past[:, 0]
    phi = np.polyfit(e[:-1], e[1:], 1)[0]
    half_life = 1440.0 if phi >= 1 else 0.0 if phi <= 0 else min(-np.log(2) / np.log(phi), 1440.0)
    adjustment = np.polyfit(e[:-1], np.diff(window[:, 0]), 1)[0]
    hourly = (half_life, adjustment, vectors[1, 0], vectors[2, 0], fit.lr1[0] / fit.cvt[0, 1])
    rows = [scale * now[:, 0], scale * now[:, 1], now[:, 0] / e.std(ddof=1)]
    return np.array(rows + [np.full(len(y), value) for value in hourly])


def currency_strength(s: PanelScript) -> dict[str, pd.DataFrame]:
    currencies = sorted({p[:3] for p in s.pairs} | {p[3:] for p in s.pairs})
    strengths = {}
    for w in (60, 240):
        bp = 1e4 * np.log(s.close / s.close.shift(w)).where(s.present)
        signed = {
            c: bp[[p for p in s.pairs if c in p]] * [1 if p[:3] == c else -1 for p in s.pairs if c in p]
            for c in currencies
        }
        strengths[w] = pd.DataFrame({c: y.mean(axis=1) for c, y in signed.items()})
    share = strengths[60].round(9).rank(axis=1)
    rank = (share - 1).div(strengths[60].count(axis=1) - 1, axis=0)
    dispersion = strengths[60].std(axis=1)
    bases, quotes = [p[:3] for p in s.pairs], [p[3:] for p in s.pairs]
    frames = {f"cs_base_{w}": strengths[w][bases] for w in (60, 240)}
    frames |= {f"cs_quote_{w}": strengths[w][quotes] for w in (60, 240)}
    frames |= {"cs_base_rank": rank[bases], "cs_quote_rank": rank[quotes]}
    out = {name: frame.set_axis(s.pairs, axis=1) for name, frame in frames.items()}
    out["cs_dispersion_60"] = pd.DataFrame(dict.fromkeys(s.pairs, dispersion))
    out["cs_breadth_60"] = pd.DataFrame({p: _breadth(s, p) for p in s.pairs})
    return out


def _breadth(s: PanelScript, pair: str) -> pd.Series:
    moves = np.sign(_signed(s, s.r, pair, "base"))
    up, all_ = (moves > 0).sum(axis=1), (moves != 0).where(moves.notna(), False).sum(axis=1)
    return up.rolling(60).sum() / all_.rolling(60).sum()


def arbitrage(s: PanelScript) -> dict[str, pd.DataFrame]:
    logs = np.log(s.price).where(s.present)
    found: dict[str, dict[str, pd.Series]] = {"arb_resid": {}, "arb_resid_extreme": {}, "arb_profit": {}, "arb_z": {}}
    for pair in s.pairs:
        legs = triangles_of(pair)
        e = pd.DataFrame({a: 1e4 * (logs[pair] + i * logs[a] + j * logs[b]) for a, i, b, j in legs})
        e = e.where(e.abs() >= 1e-8, 0.0).where(e.notna())
        cost = pd.DataFrame({a: (s.spread[pair] + s.spread[a] + s.spread[b]) / 2 for a, _, b, _ in legs})
        values = e.to_numpy()
        size = np.where(np.isnan(values), -1.0, np.abs(values))
        extreme = np.take_along_axis(values, size.argmax(axis=1)[:, None], axis=1)[:, 0]
        found["arb_resid"][pair] = mean = e.mean(axis=1)
        found["arb_resid_extreme"][pair] = pd.Series(extreme).where(e.count(axis=1) >= 2)
        found["arb_profit"][pair] = (e.abs() - cost).max(axis=1)
        rolling = mean.rolling(240, min_periods=60)
        found["arb_z"][pair] = (mean - rolling.mean()) / rolling.std()
    return {name: pd.DataFrame(columns) for name, columns in found.items()}


def cross_section(s: PanelScript) -> dict[str, pd.DataFrame]:
    out: dict[str, pd.DataFrame] = {}
    momentum = {w: s.momentum(w).where(s.present) for w in (15, 30, 45, 60)}
    volatility = {w: s.std(w).where(s.present) for w in (15, 30, 60)}
    groups = {f"momentum_{w}": y for w, y in momentum.items()} | {f"volatility_{w}": y for w, y in volatility.items()}
    for name, y in groups.items():
        out |= _places(s, name, y)
        if not name.endswith("45"):
            out |= _spreads(s, name, y)
    out |= _places(s, "spread", s.spread)
    for name in ("momentum", "volatility"):
        place = out[f"pctile_{name}_60"]
        out[f"extreme_high_{name}"] = (place >= 0.9).astype(float).where(place.notna())
        out[f"extreme_low_{name}"] = (place <= 0.1).astype(float).where(place.notna())
    return out | _panel_wide(s, momentum, volatility)


def _everyone(s: PanelScript, y: pd.Series) -> pd.DataFrame:
    return pd.DataFrame(dict.fromkeys(s.pairs, y)).where(s.present)


def _places(s: PanelScript, name: str, y: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Ranks among the majors and among all other pairs."""
    share = (y.rank(axis=1) - 1).div(y.count(axis=1) - 1, axis=0)
    ranks = {}
    for pair in s.pairs:
        others = y[[m for m in MAJORS if m in y and m != pair]]
        below, same = others.lt(y[pair], axis=0).sum(axis=1), others.eq(y[pair], axis=0).sum(axis=1)
        ranks[pair] = ((below + same / 2) / others.count(axis=1)).where(y[pair].notna())
    return {f"rank_{name}": pd.DataFrame(ranks), f"pctile_{name}": share}


def _spreads(s: PanelScript, name: str, y: pd.DataFrame) -> dict[str, pd.DataFrame]:
    gap = y.sub(y.median(axis=1), axis=0)
    mad = gap.abs().median(axis=1)
    gap = gap.div(1.4826 * mad.where(mad > 0), axis=0).clip(-20, 20)
    return {f"dispersion_{name}": _everyone(s, y.std(axis=1)), f"divergence_{name}": gap}


def _panel_wide(
    s: PanelScript, momentum: dict[int, pd.DataFrame], volatility: dict[int, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    pulls = {"momentum": momentum[60].abs(), "volatility": volatility[60], "spread": s.spread}
    out = {}
    for a, b in combinations(pulls, 2):
        both = pulls[a].notna() & pulls[b].notna()
        rho = pulls[a].where(both).rank(axis=1).corrwith(pulls[b].where(both).rank(axis=1), axis=1)
        out[f"xs_corr_{a}_{b}"] = _everyone(s, rho)
    before = momentum[60].shift(60)
    both = momentum[60].notna() & before.notna()
    stable = momentum[60].where(both).rank(axis=1).corrwith(before.where(both).rank(axis=1), axis=1)
    out["panel_rank_stability"] = _everyone(s, stable)
    spread = momentum[30].std(axis=1)
    out["panel_dispersion_change"] = _everyone(s, (spread / spread.shift(30) - 1).clip(-1, 20))
    for name, y in (("momentum", momentum[15].abs()), ("volatility", volatility[15])):
        mean = y.mean(axis=1)
        out[f"panel_{name}_accel"] = _everyone(s, (mean / mean.shift(15) - 1).clip(-1, 20))
    return out | _coherence(s)


def _coherence(s: PanelScript) -> dict[str, pd.DataFrame]:
    rho = {key: y.abs() for key, y in _pairwise(s.r.where(s.present), 60).items()}
    held = {key: y.where(s.present[list(key)].all(axis=1)) for key, y in rho.items()}
    coherence = pd.concat(held.values(), axis=1).mean(axis=1)
    alone = {p: 1 - pd.concat([y for key, y in held.items() if p in key], axis=1).mean(axis=1) for p in s.pairs}
    return {"panel_coherence": _everyone(s, coherence), "panel_isolation": pd.DataFrame(alone).where(s.present)}
