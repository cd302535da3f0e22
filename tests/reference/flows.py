"""Volume, spread and time, and momentum against the momentum before it."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import scipy.stats

from tests.reference.market import (
    NAN,
    Array,
    DomainView,
    ago,
    corr,
    flat,
    known,
    lagged,
    mean,
    quotient,
    rank,
    slope,
    std,
    sums,
    window,
    z,
)

WINDOWS = (15, 30, 45, 60, 75)


def volume_features(s: DomainView, t: int) -> dict[str, float]:
    out: dict[str, float] = {}
    _, high, low, close = s.market.index
    typical = (high + low + close) / 3.0
    for w in WINDOWS:
        v, r = window(s.market.v, t, w), window(s.r, t, w)
        total, deviation = v.sum(), std(r)
        share = v[v > 0] / total
        signed = v * (2.0 * scipy.stats.norm.cdf(r / deviation) - 1.0) if deviation > 0 else np.full(w, NAN)
        before = [ago(s.memoised(("volume", w), lambda w=w: sums(s.market.v, w)), t, 1440 * d) for d in range(1, 6)]
        found = {
            "mean": mean(v),
            "std": std(v),
            "skew": float(scipy.stats.skew(v, bias=False)) if known(v) and not flat(v) else NAN,
            "z": z(v),
            "ratio": quotient(v[-1], mean(v)),
            "slope": quotient(slope(v), mean(v)),
            "vwap_dist": 1e4 * (quotient(close[t], quotient((v * window(typical, t, w)).sum(), total)) - 1.0),
            "absret_corr": corr(v, np.abs(r)),
            "ret_corr": corr(v, r),
            "up_share": quotient(v[r > 0].sum(), total) if known(r) else NAN,
            "bvc_imbalance": quotient(signed.sum(), total),
            "concentration": quotient(v.max(), total),
            "entropy": -(share * np.log(share)).sum() / np.log(w) if known(v) and total > 0 else NAN,
            "seasonal": quotient(total, float(np.mean(before))),
        }
        out |= {f"volume_{name}_{w}": float(value) for name, value in found.items()}
    return out


def spread_features(s: DomainView, t: int) -> dict[str, float]:
    out: dict[str, float] = {}
    for w in WINDOWS:
        y, r = window(s.market.s, t, w), window(s.r, t, w)
        found = {
            "mean": mean(y),
            "std": std(y),
            "z": z(y),
            "slope": slope(y),
            "max_ratio": quotient(y.max(), mean(y)),
            "pctrank": rank(y, y[-1]) if known(y) else NAN,
            "to_vol": np.clip(quotient(mean(y), 1e4 * std(r)), 0, 1000),
        }
        out |= {f"spread_{name}_{w}": float(value) for name, value in found.items()}
    return out


# -- time ------------------------------------------------------------------------------------------------------------

SESSIONS = {
    "sydney": ("Australia/Sydney", 7, 16),
    "tokyo": ("Asia/Tokyo", 9, 18),
    "london": ("Europe/London", 8, 17),
    "newyork": ("America/New_York", 8, 17),
}
CENTRES = {
    "aud": ("Australia/Sydney", "AU", "NSW"),
    "cad": ("America/Toronto", "CA", "ON"),
    "chf": ("Europe/Zurich", "CH", "ZH"),
    "gbp": ("Europe/London", "GB", "ENG"),
    "jpy": ("Asia/Tokyo", "JP", None),
    "nzd": ("Pacific/Auckland", "NZ", None),
    "usd": ("America/New_York", "US", None),
}


def moment_of(zone: str, day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def moments_near(now: datetime, zone: str, hour: int, weekdays: range) -> list[datetime]:
    """The times of ``hour`` local time on ``weekdays`` within nine days of ``now``."""
    days = (now.date() + timedelta(days=d) for d in range(-9, 10))
    return [moment_of(zone, day, hour) for day in days if day.weekday() in weekdays]


def minutes(later: datetime, earlier: datetime) -> float:
    return (later - earlier).total_seconds() / 60.0


def time_features(s: DomainView, t: int) -> dict[str, float]:
    now = datetime.fromtimestamp(60 * int(s.market.ts[t]), UTC)
    work, minute = range(5), now.hour * 60 + now.minute
    year = now.timetuple().tm_yday
    length = 366 if calendar.isleap(now.year) else 365
    week = minutes(now, max(m for m in moments_near(now, "America/New_York", 17, range(6, 7)) if m <= now))
    opens = [m for zone, begin, _ in SESSIONS.values() for m in moments_near(now, zone, begin, work)]
    closes = [m for zone, _, end in SESSIONS.values() for m in moments_near(now, zone, end, work)]
    inside = {name: in_session(now, *session) for name, session in SESSIONS.items()}
    fix, close = moments_near(now, "Europe/London", 16, work), moments_near(now, "America/New_York", 17, work)
    last = calendar.monthrange(now.year, now.month)[1]
    rest = [date(now.year, now.month, day).weekday() for day in range(now.day + 1, last + 1)]
    angles = {"minute": minute / 1440, "week": week / 10_080, "year": (year - 1) / length}
    return {
        **{f"time_{name}_sin": float(np.sin(2 * np.pi * turn)) for name, turn in angles.items()},
        **{f"time_{name}_cos": float(np.cos(2 * np.pi * turn)) for name, turn in angles.items()},
        **{f"session_{name}": float(flag) for name, flag in inside.items()},
        "overlap_tokyo_london": float(inside["tokyo"] and inside["london"]),
        "overlap_london_newyork": float(inside["london"] and inside["newyork"]),
        "minutes_since_session_open": minutes(now, max(m for m in opens if m <= now)),
        "minutes_to_session_close": minutes(min(m for m in closes if m > now), now),
        "minutes_to_london_fix": minutes(min(m for m in fix if m >= now), now),
        "minutes_to_newyork_close": minutes(min(m for m in close if m >= now), now),
        "minutes_since_week_open": week,
        "business_days_to_month_end": float(sum(day < 5 for day in rest)),
        "holiday_base": float(is_holiday(s.market.pair[:3], now)),
        "holiday_quote": float(is_holiday(s.market.pair[3:], now)),
    }


def in_session(now: datetime, zone: str, begin: int, end: int) -> bool:
    local = now.astimezone(ZoneInfo(zone))
    return local.weekday() < 5 and begin <= local.hour < end


@cache
def calendar_of(currency: str) -> object:
    if currency == "eur":
        return holidays.financial_holidays("ECB")
    _, country, part = CENTRES[currency]
    return holidays.country_holidays(country, subdiv=part)


def is_holiday(currency: str, now: datetime) -> bool:
    zone = "Europe/Berlin" if currency == "eur" else CENTRES[currency][0]
    return now.astimezone(ZoneInfo(zone)).date() in calendar_of(currency)  # type: ignore[operator]


# -- momentum before momentum ----------------------------------------------------------------------------------------


def moves(s: DomainView, w: int) -> Array:
    """mom_W in bp; a relative change below 1e-12 counts as 0."""
    if s.bqx:
        return 1e4 * s.market.m(w)
    close = s.market.index[3]
    change = np.log(close / lagged(close, w))
    return np.where(np.abs(change) < 1e-12, 0.0, 1e4 * change)


def lagged_cross_window(s: DomainView, t: int) -> dict[str, float]:
    out: dict[str, float] = {}
    mom = {w: s.memoised(("mom", w), lambda w=w: moves(s, w)) for w in WINDOWS}
    for w in WINDOWS:
        now, before = window(mom[w], t, 240), window(lagged(mom[w], w), t, 240)
        late, early, lag = (30, 15, 30) if w == 15 else (15, w, 15)
        a, b = window(mom[w], t, w), window(lagged(mom[w], w), t, w)
        out[f"lag_prev_{w}"] = ago(mom[w], t, w)
        out[f"lag_change_{w}"] = mom[w][t] - ago(mom[w], t, w)
        out[f"lag_autocorr_{w}"] = corr(now, before)
        out[f"lag_transfer_{w}"] = corr(window(mom[late], t, 240), window(lagged(mom[early], lag), t, 240))
        out[f"lag_agree_{w}"] = float(np.mean(np.sign(a) == np.sign(b))) if known(a, b) else NAN
    return out
