"""TA-Lib's indicators, and the calendar with pandas and holidays."""

from __future__ import annotations

import holidays
import numpy as np
import pandas as pd
import talib

from benchmarks.rivals.script import Script

SESSIONS = {
    "sydney": ("Australia/Sydney", 7, 16), "tokyo": ("Asia/Tokyo", 9, 18), "london": ("Europe/London", 8, 17),
    "newyork": ("America/New_York", 8, 17),
}  # fmt: skip
CENTRES = {
    "aud": ("Australia/Sydney", "AU", "NSW"), "cad": ("America/Toronto", "CA", "ON"),
    "chf": ("Europe/Zurich", "CH", "ZH"), "gbp": ("Europe/London", "GB", "ENG"), "jpy": ("Asia/Tokyo", "JP", None),
    "nzd": ("Pacific/Auckland", "NZ", None), "usd": ("America/New_York", "US", None),
}  # fmt: skip
SIMPLE, EXPONENTIAL = talib.MA_Type.SMA, talib.MA_Type.EMA  # kinds of moving averages


def technical(s: Script) -> dict[str, np.ndarray]:
    o, h, low, c = (s.bars[name].to_numpy() for name in ("open", "high", "low", "close"))
    v = s.volume.to_numpy(dtype=float)
    k, d = talib.STOCH(h, low, c, 14, 3, SIMPLE, 3, SIMPLE)
    rsi_k, rsi_d = talib.STOCHRSI(c, 14, 14, 3, SIMPLE)
    macd, signal, hist = talib.MACD(c, 12, 26, 9)
    down, up = talib.AROON(h, low, 25)
    out = {
        "rsi_14": talib.RSI(c, 14), "rsi_21": talib.RSI(c, 21), "macd": macd, "macd_signal": signal, "macd_hist": hist,
        "stoch_k": k, "stoch_d": d, "stochrsi_k": rsi_k, "stochrsi_d": rsi_d, "cci_20": talib.CCI(h, low, c, 20),
        "willr_14": talib.WILLR(h, low, c, 14), "roc_12": talib.ROC(c, 12), "mom_10": talib.MOM(c, 10),
        "atr_14": talib.ATR(h, low, c, 14), "natr_60": talib.NATR(h, low, c, 60), "aroon_up_25": up,
        "aroon_down_25": down, "ultosc": talib.ULTOSC(h, low, c, 7, 14, 28), "trix_15": talib.TRIX(c, 15),
        "ppo_5_35": talib.PPO(c, 5, 35, EXPONENTIAL), "cmo_9": talib.CMO(c, 9), "mfi_14": talib.MFI(h, low, c, v, 14),
        "bop": talib.BOP(o, h, low, c), "sar_dist": 100 * (c - talib.SAR(h, low, 0.02, 0.2)) / c,
        "kama_dist": 100 * (c / talib.KAMA(c, 30) - 1),
    }  # fmt: skip
    if not s.bqx:
        h, low, c = (np.round(s.prices[name].to_numpy() * 1e9) for name in ("high", "low", "close"))
    for name in ("DX", "ADX", "ADXR", "PLUS_DI", "MINUS_DI"):
        out[f"{name.lower()}_14"] = getattr(talib, name)(h, low, c, 14)
    return {f"tech_{name}": values for name, values in out.items()}


def time_features(s: Script) -> dict[str, pd.Series]:
    stamps = pd.Series(pd.to_datetime(s.ts * 60, unit="s", utc=True))
    minute = stamps.dt.hour * 60 + stamps.dt.minute
    week = _since(stamps, "America/New_York", 17, {6})
    day, days = stamps.dt.dayofyear - 1, 365 + stamps.dt.is_leap_year
    out = {}
    for name, angle in (("minute", minute / 1440), ("week", week / 10_080), ("year", day / days)):
        out[f"time_{name}_sin"], out[f"time_{name}_cos"] = np.sin(2 * np.pi * angle), np.cos(2 * np.pi * angle)
    flags = {name: _in_session(stamps, *session) for name, session in SESSIONS.items()}
    out |= {f"session_{name}": flag.astype(float) for name, flag in flags.items()}
    out["overlap_tokyo_london"] = (flags["tokyo"] & flags["london"]).astype(float)
    out["overlap_london_newyork"] = (flags["london"] & flags["newyork"]).astype(float)
    opens = [_since(stamps, zone, hour, set(range(5))) for zone, hour, _ in SESSIONS.values()]
    closes = [_until(stamps, zone, hour, True) for zone, _, hour in SESSIONS.values()]
    out["minutes_since_session_open"] = pd.concat(opens, axis=1).min(axis=1)
    out["minutes_to_session_close"] = pd.concat(closes, axis=1).min(axis=1)
    out["minutes_to_london_fix"] = _until(stamps, "Europe/London", 16)
    out["minutes_to_newyork_close"] = _until(stamps, "America/New_York", 17)
    out["minutes_since_week_open"] = week
    dates = stamps.dt.date.to_numpy(dtype="datetime64[D]")
    ends = (dates.astype("datetime64[M]") + 1).astype("datetime64[D]")
    out["business_days_to_month_end"] = pd.Series(np.busday_count(dates + 1, ends))
    out["holiday_base"], out["holiday_quote"] = (_holiday(stamps, c) for c in (s.pair[:3], s.pair[3:]))
    return out


def _in_session(stamps: pd.Series, zone: str, begin: int, end: int) -> pd.Series:
    local = stamps.dt.tz_convert(zone)
    return (local.dt.dayofweek < 5) & (local.dt.hour >= begin) & (local.dt.hour < end)


def _events(stamps: pd.Series, zone: str, hour: int, weekdays: set[int]) -> pd.DataFrame:
    days = pd.date_range(stamps.min() - pd.Timedelta("8D"), stamps.max() + pd.Timedelta("8D"), freq="D").date
    times = pd.DatetimeIndex([pd.Timestamp(day) for day in days if day.weekday() in weekdays])
    local = (times + pd.Timedelta(hours=hour)).tz_localize(zone).tz_convert("UTC")
    return pd.DataFrame({"event": local.astype(stamps.dtype)})


def _since(stamps: pd.Series, zone: str, hour: int, weekdays: set[int]) -> pd.Series:
    events = _events(stamps, zone, hour, weekdays)
    found = pd.merge_asof(pd.DataFrame({"at": stamps}), events, left_on="at", right_on="event")["event"]
    return (stamps - found).dt.total_seconds() / 60


def _until(stamps: pd.Series, zone: str, hour: int, strictly: bool = False) -> pd.Series:
    events = _events(stamps, zone, hour, set(range(5)))
    left = pd.DataFrame({"at": stamps})
    forward = {"direction": "forward", "allow_exact_matches": not strictly}
    found = pd.merge_asof(left, events, left_on="at", right_on="event", **forward)["event"]
    return (found - stamps).dt.total_seconds() / 60


def _holiday(stamps: pd.Series, currency: str) -> pd.Series:
    if currency == "eur":
        zone, closed = "Europe/Berlin", holidays.financial_holidays("ECB")
    else:
        zone, country, region = CENTRES[currency]
        closed = holidays.country_holidays(country, subdiv=region)
    days = stamps.dt.tz_convert(zone).dt.date
    known = {day: float(day in closed) for day in days.unique()}
    return days.map(known)
