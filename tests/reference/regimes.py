"""Realized volatility, market regimes, and slower clocks."""

from __future__ import annotations

import math

import numpy as np
import talib

from tests.reference.market import (
    NAN,
    Array,
    DomainView,
    above,
    ago,
    corr,
    flag,
    known,
    lagged,
    mean,
    quotient,
    sign,
    since_change,
    slope,
    std,
    stds,
    sums,
    window,
    windows,
)


def log_ratio(a: Array, b: Array) -> Array:
    value = np.log(a / b)
    return np.where(np.abs(value) < 1e-12, 0.0, value)


def last_bars(s: DomainView, t: int, n: int) -> tuple[Array, ...]:
    """The n bars at t, t - step, ..., oldest first, and the close of the bar before each."""
    rows = t - s.step * np.arange(n)[::-1]
    if rows[0] < s.step:
        keep = rows >= 0
        columns = [np.where(keep, c[np.maximum(rows, 0)], NAN) for c in s.bars]
        before = np.where(rows >= s.step, s.bars[3][np.maximum(rows - s.step, 0)], NAN)
        return (*columns, before)
    return (*(c[rows] for c in s.bars), s.bars[3][rows - s.step])


def root_bp(variance: float) -> float:
    return 1e4 * math.sqrt(max(variance, 0.0)) if known(variance) else NAN


def parkinson(s: DomainView) -> Array:
    """The value of each minute, from the 20 bars at t, t - step, ..."""
    squares = log_ratio(s.bars[1], s.bars[2]) ** 2
    total = sum(lagged(squares, k * s.step) if k else squares for k in range(20))
    return np.asarray(1e4 * np.sqrt(total / 20 / (4.0 * math.log(2.0))))


def realized_volatility(s: DomainView, t: int) -> dict[str, float]:
    o, h, l, c, before = last_bars(s, t, 20)
    body, width = log_ratio(c, o), log_ratio(h, l)
    rs = (log_ratio(h, c) * log_ratio(h, o) + log_ratio(l, c) * log_ratio(l, o)).mean()
    k = 0.34 / (1.34 + 21 / 19)
    p = s.memoised("parkinson", lambda: parkinson(s))
    r, r20 = window(s.r, t, 60), window(s.r, t, 20)
    squares = r * r
    deviation = s.memoised(("std", 20), lambda: stds(s.r, 20))
    high = s.memoised("regimes", dict)
    states = window_of_flags(deviation, t, high)
    fast, slow = s.memoised("ewma", lambda: (ewma(s.r**2, 5), ewma(s.r**2, 20)))
    still = not np.any(window(s.r, t, 601) != 0.0)
    return {
        "rv_parkinson_20": root_bp((width**2).mean() / (4 * math.log(2))),
        "rv_garman_klass_20": root_bp((0.5 * width**2 - (2 * math.log(2) - 1) * body**2).mean()),
        "rv_rogers_satchell_20": root_bp(rs),
        "rv_yang_zhang_20": root_bp(np.var(log_ratio(o, before), ddof=1) + k * np.var(body, ddof=1) + (1 - k) * rs),
        "rv_bipower_20": 1e4 * math.sqrt(math.pi / 2 * np.abs(r20[1:] * r20[:-1]).mean()),
        "rv_quarticity_20": 1e4 * ((r20**4).sum() / 60) ** 0.25,
        "rv_jump_z_60": jump_z(r),
        "rv_signed_jump_60": quotient(squares[r > 0].sum() - squares[r < 0].sum(), squares.sum()) if known(r) else NAN,
        "rv_vol_of_vol_60": quotient(std(window(p, t, 60)), window(p, t, 60).mean()),
        "rv_accel_20": p[t] - 2 * ago(p, t, 10) + ago(p, t, 20),
        "rv_ewma_ratio_5_20": NAN if still else math.sqrt(quotient(fast[t], slow[t])),
        "rv_regime_high": states[-1],
        "rv_regime_duration": since_change(states, 1440),
        "rv_regime_switch_rate": np.count_nonzero(np.diff(states)) / 1440 if known(states) else NAN,
        "rv_skew_60": quotient(math.sqrt(60) * (r**3).sum(), squares.sum() ** 1.5),
    }


def window_of_flags(deviation: Array, t: int, seen: dict[int, float]) -> Array:
    """Of the last 1,441 bars: 1 where the standard deviation is above the 80th percentile of its last 1,440 values."""
    for i in range(max(t - 1440, 0), t + 1):
        if i not in seen:
            past = window(deviation, i, 1440)
            seen[i] = flag(above(deviation[i], float(np.percentile(past, 80))), past)
    return np.array([seen.get(i, NAN) for i in range(t - 1440, t + 1)])


def ewma(y: Array, n: int) -> Array:
    out = np.full(len(y), NAN)
    start = int(np.flatnonzero(~np.isnan(y))[0])
    out[start] = y[start]
    for t in range(start + 1, len(y)):
        out[t] = out[t - 1] + 2 / (n + 1) * (y[t] - out[t - 1])
    return out


def jump_z(r: Array) -> float:
    a, n = np.abs(r), len(r)
    rv, bv = (r * r).sum(), math.pi / 2 * n / (n - 1) * (a[1:] * a[:-1]).sum()
    mu = 2 ** (2 / 3) * math.gamma(7 / 6) / math.gamma(1 / 2)
    tq = n * mu**-3 * n / (n - 2) * ((a[2:] * a[1:-1] * a[:-2]) ** (4 / 3)).sum()
    if not bv > 0:
        return NAN
    return float((rv - bv) / rv / math.sqrt(((math.pi / 2) ** 2 + math.pi - 5) / n * max(1.0, tq / bv**2)))


# -- market regimes --------------------------------------------------------------------------------------------------


def t_statistics(x: Array) -> Array:
    """t statistics of the slope of every 60 bars."""
    past = windows(x, 60)
    d = past - past[:, -1:]
    u = np.arange(60) - 29.5
    b = (d - d.mean(axis=1, keepdims=True)) @ u / (u @ u)
    e = d - d.mean(axis=1, keepdims=True) - b[:, None] * u
    sse = (e * e).sum(axis=1)
    sst = sse + b * b * (u @ u)
    still = np.ptp(past, axis=1) <= 1e-13 * np.abs(past).max(axis=1)
    return np.where(still | (sse <= 1e-20 * sst), NAN, np.clip(b / np.sqrt(sse / 58 / (u @ u)), -100, 100))


def efficiencies(x: Array) -> Array:
    def change(k: int) -> Array:
        d = x - lagged(x, k)
        return np.where(np.abs(d) < 1e-12 * x, 0.0, np.abs(d))

    path = sums(change(1), 60)
    return np.where(path > 0, change(60) / path, NAN)


def trend_classes(s: DomainView) -> Array:
    t, e = s.memoised("t60", lambda: t_statistics(s.x)), s.memoised("e60", lambda: efficiencies(s.x))
    strength = np.where(e >= (0.15 if s.bqx else 0.3) - 1e-9, 2.0, np.where(np.abs(t) >= 2, 1.0, 0.0))
    return np.where(np.isnan(t + e), NAN, np.sign(t) * strength)


def market_regime(s: DomainView, t: int) -> dict[str, float]:
    x = s.x
    n = 12 if s.bqx else 60
    _, h, l, _, before = last_bars(s, t, n)
    reach = np.maximum(h, before) - np.minimum(l, before)
    trend = s.memoised("trend", lambda: trend_classes(s))
    deviation = s.memoised(("std", 60), lambda: stds(s.r, 60))
    thirds = np.percentile(past := window(deviation, t, 1440), [100 / 3, 200 / 3])
    side = s.memoised("side", lambda: sides(x))
    crossed = side[max(t - 59, 0) : t + 1] * lagged(side, 1)[max(t - 59, 0) : t + 1] < 0
    top, bottom = window(s.bars[1], t, 240).max(), window(s.bars[2], t, 240).min()
    values = window(x, t, 240)
    return {
        "mr_efficiency_60": s.memoised("e60", lambda: efficiencies(x))[t],
        "mr_hurst_240": hurst(values),
        "mr_choppiness_60": choppiness(reach, h, l, n),
        "mr_trend_t_60": s.memoised("t60", lambda: t_statistics(x))[t],
        "mr_trend_class": trend[t],
        "mr_trend_duration": since_change(window(trend, t, 1441), 1440),
        "mr_vol_class": flag(above(deviation[t], thirds[0]), past) + float(above(deviation[t], thirds[1])),
        "mr_crossing_rate_60": float(np.sum(crossed)) / 60 if known(window(lagged(side, 1), t, 60)) else NAN,
        "mr_donchian_240": NAN if top - bottom <= 1e-13 * top else quotient(x[t] - bottom, top - bottom),
        "mr_jump_count_60": jump_count(s, t),
    }


def choppiness(reach: Array, h: Array, l: Array, n: int) -> float:
    width = float(h.max() - l.min())
    if not known(reach) or width <= 1e-13 * h.max():
        return NAN
    return 100 * math.log10(reach.sum() / width) / math.log10(n)


def sides(x: Array) -> Array:
    gap = x - windows(x, 20).mean(axis=1)
    return np.where(np.abs(gap) < 1e-12 * x, 0.0, np.sign(gap))


def hurst(x: Array) -> float:
    lags = [1, 2, 4, 8, 16, 32]
    deviations = [std(x[k:] - x[:-k]) for k in lags]
    if not known(*deviations) or min(deviations) == 0.0:
        return NAN
    return float(np.polyfit(np.log(lags), np.log(deviations), 1)[0])


def jump_count(s: DomainView, t: int) -> float:
    size = np.abs(s.r)
    if t < 298 or not known(size[t - 298 : t + 1]):
        return NAN
    count = 0
    for i in range(t - 59, t + 1):
        a = size[i - 239 : i + 1]
        count += above(size[i], 4 * math.sqrt(math.pi / 2 * float((a[1:] * a[:-1]).mean())))
    return float(count)


# -- slower clocks ---------------------------------------------------------------------------------------------------


def k_bars(s: DomainView, k: int) -> dict[str, Array]:
    """UTC-aligned K-minute bars of x, and TA-Lib's recursions on them."""
    groups: dict[int, list[float]] = {}
    for minute, value in zip(s.market.ts.tolist(), s.x.tolist(), strict=True):
        if not math.isnan(value):
            groups.setdefault(minute // k, []).append(value)
    ends = np.array([(number + 1) * k - 1 for number in groups])
    h, l, c = (np.array([f(g) for g in groups.values()]) for f in (max, min, lambda g: g[-1]))
    changes = np.concatenate([[NAN], np.log(c[1:] / c[:-1])])
    return {
        "ends": ends, "high": h, "low": l, "close": c, "ema_20": talib.EMA(c, 20), "rsi": talib.RSI(c, 14),
        "ema_12": talib.EMA(c, 12), "ema_26": talib.EMA(c, 26), "atr": talib.ATR(h, l, c, 14), "vol": stds(changes, 20),
    }  # fmt: skip


def multi_scale(s: DomainView, t: int, k: int) -> dict[str, float]:
    bars = s.memoised(("bars", k), lambda: k_bars(s, k))
    i = int(np.searchsorted(bars["ends"], s.market.ts[t], side="right")) - 1
    names = ("high", "low", "close", "vol")
    h, l, c, vol = (bars[name][: i + 1] for name in names)
    if i < 0:
        h = l = c = vol = np.full(1, NAN)
    at = {name: float(bars[name][i]) if i >= 0 else NAN for name in ("ema_20", "rsi", "ema_12", "ema_26", "atr", "vol")}
    x, now = s.x, s.x[t]
    deviation = s.memoised(("std", 20), lambda: stds(s.r, 20))

    def last(y: Array, n: int) -> Array:
        return window(y, len(y) - 1, n)

    c10, c20, x20 = last(c, 10), last(c, 20), window(x, t, 20)
    mom = math.log(c[-1] / last(c, 6)[0])
    step, change = sign(x[t] - ago(x, t, 20), now), sign(mom, 1.0)
    days, bars48 = window(deviation, t, 1440), last(vol, 48)
    loud = above(deviation[t], float(np.median(days))) == above(at["vol"], float(np.median(bars48)))
    found = {
        "sma_10": 1e4 * (now / mean(c10) - 1),
        "ema_20": 1e4 * (now / at["ema_20"] - 1),
        "vol_20": 1e4 * at["vol"],
        "mom_5": 1e4 * mom if abs(mom) >= 1e-12 or math.isnan(mom) else 0.0,
        "range_20": 1e4 * (last(h, 20).max() - last(l, 20).min()) / now,
        "rsi_14": at["rsi"],
        "macd": 1e4 * (at["ema_12"] - at["ema_26"]) / now,
        "atr_14": 1e4 * at["atr"] / now,
        "bb_width_20": 4 * np.std(c20 - c20[-1]) / mean(c20),
        "sma_ratio": 1e4 * (mean(window(x, t, 10)) / mean(c10) - 1),
        "vol_ratio": np.clip(quotient(deviation[t] * math.sqrt(k), at["vol"]), 0, 100),
        "trend_agree": flag(sign(slope(x20), now) == sign(slope(c10), now), x20, c10),
        "regime_agree": flag(loud, days, bars48),
        "dominance": line_r2(c10) - line_r2(x20),
        "divergence": flag(step * change < 0, step, change),
    }
    return {f"ms{k}_{name}": float(value) for name, value in found.items()}


def line_r2(y: Array) -> float:
    return corr(y, np.arange(len(y), dtype=float)) ** 2
