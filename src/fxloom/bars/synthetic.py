"""A synthetic market for demonstrations and tests: 28 pairs from the values of eight currencies.

Every currency has a value; a pair's price is the ratio of two values plus a little noise of its own, so that
triangles close up to that noise. Values have fat tails (Student t) and a volatility that clusters (GARCH) and follows
the sessions. Quotes have spreads, minutes have ticks, quiet minutes and short gaps are missing, and the market is
closed at weekends (New York 17:00, daylight saving included) and on 25 December and 1 January.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from fxloom.bars.bars import Bars, Flags, Floats, Ints
from fxloom.bars.calendars import (
    EPOCH,
    LONDON,
    NEW_YORK,
    SUNDAY,
    SYDNEY,
    TOKYO,
    calendar_days,
    local_minutes,
    moments,
)
from fxloom.bars.clock import DAY, HOUR
from fxloom.bars.pairs import CURRENCIES, PAIRS

SEED = 28
TRADING_WEEK = 5 * DAY  # minutes from Sunday 17:00 to Friday 17:00 New York; daylight saving changes outside of it
POINTS = 6  # price points per minute
ROLL = 17 * HOUR  # the trading day begins at 17:00 New York

VALUES = {"aud": 0.79, "cad": 0.80, "chf": 1.07, "eur": 1.24, "gbp": 1.41, "jpy": 0.0091, "nzd": 0.73, "usd": 1.0}
# How much a currency moves while a centre works, over a floor of 0.3 (in the order of CENTRES)
CENTRES = ((SYDNEY, 7, 16), (TOKYO, 9, 18), (LONDON, 8, 17), (NEW_YORK, 8, 17))
ACTIVITY = {
    "aud": (0.5, 0.4, 0.5, 0.5), "cad": (0.1, 0.1, 0.4, 1.0), "chf": (0.1, 0.1, 0.9, 0.5), "eur": (0.1, 0.2, 1.0, 0.7),
    "gbp": (0.1, 0.1, 1.2, 0.6), "jpy": (0.2, 0.8, 0.5, 0.6), "nzd": (0.7, 0.4, 0.4, 0.5), "usd": (0.1, 0.3, 0.7, 1.0),
}  # fmt: skip
LIQUIDITY = {"aud": 0.6, "cad": 0.5, "chf": 0.5, "eur": 1.3, "gbp": 0.8, "jpy": 1.0, "nzd": 0.35, "usd": 1.8}

VOLATILITY = 8e-5  # std of a currency's log change in a minute of activity 1
ALPHA, BETA = 0.06, 0.92  # GARCH(1,1) of the deseasonalised changes
FREEDOM = 5.0  # degrees of freedom of Student's t
NOISE = 1.5e-5  # std of a pair's own quote noise, relative
WEEKEND = 6e-4  # scale of a currency's jump over the weekend


def synthetic_market(start: date, end: date, pairs: Sequence[str] = PAIRS, seed: int = SEED) -> dict[str, Bars]:
    """Bars of ``pairs`` with quotes and tick volume, from ``start`` to before ``end`` (UTC dates).

    The same seed and start give the same bars (with the same NumPy), whichever other pairs are requested and however
    late ``end`` is. A month of all pairs takes about a second. ValueError if a pair is not one of the 28.
    """
    if unknown := sorted(set(pairs) - set(PAIRS)):
        raise ValueError(f"not among the 28 pairs: {', '.join(unknown)}")
    first, last = (start - EPOCH).days * DAY, (end - EPOCH).days * DAY
    level = np.log([VALUES[c] for c in CURRENCIES])
    weeks: dict[str, list[Bars]] = {pair: [] for pair in pairs}
    for opened in _week_opens(first, last):
        values = _value_week(opened, level, seed)
        level = values.path[-1, -1]
        for pair in pairs:
            weeks[pair].append(_pair_week(pair, values, seed))
    return {pair: _joined(parts).between(first, last) for pair, parts in weeks.items()}


def _week_opens(first: int, last: int) -> Iterator[int]:
    """Sunday 17:00 New York of the weeks in [first, last), from the latest at or before ``first`` on."""
    opens = moments(NEW_YORK, ROLL, SUNDAY, np.array([first, max(first, last)]))
    begin = int(np.searchsorted(opens, first, side="right")) - 1
    return (int(opened) for opened in opens[begin:] if opened < max(last, first + 1))


def _joined(parts: list[Bars]) -> Bars:
    def column(name: str) -> Floats:
        return np.concatenate([getattr(part, name) for part in parts])

    ts: Ints = np.concatenate([part.ts for part in parts])
    names = ("open", "high", "low", "close", "volume", "spread")
    return Bars(ts, *(column(name) for name in names))


# -- a week of currency values ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class ValueWeek:
    """Log values of the currencies in one trading week.

    ``path`` has shape (minutes, points per minute, currencies); ``activity`` (the session pattern) and ``scale``
    (std of a minute's change) have shape (minutes, currencies); ``open`` is False on a holiday.
    """

    ts: Ints
    open: Flags
    path: Floats
    activity: Floats
    scale: Floats


def _value_week(opened: int, level: Floats, seed: int) -> ValueWeek:
    ts = opened + np.arange(TRADING_WEEK, dtype=np.int64)
    rng = np.random.default_rng([seed, opened])
    trading = _trading(ts)
    activity = np.stack([_activity(c, ts) for c in CURRENCIES], axis=1)
    tail = np.sqrt((FREEDOM - 2.0) / rng.chisquare(FREEDOM, activity.shape))
    shocks = rng.standard_normal((TRADING_WEEK, POINTS, len(CURRENCIES))) * (tail / np.sqrt(POINTS))[:, None, :]
    mood = np.exp(0.15 * rng.standard_normal())  # some weeks are calmer than others
    scale = VOLATILITY * mood * activity * np.sqrt(_garch(shocks.sum(axis=1)))
    scale[~trading] = 0.0
    steps = shocks * scale[:, None, :]
    steps[0, 0] += WEEKEND * rng.standard_t(FREEDOM, len(CURRENCIES))
    path = level + steps.reshape(-1, len(CURRENCIES)).cumsum(axis=0).reshape(steps.shape)
    return ValueWeek(ts, trading, path, activity, scale)


def _trading(ts: Ints) -> Flags:
    """False on the trading days 25 December and 1 January, which begin at New York 17:00 of the day before."""
    days = (local_minutes(NEW_YORK, ts) + DAY - ROLL) // DAY
    month_day = np.array([str(day)[5:] for day in calendar_days(days[::HOUR])])
    return np.repeat(~np.isin(month_day, ("12-25", "01-01")), HOUR)


def _activity(currency: str, ts: Ints) -> Floats:
    """The intraday pattern: a floor, and a trapezium for each centre's working day on its own clocks."""
    total = np.full(len(ts), 0.3)
    for (zone, begin, end), weight in zip(CENTRES, ACTIVITY[currency], strict=True):
        minute = local_minutes(zone, ts) % DAY
        corners = np.array([begin * HOUR - 20, begin * HOUR + 20, end * HOUR - 90, end * HOUR + 30])
        total += weight * np.interp(minute, corners, [0.0, 1.0, 0.8, 0.0])
    return total


def _garch(z: Floats) -> Floats:
    """Variances (mean 1) of a GARCH(1,1) whose standardised shocks are ``z``, both of shape (minutes, currencies)."""
    h = np.ones_like(z)
    growth = ALPHA * z * z + BETA
    for t in range(1, len(z)):
        h[t] = (1.0 - ALPHA - BETA) + growth[t - 1] * h[t - 1]
    return h


# -- a week of one pair ----------------------------------------------------------------------------------------------


def _pair_week(pair: str, values: ValueWeek, seed: int) -> Bars:
    base, quote = CURRENCIES.index(pair[:3]), CURRENCIES.index(pair[3:])
    rng = np.random.default_rng([seed, int(values.ts[0]), 1 + PAIRS.index(pair)])
    digits = 3 if pair.endswith("jpy") else 5
    volume = _ticks(pair, values, base, quote, rng)
    noise = NOISE * rng.standard_normal(values.path.shape[:2])
    points = np.exp(values.path[:, :, base] - values.path[:, :, quote] + noise).round(digits)
    points[volume == 1] = points[volume == 1, -1:]  # one tick is one price
    spread = _spreads(pair, values, base, quote, points[:, -1], digits, rng)
    bars = Bars(values.ts, points[:, 0], points.max(axis=1), points.min(axis=1), points[:, -1], volume, spread)
    return bars.take(values.open & (volume > 0) & ~_gaps(rng))


def _ticks(pair: str, values: ValueWeek, base: int, quote: int, rng: np.random.Generator) -> Floats:
    """Ticks of each minute: more in busy sessions and when the price moves; none in some quiet minutes."""
    activity = values.activity[:, base] * values.activity[:, quote]
    moves = np.abs(values.path[:, -1, :] - values.path[:, 0, :])
    move = (moves[:, base] + moves[:, quote]) / VOLATILITY
    liquidity = LIQUIDITY[pair[:3]] * LIQUIDITY[pair[3:]]
    rate = liquidity * (2.0 + 35.0 * activity + 25.0 * move) * rng.gamma(2.0, 1.0 / 2.0, TRADING_WEEK)
    return rng.poisson(rate).astype(np.float64)


def _spreads(
    pair: str, values: ValueWeek, base: int, quote: int, price: Floats, digits: int, rng: np.random.Generator
) -> Floats:
    """Quoted spreads, at least one point: wider at night, in volatile minutes, after the week's open and the roll."""
    liquidity = LIQUIDITY[pair[:3]] * LIQUIDITY[pair[3:]]
    night = 0.6 + 0.5 / (values.activity[:, base] + values.activity[:, quote])
    wild = 0.5 + 0.5 * (values.scale[:, base] + values.scale[:, quote]) / (2.0 * VOLATILITY)
    since_open = np.arange(TRADING_WEEK)
    week_open = 1.0 + 3.0 * np.exp(-since_open / 90.0)
    roll = 1.0 + 2.0 * np.exp(-(since_open % DAY) / 25.0)
    noise = np.exp(0.25 * rng.standard_normal(TRADING_WEEK))
    relative = 6e-5 / (0.4 + liquidity) * night * wild * week_open * roll * noise
    return np.maximum((price * relative).round(digits), 10.0**-digits)


def _gaps(rng: np.random.Generator) -> Flags:
    """Minutes missing from the source: about one gap per week, usually shorter than an hour."""
    missing = np.zeros(TRADING_WEEK, np.bool_)
    for _ in range(rng.poisson(1.2)):
        begin = int(rng.integers(TRADING_WEEK))
        missing[begin : begin + 3 + int(rng.exponential(20.0))] = True
    return missing
