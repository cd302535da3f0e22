"""Momentum, regression, statistics, bands, indicators and levels."""

from __future__ import annotations

import numpy as np
import scipy.stats
import talib

from tests.reference.market import (
    NAN,
    Array,
    DomainView,
    Flags,
    ago,
    corr,
    cov,
    flag,
    flat,
    known,
    mean,
    quotient,
    std,
    stds,
    window,
    windows,
    z,
)

WINDOWS = (15, 30, 45, 60, 75)
SIX = (*WINDOWS, 90)
SIMPLE, EXPONENTIAL = talib.MA_Type.SMA, talib.MA_Type.EMA  # kinds of moving averages


def bqx_momentum(s: DomainView, t: int) -> dict[str, float]:
    close = s.market.index[3]
    out = {}
    for w in SIX:
        name = "agg" if w == 90 else f"w{w}"
        p, now = window(close, t - 1, w), close[t]
        before = window(close, t - 1 - w, w)
        out[f"{name}_bqx_return"] = float(((p - now) / now).sum())
        out[f"{name}_bqx_max"] = 1e4 * (p.max() / now - 1.0)
        out[f"{name}_bqx_min"] = 1e4 * (p.min() / now - 1.0)
        out[f"{name}_bqx_avg"] = 1e4 * (mean(p) / mean(before) - 1.0)
        out[f"{name}_bqx_stdev"] = std(p)
        if w < 90:
            out[f"{name}_bqx_endpoint"] = (p[0] - now) / now
        else:
            out["agg_bqx_range"] = float(np.ptp(p))
            out["agg_bqx_volatility"] = 1e4 * std(window(s.r, t, 90))
    return out


def fits(s: DomainView, w: int) -> dict[str, Array]:
    """Least squares of every window on 1, u, u^2 by the pseudo-inverse of the design, u in windows."""
    return s.memoised(("fits", w), lambda: all_fits(s.series(w), w))


def all_fits(y: Array, w: int) -> dict[str, Array]:
    u = np.arange(-(w - 1), 1) / w
    design = np.column_stack([np.ones(w), u, u * u])
    past = windows(y, w)
    d = past - past[:, -1:]
    c = d @ np.linalg.pinv(design).T
    e = d - c @ design.T
    sse, sst = (e * e).sum(axis=1), ((d - d.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        still = np.ptp(past, axis=1) <= 1e-13 * np.abs(past).max(axis=1)
        exact = still | (sse <= 1e-20 * sst)
        auto = np.where(exact, NAN, (e[:, 1:] * e[:, :-1]).sum(axis=1) / sse)
        r2 = np.where(still, NAN, np.clip(1.0 - sse / sst, 0.0, 1.0))
    rmse = np.where(exact, 0.0, np.sqrt(sse / (w - 3)))
    resid = np.where(exact, 0.0, -c[:, 0])
    a1, a2 = np.where(still, 0.0, c[:, 1] / w), np.where(still, 0.0, c[:, 2] / w**2)
    pred = np.where(still, 0.0, c @ np.array([1.0, 1.0 / w, 1.0 / w**2]))
    return {"a2": a2, "a1": a1, "b": y - resid, "r2": r2, "rmse": rmse, "resid": resid, "auto": auto, "pred": pred}


def reg(s: DomainView, t: int) -> dict[str, float]:
    out: dict[str, float] = {}
    for w in SIX:
        f = {name: float(values[t]) for name, values in fits(s, w).items()}
        u = np.arange(-(w - 1), 1) / w
        inverse = np.linalg.inv((d := np.column_stack([np.ones(w), u, u * u])).T @ d)
        ahead = np.array([1.0, 1.0 / w, 1.0 / w**2])
        half = scipy.stats.t.ppf(0.975, w - 3) * f["rmse"] * np.sqrt(1.0 + ahead @ inverse @ ahead)
        least = 1e-11 if s.bqx else 1e-9
        x = (
            NAN
            if abs(f["a2"]) * w * w < least or not known(f["a2"])
            else np.clip(-f["a1"] / (2 * f["a2"]), -2 * w, 2 * w)
        )
        y = s.series(w)
        found = {
            **{name: f[name] for name in ("a2", "a1", "b", "r2", "rmse", "resid", "pred")},
            "resid_z": quotient(f["resid"], f["rmse"]),
            "resid_autocorr": f["auto"],
            "pred_lower": f["pred"] - half,
            "pred_upper": f["pred"] + half,
            "vertex_x": x,
            "vertex_y": -f["resid"] + f["a1"] * x + f["a2"] * x * x,
            "a2_tstat": np.clip(quotient(f["a2"] * w * w, f["rmse"] * np.sqrt(inverse[2, 2])), -100, 100),
            "forecast_error": y[t] - ago(y, t, 1) - ago(fits(s, w)["pred"], t, 1),
        }
        out |= {f"reg_{name}_{'agg' if w == 90 else f'w{w}'}": value for name, value in found.items()}
    return out


def statistics(s: DomainView, t: int) -> dict[str, float]:
    out = {}
    for w in SIX:
        y = window(s.series(w), t, w)
        moving = known(y) and not flat(y)
        out[f"stat_mean_{w}"], out[f"stat_std_{w}"] = mean(y), std(y)
        out[f"stat_skew_{w}"] = float(scipy.stats.skew(y - y[-1], bias=False)) if moving else NAN
        out[f"stat_kurt_{w}"] = float(scipy.stats.kurtosis(y - y[-1], bias=False)) if moving else NAN
    return out


def bollinger(s: DomainView, t: int) -> dict[str, float]:
    out = {}
    for w in WINDOWS:
        y = s.level(w)
        deviation, width = s.memoised(("bands", w), lambda y=y, w=w: bands(y, w))
        out[f"bb_width_{w}"] = quotient(width[t], window(width, t, 240).mean())
        lower = mean(window(y, t, w)) - 2.0 * deviation[t]
        out[f"bb_percent_b_{w}"] = quotient(y[t] - lower, 4.0 * deviation[t])
    return out


def bands(y: Array, w: int) -> tuple[Array, Array]:
    """Population deviation, and width over the middle."""
    deviation = stds(y, w) * np.sqrt((w - 1) / w)
    return deviation, 4.0 * deviation / windows(y, w).mean(axis=1)


# -- indicators ------------------------------------------------------------------------------------------------------


def indicators(s: DomainView) -> dict[str, Array]:
    """TA-Lib on the domain's bars, without its placeholders for 0/0 in finite windows."""
    first = 19 if s.bqx else 0
    o, h, l, c = (np.ascontiguousarray(column[first:]) for column in s.bars)
    v = np.ascontiguousarray(s.market.v[first:])
    high, low, close = (h, l, c) if s.bqx else (np.round(p * 1e9) for p in s.market.prices[1:])
    ticks = (high, low, close)
    macd, signal, hist = talib.MACD(c, 12, 26, 9)
    k, d = talib.STOCH(h, l, c, 14, 3, SIMPLE, 3, SIMPLE)
    rsi = talib.RSI(c, 14)
    sk, sd = talib.STOCHRSI(c, 14, 14, 3, SIMPLE)
    down, up = talib.AROON(h, l, 25)
    reach = span(h, l, 14, 1e-13 * c)
    quiet = span(rsi, rsi, 14, 1e-9 + 0 * c) | span(c, c, 14, 1e-13 * c)
    typical = (h + l + c) / 3.0
    still = np.concatenate([[True], np.abs(np.diff(typical)) <= 1e-13 * typical[1:]])
    flow = windows(np.where(still, 0.0, typical * v), 14).sum(axis=1)
    out = {
        "rsi_14": rsi, "rsi_21": talib.RSI(c, 21), "macd": macd, "macd_signal": signal, "macd_hist": hist,
        "stoch_k": np.where(any_of(reach, 3), NAN, k), "stoch_d": np.where(any_of(reach, 5), NAN, d),
        "stochrsi_k": np.where(quiet, NAN, sk), "stochrsi_d": np.where(any_of(quiet, 3), NAN, sd),
        "dx_14": talib.DX(*ticks, 14), "adx_14": talib.ADX(*ticks, 14), "adxr_14": talib.ADXR(*ticks, 14),
        "plus_di_14": talib.PLUS_DI(*ticks, 14), "minus_di_14": talib.MINUS_DI(*ticks, 14),
        "cci_20": np.where(span(typical, typical, 20, 1e-13 * c), NAN, talib.CCI(h, l, c, 20)),
        "willr_14": np.where(reach, NAN, talib.WILLR(h, l, c, 14)),
        "roc_12": talib.ROC(c, 12), "mom_10": talib.MOM(c, 10),
        "atr_14": talib.ATR(h, l, c, 14), "natr_60": talib.NATR(h, l, c, 60),
        "aroon_up_25": up, "aroon_down_25": down,
        "ultosc": np.where(no_range(h, l, c, 7), NAN, talib.ULTOSC(h, l, c, 7, 14, 28)),
        "trix_15": talib.TRIX(c, 15), "ppo_5_35": talib.PPO(c, 5, 35, EXPONENTIAL), "cmo_9": talib.CMO(c, 9),
        "mfi_14": np.where(flow == 0.0, NAN, talib.MFI(h, l, c, v, 14)),
        "bop": np.where(h - l <= 1e-13 * h, 0.0, talib.BOP(o, h, l, c)),
        "sar_dist": 100.0 * (ticks[2] - talib.SAR(*ticks[:2], 0.02, 0.2)) / ticks[2],
        "kama_dist": 100.0 * (c / talib.KAMA(c, 30) - 1.0),
    }  # fmt: skip
    return {f"tech_{name}": np.concatenate([np.full(first, NAN), values]) for name, values in out.items()}


def span(high: Array, low: Array, w: int, least: Array) -> Flags:
    """Whether the window's highest high and lowest low are within ``least``."""
    with np.errstate(invalid="ignore"):
        return windows(high, w).max(axis=1) - windows(low, w).min(axis=1) <= least


def any_of(flags: Flags, w: int) -> Flags:
    return windows(flags.astype(float), w).max(axis=1) > 0.0


def no_range(h: Array, l: Array, c: Array, w: int) -> Flags:
    before = np.concatenate([[NAN], c[:-1]])
    reach = np.maximum(h, before) - np.minimum(l, before)
    return windows(reach, w).sum(axis=1) <= 1e-13 * c


def technical(s: DomainView, t: int) -> dict[str, float]:
    found = s.memoised("indicators", lambda: indicators(s))
    return {name: float(values[t]) for name, values in found.items()}


def fibonacci(s: DomainView, t: int) -> dict[str, float]:
    _, high, low, close = s.bars
    h, l, c = window(high, t, 120), window(low, t, 120), close[t]
    names = ("236", "382", "500", "618", "786", "position", "range", "bars_since_high", "bars_since_low", "direction")
    if not known(h, l):
        return {f"fib_{name}": NAN for name in names}
    top, bottom = h.max(), l.min()
    since_high, since_low = 119 - np.flatnonzero(h == top)[-1], 119 - np.flatnonzero(l == bottom)[-1]
    up, r = since_high < since_low, top - bottom
    found = [c - (top - q * r if up else bottom + q * r) for q in (0.236, 0.382, 0.5, 0.618, 0.786)]
    found += [quotient(c - bottom, r), 100.0 * r / c, since_high, since_low, 1.0 if up else -1.0]
    return {f"fib_{name}": float(value) for name, value in zip(names, found, strict=True)}


# -- regressions compared --------------------------------------------------------------------------------------------


def parabolic_comparison(s: DomainView, t: int) -> dict[str, float]:
    f = {w: fits(s, w) for w in SIX}
    least = 1e-11 if s.bqx else 1e-9
    a2 = {w: scaled(f[w]["a2"] * w * w, least) for w in SIX}
    a1 = {w: scaled(f[w]["a1"] * w, least) for w in SIX}
    r2 = {w: np.where(np.isnan(f[w]["r2"]) & ~np.isnan(f[w]["a2"]), 0.0, f[w]["r2"]) for w in SIX}
    now2, now1, fit = (np.array([c[w][t] for w in SIX]) for c in (a2, a1, r2))
    b, y = {w: f[w]["b"] for w in SIX}, s.series(60)
    off = y - b[60]
    out = {f"a2_ratio_{i}_{j}": ratio(a2[i][t], a2[j][t]) for i, j in ((15, 60), (30, 75), (45, 90))}
    out |= {f"a1_ratio_{i}_{j}": ratio(a1[i][t], a1[j][t]) for i, j in ((15, 60), (30, 75), (45, 90))}
    weights = 1.0 / np.array(SIX)
    out |= {
        "a2_dispersion": np.std(now2, ddof=1),
        "a2_trend": np.polyfit(np.arange(1, 7), now2, 1)[0] if known(now2) else NAN,
        "a2_flip": flag(a2[15][t] * a2[60][t] < 0.0, a2[15][t], a2[60][t]),
        "a1_dispersion": np.std(now1, ddof=1),
        "a1_accel": f[15]["a1"][t] - ago(f[15]["a1"], t, 15),
        "a1_momentum": (weights * now1).sum() / weights.sum(),
        "b_gap_15_45": b[15][t] - b[45][t],
        "b_gap_30_60": b[30][t] - b[60][t],
        "b_drift": (b[60][t] - ago(b[60], t, 15)) / 15,
        "b_reversion": corr(window(off, t - 1, 60), window(y, t, 60) - window(y, t - 1, 60)),
        "r2_spread_30_90": r2[30][t] - r2[90][t],
        "r2_consistency": 1.0 - np.std(fit, ddof=1),
        "rmse_ratio_15_60": np.clip(quotient(f[15]["rmse"][t], f[60]["rmse"][t]), 0, 10),
        "quality_drop": flag(r2[15][t] < r2[60][t] and r2[15][t] < ago(r2[15], t, 15), r2[60][t], ago(r2[15], t, 15)),
    }
    if not s.bqx:
        out |= domain_gaps(s, t, a2[30], a1[30], r2[60])
    return {f"par_{name}": float(value) for name, value in out.items()}


def domain_gaps(s: DomainView, t: int, a2: Array, a1: Array, r2: Array) -> dict[str, float]:
    o30, o60 = fits(s.other(), 30), fits(s.other(), 60)
    there2, there1 = scaled(o30["a2"] * 900, 1e-11), scaled(o30["a1"] * 30, 1e-11)
    other_r2 = 0.0 if np.isnan(o60["r2"][t]) and known(o60["a2"][t]) else o60["r2"][t]
    return {
        "a2_domain_corr": corr(window(a2, t, 60), window(there2, t, 60)),
        "a1_domain_corr": corr(window(a1, t, 60), window(there1, t, 60)),
        "b_domain_gap": z(window(fits(s, 60)["b"], t, 240)) - z(window(o60["b"], t, 240)),
        "quality_domain_gap": r2[t] - other_r2,
    }


def scaled(term: Array, least: float) -> Array:
    return np.where(np.abs(term) < least, 0.0, term)


def ratio(a: float, b: float) -> float:
    return float(np.clip(quotient(a, b), -10, 10))


def term_covariance(s: DomainView, t: int) -> dict[str, float]:
    f = fits(s, 60)
    terms = {"quad": 59.0**2 * f["a2"], "lin": -59.0 * f["a1"], "resid": f["resid"]}
    out = {}
    for one, other in (("quad", "lin"), ("resid", "quad"), ("resid", "lin")):
        x, y = window(terms[one], t, 60), window(terms[other], t, 60)
        out[f"tc_cov_{one}_{other}"], out[f"tc_corr_{one}_{other}"] = cov(x, y), corr(x, y)
    return out
