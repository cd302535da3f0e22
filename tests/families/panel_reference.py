"""The families of many pairs, slowly and from the page: one value at a time, from raw bars.

Also a small made-up panel with late pairs, holes, closures and stretches in which prices stand still.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import combinations
from math import log, nan, sqrt
from typing import Any

import numpy as np

from fxloom.bars.bars import Bars
from fxloom.bars.pairs import CURRENCIES, PairInfo
from fxloom.features.panel_view import PanelFrame

START = 25_296_480  # Monday 2018-02-05 00:00 UTC in minutes since 1970
SISTERS = {
    "aud": "nzd cad usd", "nzd": "aud cad usd", "cad": "aud usd nzd", "usd": "cad eur jpy",
    "eur": "gbp chf usd", "gbp": "eur chf usd", "chf": "eur jpy gbp", "jpy": "chf usd eur",
}  # fmt: skip
MAJORS = ["eurusd", "gbpusd", "usdjpy", "usdchf", "audusd", "usdcad", "nzdusd", "eurgbp"]
ROWS = (
    14,
    29,
    75,
    119,
    120,
    240,
    313,
    314,
    360,
    424,
    470,
    560,
    640,
    699,
    700,
    735,
    790,
    905,
    960,
    1099,
)  # before, at and after what happens
Series = tuple[Any, ...]  # a function of the position and its other arguments before that: (function, arguments ...)
OfPair = Callable[[str], float]


def frame_of(bars: dict[str, Bars], quotes: bool = True, baselines: dict[str, float] | None = None) -> PanelFrame:
    """A frame whose pairs have their own first close (or ``baselines``) as baseline."""
    first = baselines or {p: float(b.close[0]) for p, b in bars.items()}
    return PanelFrame(bars, {p: PairInfo(first[p], True, quotes) for p in bars})


# -- the twin --------------------------------------------------------------------------------------------------------


def clock_of(bars: dict[str, Bars]) -> list[int]:
    """The panel clock, minute by minute."""
    union = sorted({int(t) for b in bars.values() for t in b.ts})
    ts = union[:1]
    for t in union[1:]:
        ts += range(ts[-1] + 1, t + 1) if t - ts[-1] <= 60 else [t]
    return ts


def correlation(x: np.ndarray, y: np.ndarray) -> float:
    if len(x) < 2 or np.ptp(x) <= 1e-13 * abs(x).max() or np.ptp(y) <= 1e-13 * abs(y).max():
        return nan
    return float(np.corrcoef(x, y)[0, 1])


def ols(y: np.ndarray, x: np.ndarray) -> tuple[float, np.ndarray]:
    """Slope and residuals with an intercept; NaN where x stands still."""
    if len(x) < 2 or np.ptp(x) <= 1e-13 * abs(x).max():
        return nan, np.full(len(x), nan)
    design = np.column_stack([np.ones(len(x)), x - x.mean()])
    fit = np.linalg.lstsq(design, y - y.mean(), rcond=None)[0]
    return float(fit[1]), y - y.mean() - design @ fit


def share(own: float, others: list[float], least: int, relative: float = 1e-9, absolute: float = 0.0) -> float:
    """Share of ``others`` below ``own``, ties half."""
    others = [o for o in others if o == o]
    if own != own or len(others) < least:
        return nan
    ties = [o for o in others if abs(o - own) <= max(relative * max(abs(o), abs(own)), absolute)]
    return (sum(o < own for o in others if o not in ties) + 0.5 * len(ties)) / len(others)


class Twin:
    """Every series of the page as a function of the pair and the clock position."""

    def __init__(self, frame: PanelFrame, domain: str = "rate") -> None:
        self.frame, self.domain, self.bars = frame, domain, frame.bars
        self.pairs = sorted(frame.bars)
        self.ts = clock_of(dict(frame.bars))
        self.n = len(self.ts)
        self.c: dict[str, np.ndarray] = {}
        self.here: dict[str, list[bool]] = {}
        self.spread: dict[str, np.ndarray] = {}
        for p in self.pairs:
            self._carry(p)
        self.memo: dict[tuple[Any, ...], float] = {}

    def _carry(self, p: str) -> None:
        b, baseline = self.bars[p], self.frame.infos[p].baseline
        at = {int(t): i for i, t in enumerate(b.ts)}
        c, here, spread, last, age = [], [], [], None, 0
        for t in self.ts:
            last, age = (at[t], 0) if t in at else (last, age + 1)
            known = last is not None and age <= 7_200
            c.append(100.0 * b.close[last] / baseline if known else nan)
            here.append(last is not None and t - b.ts[last] <= 60)
            spread.append(10_000 * b.spread[last] / b.close[last] if here[-1] and b.spread is not None else nan)
        self.c[p], self.here[p], self.spread[p] = np.array(c), here, np.array(spread)

    # series

    def m(self, p: str, w: int, t: int) -> float:
        if t < w:
            return nan
        c = self.c[p]
        value = sum(c[t - i] - c[t] for i in range(1, w + 1)) / c[t]
        return 0.0 if abs(value) < 1e-12 else value

    def mom(self, p: str, w: int, t: int) -> float:
        if t < w:
            return nan
        value = log(self.c[p][t] / self.c[p][t - w])
        return 0.0 if abs(value) < 1e-12 else value

    def r(self, p: str, t: int) -> float:
        """r, or in bqx g."""
        if self.domain == "rate":
            return self.mom(p, 1, t)
        return log(1 + self.m(p, 15, t) / 15) if t >= 15 else nan

    def ret(self, p: str, w: int, t: int) -> float:
        if self.domain == "rate":
            return self.mom(p, w, t)
        return sum(self.r(p, i) for i in range(t - w + 1, t + 1)) if t >= w + 14 else nan

    def over(self, w: int, t: int, *series: Series) -> list[np.ndarray] | None:
        """The values of a window at the bars at which all are there; None where it holds too little."""
        if t - w + 1 < 0:
            return None
        rows = [[self.once(s, i) for s in series] for i in range(t - w + 1, t + 1)]
        if any(v != v for v in rows[-1]):
            return None
        rows = [row for row in rows if all(v == v for v in row)]
        return list(np.array(rows).T) if 4 * len(rows) >= w else None

    def once(self, series: Series, t: int) -> float:
        """``series`` is (function, arguments ...): its value at t, remembered."""
        key = (series[0].__name__, *series[1:], t)
        if key not in self.memo:
            self.memo[key] = series[0](*series[1:], t)
        return self.memo[key]

    def corr(self, w: int, t: int, a: Series, b: Series) -> float:
        found = self.over(w, t, a, b)
        return nan if found is None else correlation(*found)

    def beta(self, w: int, t: int, y: Series, x: Series) -> float:
        found = self.over(w, t, y, x)
        return nan if found is None else float(np.clip(ols(*found)[0], -20, 20))

    def std(self, w: int, t: int, y: Series) -> float:
        found = self.over(w, t, y)
        if found is None:
            return nan
        return 0.0 if np.ptp(found[0]) <= 1e-13 * abs(found[0]).max() else float(found[0].std(ddof=1))

    def z(self, w: int, t: int, y: Series) -> float:
        found = self.over(w, t, y)
        std = self.std(w, t, y)
        return nan if found is None or not std > 0 else (found[0][-1] - found[0].mean()) / std

    def vol(self, p: str, w: int, t: int) -> float:
        return self.std(w, t, (self.r, p))

    # sets

    def members(self, p: str, name: str) -> list[tuple[str, float]]:
        x, y = p[:3], p[3:]
        others = [q for q in self.pairs if q != p]
        if name == "base":
            return [(q, 1.0 if q[:3] == x else -1.0) for q in others if x in (q[:3], q[3:])]
        if name == "quote":
            return [(q, 1.0 if q[3:] == y else -1.0) for q in others if y in (q[:3], q[3:])]
        return [(q, 1.0) for q in others if not {x, y} & {q[:3], q[3:]}]

    def known(self, values: list[float]) -> list[float]:
        return [v for v in values if v == v]

    def mean(self, values: list[float]) -> float:
        values = self.known(values)
        return sum(values) / len(values) if values else nan

    def siblings(self, p: str, name: str, t: int, value: OfPair) -> list[float]:
        """Signed ``value(q)`` of the members present."""
        return self.known([s * value(q) for q, s in self.members(p, name) if self.here[q][t]])

    def set_r(self, p: str, name: str, t: int) -> float:
        return self.mean(self.siblings(p, name, t, lambda q: self.once((self.r, q), t)))

    def rho(self, p: str, q: str, w: int, t: int) -> float:
        return self.corr(w, t, (self.r, p), (self.r, q)) if self.here[p][t] and self.here[q][t] else nan

    def set_corr(self, p: str, name: str, w: int, t: int) -> float:
        found = self.siblings(p, name, t, lambda q: self.once((self.rho, p, q, w), t))
        return self.mean([abs(v) for v in found] if name == "cross" else found)


def slow_correlation(reference: Twin, p: str, t: int) -> dict[str, float]:
    """The 45 features of ``correlation`` at one bar."""
    out = {}
    for name in ("base", "quote", "cross"):
        for w in (15, 30, 60, 120):
            out[f"corr_{name}_{w}"] = reference.set_corr(p, name, w, t)
        for w in (15, 60):
            out[f"corr_{name}_z_{w}"] = reference.z(240, t, (reference.set_corr, p, name, w))
        out |= _against(reference, p, name, t)
    momentum = reference.mom if reference.domain == "rate" else reference.m
    for a, b in combinations((15, 30, 60, 75), 2):
        out[f"corr_win_{a}_{b}"] = reference.corr(240, t, (momentum, p, a), (momentum, p, b))
    for w in (15, 60, 240):
        out[f"corr_stability_{w}"] = reference.std(w, t, (reference.set_corr, p, "base", 15))
    for name in ("base", "quote"):
        strength = reference.siblings(p, name, t, lambda q: _strength(reference, q, t))
        out[f"rel_strength_{name}"] = reference.mean(strength)
        for w in (15, 60):
            others = reference.siblings(p, name, t, partial(reference.ret, w=w, t=t))
            std = np.std(others, ddof=1) if len(others) >= 3 else nan
            std = nan if len(others) < 3 or np.ptp(others) <= 1e-13 * max(map(abs, others)) else std
            out[f"divergence_{name}_{w}"] = np.clip((reference.ret(p, w, t) - reference.mean(others)) / std, -20, 20)
    return out


def _strength(reference: Twin, q: str, t: int) -> float:
    std = reference.vol(q, 240, t)
    return reference.ret(q, 240, t) / (std * sqrt(240)) if std != 0 else nan


def _against(reference: Twin, p: str, name: str, t: int) -> dict[str, float]:
    def before(p: str, i: int) -> float:
        return reference.r(p, i - 1) if i else nan

    def set_before(p: str, name: str, i: int) -> float:
        return reference.set_r(p, name, i - 1) if i else nan

    r, mean = (reference.r, p), (reference.set_r, p, name)
    lead = nan
    if t >= 120:
        found = reference.over(120, t, r, (set_before, p, name), (before, p), mean)
        lead = nan if found is None else correlation(found[0], found[1]) - correlation(found[2], found[3])
    found = reference.over(240, t, r, mean)
    resid = nan
    if found is not None:
        error = ols(np.cumsum(found[0]), np.cumsum(found[1]))[1]
        resid = error[-1] / error.std(ddof=1)
    vols = reference.mean([abs(v) for v in reference.siblings(p, name, t, lambda q: reference.vol(q, 60, t))])
    return {
        f"lead_lag_{name}": lead,
        f"coint_resid_{name}": resid,
        f"beta_{name}_60": reference.beta(60, t, r, mean),
        f"vol_ratio_{name}": min(reference.vol(p, 60, t) / vols, 20.0) if vols else nan,
    }


def slow_strength(reference: Twin, p: str, t: int) -> dict[str, float]:
    """The 8 features of ``currency_strength`` at one bar."""

    def strength(currency: str, w: int) -> float:
        held = [(q, 1.0 if q[:3] == currency else -1.0) for q in reference.pairs if currency in (q[:3], q[3:])]
        return reference.mean([s * 1e4 * reference.ret(q, w, t) for q, s in held if reference.here[q][t]])

    of = {c: strength(c, 60) for c in CURRENCIES}
    out = {}
    for side, currency in (("base", p[:3]), ("quote", p[3:])):
        out[f"cs_{side}_60"], out[f"cs_{side}_240"] = of[currency], strength(currency, 240)
        out[f"cs_{side}_rank"] = share(of[currency], [v for c, v in of.items() if c != currency], 2, 0.0, 1e-9)
    known = reference.known(list(of.values()))
    out["cs_dispersion_60"] = float(np.std(known, ddof=1)) if len(known) >= 3 else nan
    out["cs_breadth_60"] = _breadth(reference, p, t)
    return out


def _breadth(reference: Twin, p: str, t: int) -> float:
    if t < 59:
        return nan
    bars = [reference.siblings(p, "base", i, partial(reference.r, t=i)) for i in range(t - 59, t + 1)]
    moves = [v for bar in bars for v in bar if v]
    if not bars[-1] or sum(map(bool, bars)) < 15 or not moves:
        return nan
    return sum(v > 0 for v in moves) / len(moves)


def slow_arbitrage(reference: Twin, p: str, t: int) -> dict[str, float]:
    """``arb_resid``, ``arb_resid_extreme``, ``arb_profit`` and ``arb_z`` at one bar."""
    found = _triangles(reference, p, t)
    costs = [abs(e) - s / 2 for e, s in found if s == s]
    return {
        "arb_resid": _arb_resid(reference, p, t),
        "arb_resid_extreme": max((e for e, _ in found), key=abs) if len(found) >= 2 else nan,
        "arb_profit": max(costs) if costs else nan,
        "arb_z": reference.z(240, t, (_arb_resid, reference, p)),
    }


def _arb_resid(reference: Twin, p: str, t: int) -> float:
    return reference.mean([e for e, _ in _triangles(reference, p, t)])


def _triangles(reference: Twin, p: str, t: int) -> list[tuple[float, float]]:
    def price(a: str, b: str) -> float | None:
        q = a + b if a + b in reference.pairs else b + a
        if q not in reference.pairs or not reference.here[q][t]:
            return None
        quoted = reference.c[q][t] * reference.frame.infos[q].baseline / 100
        return quoted if q == a + b else 1 / quoted

    def spread(a: str, b: str) -> float:
        return reference.spread[a + b if a + b in reference.pairs else b + a][t]

    x, y, found = p[:3], p[3:], []
    for z in CURRENCIES:
        if z in (x, y):
            continue
        cross, one, other = price(x, y), price(x, z), price(y, z)
        if cross is not None and one is not None and other is not None:
            e = 1e4 * (log(cross) - log(one) + log(other))
            found.append((0.0 if abs(e) < 1e-8 else e, spread(x, y) + spread(x, z) + spread(y, z)))
    return found


def compare(
    columns: Mapping[str, np.ndarray],
    slow: Callable[[Twin, str, int], dict[str, float]],
    reference: Twin,
    rows: Sequence[int],
    pairs: Sequence[str],
    tolerance: float = 1e-9,
) -> None:
    """Every column at sampled bars: the twin's number, or missing where the twin has none; most are there."""
    compared = there = 0
    scale = {name: float(np.nanstd(column)) for name, column in columns.items()}
    for p in pairs:
        i = reference.pairs.index(p)
        for t in rows:
            if not reference.here[p][t]:
                continue
            want = slow(reference, p, t)
            assert set(want) == set(columns)
            for name, value in want.items():
                got = columns[name][i, t]
                compared, there = compared + 1, there + (not np.isnan(got))
                slack = tolerance * max(abs(value), scale[name])
                assert (np.isnan(got) and np.isnan(value)) or abs(got - value) <= slack, (name, p, t, got, value)
    assert there > 0.6 * compared > 0
