"""K-minute bars against a reference of plain lists and TA-Lib, when they become visible, and their memory."""

from __future__ import annotations

from dataclasses import replace
from math import log, sqrt

import numpy as np
import pytest
import talib

from fxloom.bars.bars import Bars
from fxloom.bars.clock import on_clock
from fxloom.bars.pairs import PairInfo
from fxloom.families import multi_scale_30m, multi_scale_60m
from fxloom.features.domain import BOTH, RATE, Domain
from fxloom.features.feature import Columns
from fxloom.features.pair_view import PairFrame, View
from tests.conftest import real_bars
from tests.markets import closing_walk, flat_bars

FAMILIES = {30: multi_scale_30m, 60: multi_scale_60m}
SCALES = pytest.mark.parametrize("minutes", [30, 60])
DOMAINS = pytest.mark.parametrize("domain", BOTH, ids=lambda d: d.name)


def frame_of(bars: Bars) -> PairFrame:
    return PairFrame("eurusd", on_clock(bars), PairInfo(bars.close[0], has_volume=False))


def features(view: View, minutes: int) -> Columns:
    return FAMILIES[minutes].compute(view)


# -- the reference ---------------------------------------------------------------------------------------------------


class Slow:
    """K-minute bars collected minute by minute, and TA-Lib on them."""

    def __init__(self, view: View, minutes: int) -> None:
        self.minutes, self.ts, self.x, self.r = minutes, view.ts, view.x, view.r
        bins: dict[int, list[float]] = {}
        for minute, value in zip(view.ts.tolist(), view.x.tolist(), strict=True):
            if not np.isnan(value):
                bins.setdefault(minute // minutes, []).append(value)
        self.over = np.array([(b + 1) * minutes - 1 for b in bins])
        self.high, self.low = (np.array([f(v) for v in bins.values()]) for f in (max, min))
        self.close = np.array([v[-1] for v in bins.values()])
        c = self.close
        self.ema = {n: talib.EMA(c, n) for n in (12, 20, 26)}
        self.rsi, self.atr = talib.RSI(c, 14), talib.ATR(self.high, self.low, c, 14)
        steps = np.diff(np.log(c))
        self.vol = np.r_[np.full(20, np.nan), [np.std(steps[i : i + 20], ddof=1) for i in range(len(steps) - 19)]]

    def minute_std(self, t: int) -> float:
        return float(np.std(self.r[t - 19 : t + 1], ddof=1))

    def row(self, t: int) -> dict[str, float]:
        k = int((self.over <= self.ts[t]).sum()) - 1
        c, x, now = self.close[: k + 1], self.x[t - 30 : t + 1], self.x[t]
        mean, vol, std = c[-10:].mean(), self.vol[k], self.minute_std(t)
        median = np.median([self.minute_std(i) for i in range(t - 1439, t + 1)])
        slopes = [np.polyfit(np.arange(len(y)), y - now, 1)[0].round(11) for y in (x[-20:], c[-10:])]
        fits = [np.corrcoef(np.arange(len(y)), y)[0, 1] ** 2 for y in (c[-10:], x[-20:])]
        return {
            "sma_10": 1e4 * (now / mean - 1),
            "ema_20": 1e4 * (now / self.ema[20][k] - 1),
            "vol_20": 1e4 * vol,
            "mom_5": 1e4 * log(c[-1] / c[-6]),
            "range_20": 1e4 * (self.high[k - 19 : k + 1].max() - self.low[k - 19 : k + 1].min()) / now,
            "rsi_14": self.rsi[k],
            "macd": 1e4 * (self.ema[12][k] - self.ema[26][k]) / now,
            "atr_14": 1e4 * self.atr[k] / now,
            "bb_width_20": 4 * c[-20:].std() / c[-20:].mean(),
            "sma_ratio": 1e4 * (x[-10:].mean() / mean - 1),
            "vol_ratio": min(std * sqrt(self.minutes) / vol, 100.0),
            "trend_agree": float(np.sign(slopes[0]) == np.sign(slopes[1])),
            "regime_agree": float((std > median) == (vol > np.median(self.vol[k - 47 : k + 1]))),
            "dominance": fits[0] - fits[1],
            "divergence": float((now - x[-21]) * (c[-1] - c[-6]) < 0),
        }


@SCALES
@DOMAINS
def test_values_match_their_definitions(domain: Domain, minutes: int) -> None:
    view = frame_of(closing_walk(9000, minutes)).view(domain)
    got, slow = features(view, minutes), Slow(view, minutes)
    columns = {c.name: c for c in FAMILIES[minutes].columns(domain)}
    assert list(got) == list(columns)
    first = max(c.warmup for c in columns.values())
    for t in [*range(first, first + 90), *range(first + 90, len(view), 97)]:
        for name, want in slow.row(t).items():
            assert got[f"ms{minutes}_{name}"][t] == pytest.approx(want, rel=1e-8, abs=1e-8), (name, t)


@SCALES
@DOMAINS
def test_every_feature_begins_at_its_warmup(domain: Domain, minutes: int) -> None:
    got = features(frame_of(closing_walk(6000, 7)).view(domain), minutes)
    for column in FAMILIES[minutes].columns(domain):
        values = got[column.name]
        assert np.isnan(values[: column.warmup]).all(), column.name
        assert not np.isnan(values[column.warmup :]).any(), column.name
        assert column.low <= values[column.warmup :].min() <= values[column.warmup :].max() <= column.high, column.name


@SCALES
def test_the_warmup_covers_full_bins_from_any_start(minutes: int) -> None:
    for begin in range(0, minutes, 7):
        close = 1.1 + 1e-5 * np.random.default_rng(begin).integers(-9, 10, 5000).cumsum().astype(np.float64)
        bars = flat_bars(np.arange(5000) + 25_300_020 // 60 * 60 + begin, close)
        got = features(frame_of(bars).view(RATE), minutes)
        for column in FAMILIES[minutes].columns(RATE):
            assert not np.isnan(got[column.name][column.warmup :]).any(), (column.name, begin)


# -- laws ------------------------------------------------------------------------------------------------------------


@SCALES
@DOMAINS
def test_later_bars_change_nothing(domain: Domain, minutes: int) -> None:
    bars = closing_walk(6000, 11)
    whole = features(frame_of(bars).view(domain), minutes)
    for end in (4000, 4001, 4013, 4029, 5500):
        wild = bars.close.copy()
        wild[end:] *= 1.5
        observed = on_clock(bars).observed[:end]
        for later in (bars.take(slice(0, end)), replace(bars, close=wild, high=bars.high * 2)):
            part = features(frame_of(later).view(domain), minutes)
            for name, values in part.items():
                np.testing.assert_array_equal(values[observed], whole[name][observed], err_msg=name)


def assert_memory(bars: Bars, domain: Domain, minutes: int, starts: list[int], rows: int) -> None:
    frame = frame_of(bars)
    whole = features(frame.view(domain), minutes)
    for start in starts:
        frame.work.clear()
        part = features(frame.view(domain, start), minutes)
        for column in FAMILIES[minutes].columns(domain):
            want = whole[column.name][start + column.lookback :][:rows]
            got = part[column.name][column.lookback :][:rows]
            scale = np.maximum(np.abs(want), np.nanstd(whole[column.name])) if column.recursive else 0.0
            np.testing.assert_array_equal(np.isnan(got), np.isnan(want), err_msg=column.name)
            assert not (np.abs(got - want) > 1e-9 * scale).any(), (column.name, start)


@SCALES
@DOMAINS
def test_the_declared_lookback_gives_the_same_values(domain: Domain, minutes: int) -> None:
    bars = closing_walk(32_000, 13)
    assert_memory(bars, domain, minutes, [1, 17, 29, 30, 1234, 4321], 2000)


@SCALES
@DOMAINS
def test_a_bad_tick_has_no_effect_after_the_declared_lookback(domain: Domain, minutes: int) -> None:
    bars = closing_walk(34_000, 14)
    close, high = bars.close.copy(), bars.high.copy()
    close[3000] *= 1.01
    high[3000] = close[3000]
    at = int(on_clock(bars).observed[3000])
    assert_memory(replace(bars, close=close, high=high), domain, minutes, [at - 15, at, at + 1, at + 20], 1000)


@SCALES
def test_a_still_price_of_any_length_leaves_no_trace(minutes: int) -> None:
    for length in (300, 4000):
        bars = closing_walk(38_000, 15, (8000, 8000 + length))
        begin = int(on_clock(bars).observed[8000])
        assert_memory(bars, RATE, minutes, [begin - 4000, begin - 200, begin + 10, begin + length // 2], 4000)


@pytest.mark.data
@SCALES
@DOMAINS
@pytest.mark.parametrize("name", ["market28/eurusd", "long9/gbpusd"])
def test_real_bars_have_no_effect_after_the_lookback(name: str, domain: Domain, minutes: int) -> None:
    assert_memory(real_bars(name).take(slice(0, 60_000)), domain, minutes, [777, 7_345, 15_001], 3000)


def test_a_still_price_agrees_in_trend_and_has_no_ratio() -> None:
    view = frame_of(closing_walk(9000, 16, (3000, 8000))).view(RATE)
    got = features(view, 30)
    still = slice(5000, 7500)
    assert np.ptp(view.x[still]) == 0.0
    for name in ("vol_20", "mom_5", "range_20", "bb_width_20"):
        assert (got[f"ms30_{name}"][still] == 0.0).all(), name
    assert np.isnan(got["ms30_vol_ratio"][still]).all()
    assert np.isnan(got["ms30_dominance"][still]).all()
    assert (got["ms30_trend_agree"][still] == 1.0).all()
    assert (got["ms30_divergence"][still] == 0.0).all()
    assert (got["ms30_regime_agree"][still] == 1.0).all()
